"""A classical baseline as the workflow uses it: background, border, method, and its tuning."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from crossres.preprocess import find_background
from crossres.restoration.blur import pad_by_reflection
from crossres.restoration.landweber import iterate_nnls
from crossres.restoration.richardson_lucy import iterate_richardson_lucy


def iterate_baseline(
    method: str,
    image: np.ndarray,
    psf: np.ndarray,
    iterations: int,
    parameter: float,
    background: str,
    device: torch.device | str = "cpu",
) -> Iterator[np.ndarray]:
    """Yield the deconvolved image after every iteration.

    The image is freed of its background where asked, and continued by reflection, so that
    neither a constant haze nor the border is deconvolved into structure.

    Parameters
    ----------
    method
        "richardson_lucy" or "nnls".
    image
        (Y, X) counts.
    psf
        (N, N), sum 1, N odd.
    iterations
        How many estimates are yielded.
    parameter
        Damping of Lucy-Richardson, step of NNLS.
    background
        "find" or "none".
    device
        Where to compute.

    Yields
    ------
    ndarray
        (Y, X) float32, not negative.
    """
    image = np.asarray(image, dtype=np.float32)
    if background == "find":
        image = image - np.float32(find_background(image)[0])
    padded, window = pad_by_reflection(np.clip(image, 0, None), psf)
    iterate = {"richardson_lucy": iterate_richardson_lucy, "nnls": iterate_nnls}[method]
    for estimate in iterate(padded, psf, iterations, parameter, device):
        yield estimate[window]


def search_grid(method: str, settings: Mapping[str, Any]) -> tuple[int, list[float]]:
    """Return how many iterations are searched, and the dampings (or the step) they are run with."""
    parameters = settings["damping"] if method == "richardson_lucy" else [settings["step"]]
    return settings["max_iterations"], [float(value) for value in parameters]


def correlation(image: np.ndarray, target: np.ndarray) -> float:
    """Return Pearson's r, the metric by which the baselines' parameters are chosen.

    After the scale and offset of least squares that :func:`crossres.measure.compare` applies,
    mse = var(target) (1 - r^2): the highest r is the lowest MSE and the highest PSNR.
    """
    x = image.astype(np.float64) - image.mean(dtype=np.float64)
    y = target.astype(np.float64) - target.mean(dtype=np.float64)
    norm = float(np.sqrt(np.vdot(x, x) * np.vdot(y, y)))
    return float(np.vdot(x, y)) / norm if norm > 0 else 0.0
