"""One function a claim: what was measured, and whether the claim holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crossres.measure import MainPeak, main_peak

REPRODUCED, FAILED, NOT_JUDGED = "reproduced", "failed", "not judged"
BLIND = 2 * np.log(2)


@dataclass(frozen=True)
class Evidence:
    """What one channel of an experiment gives to judge claims by.

    Parameters
    ----------
    metrics, structures
        The tables of measure_fields.
    histories
        history.csv by network, first seed.
    """

    metrics: pd.DataFrame
    structures: pd.DataFrame
    histories: Mapping[str, pd.DataFrame]

    def widths(self, method: str) -> np.ndarray:
        """Return the FWHM of every spot that was fitted in a method's image, in nm."""
        table = self.structures
        chosen = (table.method == method) & (table.metric == "fwhm_nm")
        return table.value[chosen].dropna().to_numpy(float)

    def peak(self, method: str) -> MainPeak | None:
        """Return the main peak of a method's FWHM."""
        return main_peak(self.widths(method))

    def mean(self, method: str, metric: str) -> float:
        """Return the mean of a metric over fields and seeds; NaN where it was not measured."""
        table = self.metrics
        values = table.value[(table.method == method) & (table.metric == metric)]
        return float(values[np.isfinite(values)].mean())


def judge_w1(evidence: Evidence) -> tuple[str, str]:
    """Bead FWHM: input 290 ± 15 nm, STED 120 nm ± 10 %, GAN within 10 % of STED, > 400 beads."""
    peaks = {name: evidence.peak(name) for name in ("input", "gan", "target")}
    missing = [name for name, peak in peaks.items() if peak is None]
    if missing:
        return f"no spots to measure in {', '.join(missing)}", NOT_JUDGED
    centre = {name: peak.centre for name, peak in peaks.items() if peak is not None}
    count = len(evidence.widths("target"))
    holds = (
        abs(centre["input"] - 290) <= 15
        and abs(centre["target"] - 120) <= 12
        and abs(centre["gan"] - centre["target"]) <= 0.1 * centre["target"]
        and count > 400
    )
    measured = (
        f"input {centre['input']:.0f} nm, GAN {centre['gan']:.0f} nm, "
        f"STED {centre['target']:.0f} nm ({count} beads)"
    )
    return measured, _verdict(holds)


def judge_w6(evidence: Evidence) -> tuple[str, str]:
    """SNR of the output above the input's and above the target's."""
    snr = {name: evidence.mean(name, "snr") for name in ("input", "gan", "target")}
    if not all(np.isfinite(list(snr.values()))):
        return "SNR not measurable", NOT_JUDGED
    measured = f"input {snr['input']:.1f}, GAN {snr['gan']:.1f}, STED {snr['target']:.1f}"
    return measured, _verdict(snr["gan"] > max(snr["input"], snr["target"]))


def judge_w8(evidence: Evidence) -> tuple[str, str]:
    """Without the discriminator the output is of lower resolution: FWHM of cnn above gan's.

    A difference counts where it exceeds the standard error of both main peaks together.
    """
    gan, cnn = evidence.peak("gan"), evidence.peak("cnn")
    if gan is None or cnn is None:
        return "needs gan and cnn, and spots to measure", NOT_JUDGED
    counts = {name: len(evidence.widths(name)) for name in ("gan", "cnn")}
    error = np.hypot(gan.sigma / np.sqrt(counts["gan"]), cnn.sigma / np.sqrt(counts["cnn"]))
    measured = (
        f"GAN {gan.centre:.1f} nm, without discriminator {cnn.centre:.1f} nm "
        f"(standard error of the difference {error:.1f} nm; beads, where the paper shows nuclei)"
    )
    return measured, _verdict(cnn.centre - gan.centre > error)


def judge_w17(evidence: Evidence) -> tuple[str, str]:
    """Both losses stay in equilibrium, and the kept model is that of the best validation.

    Equilibrium: in the second half of the adversarial phase the discriminator's loss neither
    collapses (below a quarter of 2 ln 2, the loss of one that cannot tell) nor exceeds it by
    half, at any validation.
    """
    history = evidence.histories.get("gan")
    if history is None or "discriminator_loss" not in history:
        return "no gan was trained", NOT_JUDGED
    adversarial = history[history.discriminator_loss.notna()]
    late = adversarial.discriminator_loss.iloc[len(adversarial) // 2 :]
    in_balance = bool(late.between(0.25 * BLIND, 1.5 * BLIND).all())
    kept = adversarial[adversarial.kept]
    smallest = (
        len(kept) == 1 and kept.validation_score.iloc[0] == adversarial.validation_score.min()
    )
    measured = (
        f"discriminator loss {late.min():.2f} to {late.max():.2f} in the second half of its phase "
        f"(2 ln 2 = {BLIND:.2f}); kept iteration {history.iteration[history.kept].iloc[0]:.0f} of "
        f"{history.iteration.max():.0f}"
    )
    return measured, _verdict(in_balance and smallest)


def judge_t1(evidence: Evidence) -> tuple[str, str]:
    """Bead FWHM of confocal, TCAN and STED, each within 10 % of the published mean."""
    peaks = {name: evidence.peak(name) for name in ("input", "tcan", "target")}
    if peaks["input"] is None or peaks["target"] is None:
        return "no spots to measure", NOT_JUDGED
    measured = f"confocal {peaks['input'].centre:.0f} nm, STED {peaks['target'].centre:.0f} nm"
    if peaks["tcan"] is None:
        return f"{measured}; no TCAN was trained, and the optics are Wang's", NOT_JUDGED
    measured += f", TCAN {peaks['tcan'].centre:.0f} nm"
    published = {"input": 239, "tcan": 58, "target": 83}
    close = [
        abs(peak.centre - published[name]) <= 0.1 * published[name]
        for name, peak in peaks.items()
        if peak is not None
    ]
    return measured, _verdict(all(close))


def _verdict(holds: bool) -> str:
    return REPRODUCED if holds else FAILED


JUDGES: dict[str, Callable[[Evidence], tuple[str, str]]] = {
    "W1": judge_w1,
    "W6": judge_w6,
    "W8": judge_w8,
    "W17": judge_w17,
    "T1": judge_t1,
}
"""Claims that can be judged so far, all of them on the bead experiment."""

JUDGED_ON = "confocal_sted_beads"


def judge_claim(claim: str, evidence: Mapping[str, Evidence]) -> tuple[str, str]:
    """Return what was measured for a claim, and the verdict.

    Parameters
    ----------
    claim
        Its id, a key of :data:`JUDGES`.
    evidence
        By experiment.
    """
    if JUDGED_ON not in evidence:
        return f"{JUDGED_ON} was not part of this run", NOT_JUDGED
    return JUDGES[claim](evidence[JUDGED_ON])
