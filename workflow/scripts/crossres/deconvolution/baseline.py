"""A classical baseline as the workflow applies it: background, border, iterations."""

from collections.abc import Iterator

import numpy as np
import torch

from crossres.deconvolution.blur import pad_by_reflection
from crossres.deconvolution.registry import iterate
from crossres.preprocess import find_background


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

    The background is subtracted where asked, and the image is continued by reflection along
    every axis, so that neither a constant haze nor the border is deconvolved into structure.

    Parameters
    ----------
    method
        Name of a classical method.
    image
        (Y, X) or (Z, Y, X) counts.
    psf
        Of as many dimensions, sum 1, odd sides, centred.
    iterations
        How many estimates are yielded.
    parameter
        The method's parameter, such as the damping of Lucy-Richardson or the step of NNLS.
    background
        "find" subtracts the mean of the darkest square region, of all slices; "none" nothing.
    device
        Where to compute.

    Yields
    ------
    ndarray
        Shape of the image, float32, not negative.
    """
    image = np.asarray(image, dtype=np.float32)
    if background == "find":
        image = image - np.float32(find_background(image)[0])
    padded, window = pad_by_reflection(np.clip(image, 0, None), psf)
    for estimate in iterate(method, padded, psf, iterations, parameter, device):
        yield estimate[window]
