"""Classical methods by their names in the configuration."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from crossres.deconvolution.landweber import iterate_nnls
from crossres.deconvolution.richardson_lucy import iterate_richardson_lucy

Iteration = Callable[[np.ndarray, np.ndarray, int, float, torch.device | str], Iterator[np.ndarray]]
"""(image, psf, iterations, parameter, device), yields the estimate after every iteration."""

ITERATIONS: dict[str, Iteration] = {
    "richardson_lucy": iterate_richardson_lucy,
    "nnls": iterate_nnls,
}
"""How the methods of :data:`crossres.catalogue.classical.CLASSICAL` iterate."""


def iterate(
    method: str,
    image: np.ndarray,
    psf: np.ndarray,
    iterations: int,
    parameter: float,
    device: torch.device | str = "cpu",
) -> Iterator[np.ndarray]:
    """Yield the estimate of a method after every iteration.

    Parameters
    ----------
    method
        Name in :data:`ITERATIONS`.
    image
        (Y, X) or (Z, Y, X), not negative.
    psf
        Sum 1, odd sides, centred, of as many dimensions.
    iterations
        How many estimates are yielded.
    parameter
        What the catalogue names as the method's ``parameter``, such as the damping.
    device
        Where to compute.

    Yields
    ------
    ndarray
        Shape of the image, not negative, float64 for float64 images, float32 otherwise.
    """
    yield from ITERATIONS[method](image, psf, iterations, parameter, device)
