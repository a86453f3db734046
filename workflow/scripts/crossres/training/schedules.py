"""The learning rate as a pure function of the iteration: no state to save."""

import math

from crossres.catalogue.networks import Network

FINE_TUNING_WARM_UP = 100
"""Iterations of warm-up when a model is fine-tuned and the configuration gives none."""


def rate_factor(settings: Network, iteration: int, fine_tuned: bool = False) -> float:
    """Return the factor on the learning rate at an iteration.

    Parameters
    ----------
    settings
        ``schedule`` is ``constant``, ``cosine`` (to 0 at the end) or ``halving`` (``halvings``
        times over the ``iterations``, at equal distances); over the first
        ``rate_warm_up_iterations`` the rate also grows linearly.
    iteration
        From 0.
    fine_tuned
        The training begins from a trained model.
    """
    done = iteration / settings.iterations
    factor = 1.0
    if settings.schedule == "cosine":
        factor = 0.5 * (1 + math.cos(math.pi * done))
    elif settings.schedule == "halving":
        factor = 0.5 ** math.floor(done * (settings.halvings + 1))
    warm_up = rate_warm_up(settings, fine_tuned)
    return factor * min(1.0, (iteration + 1) / warm_up) if warm_up else factor


def rate_warm_up(settings: Network, fine_tuned: bool) -> int:
    """Return the iterations of warm-up: by default 100 when a model is fine-tuned, else 0.

    Adam's first steps follow only the sign of the gradient, at the full rate in every weight. A
    warm-up keeps them from spoiling a trained model.
    """
    if settings.rate_warm_up_iterations is not None:
        return settings.rate_warm_up_iterations
    return FINE_TUNING_WARM_UP if fine_tuned else 0
