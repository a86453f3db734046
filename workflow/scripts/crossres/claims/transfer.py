"""Whether a training that begins from another experiment's model gets there sooner."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crossres.claims.evidence import NOT_JUDGED, Evidence, verdict

SOONER = 0.5
"""Transfer counts as shorter where it takes at most this part of the random start's iterations."""


def gets_there_sooner(
    network: str, transferred: Mapping[str, Evidence], random: Mapping[str, Evidence]
) -> tuple[str, str]:
    """Judge how soon transfer reaches the lowest validation MSE that the random start ever reaches.

    It holds where transfer needs at most half of the iterations, with every seed. An MSE reached in
    a warm-up is said to be, as a network that has not met its discriminator is another one. Each
    experiment is judged by its first channel; both have the same fields, patches and seeds.

    Parameters
    ----------
    network
        Whose trainings are compared.
    transferred, random
        Evidence by channel, of the experiment that begins from a model and of that at random.
    """
    begun, begun_at_random = (
        next(iter(channels.values())).histories.get(network) for channels in (transferred, random)
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


def _in_warm_up(history: pd.DataFrame, iteration: float) -> str:
    """Return what is to be said where the discriminator had not joined in yet."""
    if "discriminator_loss" not in history:
        return ""
    alone = history.discriminator_loss[history.iteration == iteration].isna().all()
    return " (in the warm-up)" if alone and iteration > 0 else ""
