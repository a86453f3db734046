"""The forward model of deconvolution: convolution with a PSF, and its adjoint, by FFT."""

from collections.abc import Callable

import numpy as np
from scipy.fft import irfftn, next_fast_len, rfftn

Operator = Callable[[np.ndarray], np.ndarray]


def blur_operators(
    shape: tuple[int, ...], psf: np.ndarray, dtype: np.dtype, workers: int = 1
) -> tuple[Operator, Operator]:
    """Return convolution with a PSF ("same" size, zeros outside) and its adjoint.

    The transform of the PSF is computed once. An odd PSF is centred on its middle pixel; an
    even one on pixel (n - 1) // 2, as ``scipy.signal.convolve(mode="same")`` has it.

    Parameters
    ----------
    shape
        Of the images.
    psf
        Of as many dimensions.
    dtype
        float32 or float64: the precision of the transforms.
    workers
        Threads of the transforms.

    Returns
    -------
    tuple of callables
        H and its transpose, both mapping images to images of the same shape.
    """
    full = [n + m - 1 for n, m in zip(shape, psf.shape, strict=True)]
    padded = tuple(next_fast_len(n, real=True) for n in full)
    spectrum = rfftn(psf.astype(dtype), padded, workers=workers)
    forward_start = [(m - 1) // 2 for m in psf.shape]

    def crop(array: np.ndarray, start: list[int]) -> np.ndarray:
        return array[tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))]

    def blur(image: np.ndarray) -> np.ndarray:
        product = rfftn(image, padded, workers=workers)
        product *= spectrum
        return crop(irfftn(product, padded, workers=workers, overwrite_x=True), forward_start)

    def adjoint(image: np.ndarray) -> np.ndarray:
        # correlation: the image is laid where "same" had cropped it from
        laid = np.zeros(padded, dtype=dtype)
        crop(laid, forward_start)[...] = image
        product = rfftn(laid, workers=workers, overwrite_x=True)
        product *= np.conj(spectrum)
        return crop(
            irfftn(product, padded, workers=workers, overwrite_x=True), [0] * len(shape)
        )

    return blur, adjoint


def pad_by_reflection(image: np.ndarray, psf: np.ndarray) -> tuple[np.ndarray, tuple[slice, ...]]:
    """Return the image continued by half a PSF on every side, and the window of the original.

    Deconvolving an image with light at its border against zeros outside gives a bright frame;
    continued by its mirror image, and cropped afterwards, it does not.
    """
    half = [min(m // 2, n - 1) for m, n in zip(psf.shape, image.shape, strict=True)]
    padded = np.pad(image, [(h, h) for h in half], mode="reflect")
    return padded, tuple(slice(h, h + n) for h, n in zip(half, image.shape, strict=True))
