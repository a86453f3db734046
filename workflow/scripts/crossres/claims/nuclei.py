"""Claims on the nuclei: what transfer saves, and what fluctuating scans say of the truth."""

from collections.abc import Callable, Mapping

import numpy as np

from crossres.claims.evidence import NOT_JUDGED, Evidence, verdict

SOONER = 0.5
"""Transfer counts as shorter where it takes at most this part of the random start's iterations."""


def judge_transfer(
    network: str,
) -> Callable[[Mapping[str, Evidence], Mapping[str, Evidence]], tuple[str, str]]:
    """Return the judge of W11 and T9: begun from the beads' model, a network gets there sooner.

    There: the lowest validation MSE that the random start ever reaches. It holds where transfer
    reaches this in at most half of the iterations. Each experiment is judged by its first channel
    and seed; both have the same fields and patches.
    """

    def judge(
        transferred: Mapping[str, Evidence], random: Mapping[str, Evidence]
    ) -> tuple[str, str]:
        begun, begun_at_random = (
            next(iter(channels.values())).histories.get(network)
            for channels in (transferred, random)
        )
        if begun is None or begun_at_random is None:
            return f"needs {network} in both experiments", NOT_JUDGED
        best = begun_at_random.loc[begun_at_random.validation_mse.idxmin()]
        reached = begun.iteration[begun.validation_mse <= best.validation_mse]
        level = f"MSE {best.validation_mse:.3g}"
        if reached.empty:
            lowest = begun.validation_mse.min()
            return (
                f"a random start reaches {level} in {best.iteration:.0f} iterations, transfer "
                f"comes to {lowest:.3g} in {begun.iteration.max():.0f}",
                verdict(False),
            )
        measured = (
            f"{level} on the validation fields in {reached.min():.0f} iterations with transfer, in "
            f"{best.iteration:.0f} from a random start"
        )
        return measured, verdict(reached.min() <= SOONER * best.iteration)

    return judge


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
