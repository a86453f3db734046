"""The learning rate as a pure function of the iteration: no state to save."""

import math

from crossres.catalogue.networks import Network


def rate_factor(settings: Network, iteration: int) -> float:
    """Return the factor on the learning rate at an iteration.

    Parameters
    ----------
    settings
        ``schedule`` is ``constant``, ``cosine`` (to 0 at the end) or ``halving`` (``halvings``
        times over the ``iterations``, at equal distances); over the first
        ``rate_warm_up_iterations`` the rate also grows linearly.
    iteration
        From 0.
    """
    done = iteration / settings.iterations
    factor = 1.0
    if settings.schedule == "cosine":
        factor = 0.5 * (1 + math.cos(math.pi * done))
    elif settings.schedule == "halving":
        factor = 0.5 ** math.floor(done * (settings.halvings + 1))
    # Adam's first steps follow only the sign of the gradient, at the full rate in every weight: a
    # warm-up keeps them from spoiling a trained model
    warm_up = settings.rate_warm_up_iterations
    return factor * min(1.0, (iteration + 1) / warm_up) if warm_up else factor
