"""Claims on the nuclei: transfer, the discriminator, and what fluctuating scans tell."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from crossres.claims.evidence import NOT_JUDGED, Evidence, verdict

SOONER = 0.5
"""Transfer counts as shorter where it takes at most this part of the random start's iterations."""


def judge_transfer(
    network: str,
) -> Callable[[Mapping[str, Evidence], Mapping[str, Evidence]], tuple[str, str]]:
    """Return the judge of W11 and T9: begun from the beads' model, a network gets there sooner.

    There: the lowest validation MSE that the random start ever reaches. It holds where transfer
    reaches this in at most half of the iterations, with every seed. Where that lies in a warm-up
    it is said, as a network that has not met its discriminator is another one. Each experiment is
    judged by its first channel; both have the same fields, patches and seeds.
    """

    def judge(
        transferred: Mapping[str, Evidence], random: Mapping[str, Evidence]
    ) -> tuple[str, str]:
        begun, begun_at_random = (
            next(iter(channels.values())).histories.get(network)
            for channels in (transferred, random)
        )
        if not begun or not begun_at_random:
            return f"needs {network} in both experiments", NOT_JUDGED
        parts, holds = [], True
        for from_beads, from_chance in zip(begun, begun_at_random, strict=False):
            best = from_chance.loc[from_chance.validation_mse.idxmin()]
            reached = from_beads.iteration[from_beads.validation_mse <= best.validation_mse].min()
            holds &= bool(reached <= SOONER * best.iteration)
            sooner = (
                f"never reached in {from_beads.iteration.max():.0f} iterations"
                if np.isnan(reached)
                else f"in {reached:.0f} iterations{_in_warm_up(from_beads, reached)}"
            )
            parts.append(
                f"MSE {best.validation_mse:.3g} {sooner} with transfer, in {best.iteration:.0f}"
                f"{_in_warm_up(from_chance, best.iteration)} from a random start"
            )
        return "; ".join(parts) + f" (seeds: {len(parts)})", verdict(holds)

    return judge


def _in_warm_up(history: pd.DataFrame, iteration: float) -> str:
    """Return what is to be said where the discriminator had not joined in yet."""
    if "discriminator_loss" not in history:
        return ""
    alone = history.discriminator_loss[history.iteration == iteration].isna().all()
    return " (in the warm-up)" if alone and iteration > 0 else ""


def judge_w8(evidence: Evidence) -> tuple[str, str]:
    """Without the discriminator the output is smoother and of lower resolution: cnn below gan.

    Smoother: of lower sharpness. Lower resolution: of lower modulation depth, as no punctum of a
    nucleus stands alone to measure its width. Both on the blind test, the mean over fields.
    """
    labels = {"sharpness": "sharpness", "modulation_depth": "modulation depth"}
    found = {
        metric: {method: evidence.mean(method, metric) for method in ("gan", "cnn", "target")}
        for metric in labels
    }
    if not all(np.isfinite(list(values.values())).all() for values in found.values()):
        return "needs gan, cnn and measure.modulation", NOT_JUDGED
    measured = "; ".join(
        f"{labels[metric]} GAN {values['gan']:.3f}, without discriminator {values['cnn']:.3f}, "
        f"STED {values['target']:.3f}"
        for metric, values in found.items()
    )
    return measured, verdict(all(values["cnn"] < values["gan"] for values in found.values()))


def judge_w12(evidence: Evidence) -> tuple[str, str]:
    """The output correlates better with the average of all STED scans than with one.

    Pearson's r on the blind test, mean over the fields; the average is corrected for drift.
    """
    methods = ("gan", "input")
    one = {method: evidence.mean(method, "pearson_r") for method in methods}
    average = {method: evidence.mean(method, "pearson_r_scan_mean") for method in methods}
    if not np.isfinite([one["gan"], average["gan"]]).all():
        return "needs a gan, and several scans of each field", NOT_JUDGED
    measured = "; ".join(
        f"{label} r {one[method]:.4f} with one scan, {average[method]:.4f} with the average"
        for method, label in (("gan", "GAN"), ("input", "confocal"))
    )
    return measured, verdict(average["gan"] > one["gan"])
