"""The learning rate as a pure function of the iteration: nothing to save, nothing to lose."""

import math
from collections.abc import Mapping
from typing import Any


def rate_factor(settings: Mapping[str, Any], iteration: int) -> float:
    """Return what the learning rate is multiplied by at an iteration.

    Parameters
    ----------
    settings
        ``iterations``; ``schedule``: ``constant``, ``cosine`` (to 0 at the end) or ``halving``
        (``halvings`` times over the run, at equal distances);
        ``rate_warm_up_iterations``: the rate grows linearly over so many first iterations.
        Adam's first steps go by the sign of the gradient alone, at the full rate in every weight:
        this keeps them from spoiling a model that is fine-tuned.
    iteration
        From 0.
    """
    done = iteration / settings["iterations"]
    factor = 1.0
    if settings["schedule"] == "cosine":
        factor = 0.5 * (1 + math.cos(math.pi * done))
    elif settings["schedule"] == "halving":
        factor = 0.5 ** math.floor(done * (settings["halvings"] + 1))
    warm_up = settings["rate_warm_up_iterations"]
    return factor * min(1.0, (iteration + 1) / warm_up) if warm_up else factor
