"""One function a claim: what was measured, and whether the claim holds."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from crossres.claims.evidence import NOT_JUDGED, Evidence, verdict
from crossres.claims.nuclei import judge_transfer, judge_w8, judge_w12

Judge = Callable[..., tuple[str, str]]
"""From the evidence of every channel, of one experiment or of several in turn, to what was measured
and the verdict."""


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
    return measured, verdict(holds)


def judge_w6(evidence: Evidence) -> tuple[str, str]:
    """SNR of the output above the input's and above the target's."""
    snr = {name: evidence.mean(name, "snr") for name in ("input", "gan", "target")}
    if not all(np.isfinite(list(snr.values()))):
        return "SNR not measurable", NOT_JUDGED
    measured = f"input {snr['input']:.1f}, GAN {snr['gan']:.1f}, STED {snr['target']:.1f}"
    return measured, verdict(snr["gan"] > max(snr["input"], snr["target"]))


def judge_w17(evidence: Evidence) -> tuple[str, str]:
    """Both losses stay in equilibrium, and the kept model is that of the smallest validation MSE.

    Equilibrium: in the second half of the adversarial phase the discriminator's loss neither
    collapses (below a quarter of 2 ln 2, the loss of one that cannot tell) nor exceeds it by
    half, at any validation. The MSE stands for the paper's validation loss; ours is kept by
    another score (docs/methods.md), so that both may differ. Of the first seed.
    """
    history = next(iter(evidence.histories.get("gan", [])), None)
    if history is None or "discriminator_loss" not in history:
        return "no gan was trained", NOT_JUDGED
    adversarial = history[history.discriminator_loss.notna()]
    late = adversarial.discriminator_loss.iloc[len(adversarial) // 2 :]
    blind = float(adversarial.discriminator_equilibrium.iloc[0])
    smallest = adversarial.iteration[adversarial.validation_mse.idxmin()]
    kept = history.iteration[history.kept].iloc[0]
    measured = (
        f"discriminator loss {late.min():.2f} to {late.max():.2f} in the second half of its phase "
        f"({blind:.2f} if it cannot tell); kept iteration {kept:.0f} of "
        f"{history.iteration.max():.0f}, smallest MSE at {smallest:.0f}"
    )
    in_balance = bool(late.between(0.25 * blind, 1.5 * blind).all())
    return measured, verdict(in_balance and kept == smallest)


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
    return measured, verdict(all(close))


def judge_w3(channels: Mapping[str, Evidence]) -> tuple[str, str]:
    """In every channel the GAN's output is closer to the target than input, LR and NNLS.

    Closer in SSIM and in Pearson's r, both on the blind test.
    """
    rivals = ("input", "richardson_lucy", "nnls")
    parts, holds = [], True
    for name, evidence in channels.items():
        values = {
            metric: {method: evidence.mean(method, metric) for method in ("gan", *rivals)}
            for metric in ("ssim", "pearson_r")
        }
        missing = [method for method, value in values["ssim"].items() if not np.isfinite(value)]
        if missing:
            return f"{name} has no {', '.join(missing)}", NOT_JUDGED
        holds &= all(v["gan"] > max(v[rival] for rival in rivals) for v in values.values())
        ssim, r = values["ssim"], values["pearson_r"]
        parts.append(
            f"{name}: SSIM input {ssim['input']:.3f}, LR {ssim['richardson_lucy']:.3f}, NNLS "
            f"{ssim['nnls']:.3f}, GAN {ssim['gan']:.3f}; r {r['input']:.4f}, "
            f"{r['richardson_lucy']:.4f}, {r['nnls']:.4f}, {r['gan']:.4f}"
        )
    return ". ".join(parts), verdict(holds)


def judge_w4(channels: Mapping[str, Evidence]) -> tuple[str, str]:
    """The best Lucy-Richardson parameters lie near 10 iterations and 0.1 % damping.

    Near: in every channel 5 to 20 iterations, and at most 1 % damping. The paper chose by eye,
    we by Pearson's r on the validation split.
    """
    parts, holds = [], True
    for name, evidence in channels.items():
        best = evidence.parameters.get("richardson_lucy")
        if best is None:
            return "Lucy-Richardson was not run", NOT_JUDGED
        holds &= 5 <= best["iterations"] <= 20 and best["damping"] <= 0.01
        parts.append(f"{name}: {best['iterations']} iterations, {best['damping']:.1%} damping")
    return "; ".join(parts) + " (by r on the validation split, not by eye)", verdict(holds)


def judge_w5(channels: Mapping[str, Evidence]) -> tuple[str, str]:
    """NNLS is sharper than LR with more artefacts, and both modulate less than the network.

    Sharper in the measured sharpness; more artefacts as a lower Pearson's r with the target;
    modulation depth as measured. Each on the mean over the channels.
    """
    methods = ("richardson_lucy", "nnls", "gan")
    mean = {
        metric: {m: np.mean([e.mean(m, metric) for e in channels.values()]) for m in methods}
        for metric in ("sharpness", "pearson_r", "modulation_depth")
    }
    if not all(np.isfinite(list(mean["modulation_depth"].values()))):
        return "needs LR, NNLS, a gan and measure.modulation", NOT_JUDGED
    depth = mean["modulation_depth"]
    holds = (
        mean["sharpness"]["nnls"] > mean["sharpness"]["richardson_lucy"]
        and mean["pearson_r"]["nnls"] < mean["pearson_r"]["richardson_lucy"]
        and max(depth["nnls"], depth["richardson_lucy"]) < depth["gan"]
    )
    measured = "; ".join(
        f"{label} LR {mean[key]['richardson_lucy']:.3f}, NNLS {mean[key]['nnls']:.3f}, GAN "
        f"{mean[key]['gan']:.3f}"
        for key, label in (
            ("sharpness", "sharpness"),
            ("pearson_r", "r with the target"),
            ("modulation_depth", "modulation depth"),
        )
    )
    return measured, verdict(holds)


def judge_w10(channels: Mapping[str, Evidence]) -> tuple[str, str]:
    """In 95 % of fields the registration is off the truth by less than the tolerance, 0.2 px.

    Root mean square over each accepted field, of every split and channel.
    """
    tables = [e.registration_errors for e in channels.values()]
    known = [table for table in tables if table is not None]
    if not known:
        return "no truth to measure against", NOT_JUDGED
    errors = pd.concat(known).error_rms_px
    if errors.empty:
        return "no field was accepted", NOT_JUDGED
    measured = (
        f"{len(errors)} fields: median {errors.median():.3f} px rms, 95 % below "
        f"{errors.quantile(0.95):.3f} px, largest {errors.max():.3f} px"
    )
    return measured, verdict(errors.quantile(0.95) < 0.2)


def _of_first(judge: Callable[[Evidence], tuple[str, str]]) -> Judge:
    """Return a judge of one channel as one of all: it looks at the first."""
    return lambda channels: judge(next(iter(channels.values())))


BEADS = ("confocal_sted_beads",)
WIDEFIELD = ("widefield_bpaec",)
NUCLEI = ("confocal_sted_nuclei",)
TRANSFER = (*NUCLEI, "confocal_sted_nuclei_scratch")

JUDGES: dict[str, tuple[tuple[str, ...], Judge]] = {
    "W1": (BEADS, _of_first(judge_w1)),
    "W3": (WIDEFIELD, judge_w3),
    "W4": (WIDEFIELD, judge_w4),
    "W5": (WIDEFIELD, judge_w5),
    "W6": (BEADS, _of_first(judge_w6)),
    "W8": (NUCLEI, _of_first(judge_w8)),
    "W10": (WIDEFIELD, judge_w10),
    "W11": (TRANSFER, judge_transfer("gan")),
    "W12": (NUCLEI, _of_first(judge_w12)),
    "W17": (BEADS, _of_first(judge_w17)),
    "T1": (BEADS, _of_first(judge_t1)),
    "T9": (TRANSFER, judge_transfer("tcan")),
}
"""Claims that can be judged so far, each with the experiments it is judged on."""


def judge_claim(claim: str, evidence: Mapping[str, Mapping[str, Evidence]]) -> tuple[str, str]:
    """Return what was measured for a claim, and the verdict.

    Parameters
    ----------
    claim
        Its id, a key of :data:`JUDGES`.
    evidence
        By experiment and channel.
    """
    experiments, judge = JUDGES[claim]
    missing = [name for name in experiments if name not in evidence]
    if missing:
        verb = "was" if len(missing) == 1 else "were"
        return f"{' and '.join(missing)} {verb} not part of this run", NOT_JUDGED
    return judge(*(evidence[name] for name in experiments))
