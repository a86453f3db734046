"""Filters that leave of two images what they have in common."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len

OVERSAMPLING = 2
LARGEST_COHERENCE = 0.95
"""Above this a frequency gets no more weight: the estimate of its coherence is no better."""

PADDING_PX = 32
BAND_ROWS = 512


@dataclass(frozen=True)
class Whitened:
    """A pair whose difference, once aligned, is as white and as small as filters can make it.

    Parameters
    ----------
    reference
        (Y, X).
    moving
        (k Y, k X), oversampled by ``oversampling`` = k: pixel j lies at (j + 0.5) / k - 0.5.
    oversampling
        Factor k.
    band
        Part of all frequencies that passes, 0 to 1.
    """

    reference: torch.Tensor
    moving: torch.Tensor
    oversampling: int
    band: float


def bin_pixels(image: torch.Tensor, factor: int) -> torch.Tensor:
    """Return the mean of (Y, X) over squares of ``factor`` pixels."""
    return F.avg_pool2d(image[None, None], factor)[0, 0]


def band_pass(image: torch.Tensor, narrow_px: float = 0.7, wide_px: float = 4.0) -> torch.Tensor:
    """Return the difference of two Gaussian blurs of (Y, X), scaled to a deviation of 1."""
    difference = _blur(image, narrow_px) - _blur(image, wide_px)
    return difference / (difference.std() + 1e-12)


def whiten(reference: torch.Tensor, moving: torch.Tensor, aligned: torch.Tensor) -> Whitened | None:
    """Filter a pair for the best estimate of what moves one image onto the other.

    Each spectrum is divided by its own radial amplitude, which makes both images equally sharp,
    and multiplied by the square root of c / (1 - c^2), c being the coherence of both at a radial
    frequency. For a shift of a random signal in noise this is the maximum-likelihood weight.

    Parameters
    ----------
    reference, moving
        (Y, X).
    aligned
        ``moving``, roughly aligned with the reference, from which the coherence is measured.

    Returns
    -------
    Whitened or None
        None where no frequency is coherent.

    References
    ----------
    Knapp & Carter, IEEE Trans. ASSP 24, 320 (1976), table I, the maximum-likelihood processor.
    """
    height, width = reference.shape
    gains = _gains(reference, aligned)
    if gains is None:
        return None
    padded = tuple(
        _even(int(next_fast_len(n + 2 * PADDING_PX, real=True))) for n in (height, width)
    )
    radius = _radius(padded, reference.device)
    spectra = []
    for image, gain in zip((reference, moving), gains[:2], strict=True):
        spectrum = torch.fft.rfft2(_pad(image, padded))
        spectrum *= _interpolate(gain, radius)
        spectra.append(spectrum)
    passed = _interpolate(gains[2], radius)
    band = float(passed.mean() ** 2 / passed.square().mean())
    k, p = OVERSAMPLING, PADDING_PX
    fixed = torch.fft.irfft2(spectra.pop(0), s=padded)[p : p + height, p : p + width]
    scale = float(fixed.std())
    # in place, as the oversampled image is the largest thing in memory
    free = _oversample(spectra.pop().div_(scale), padded)
    free = free[k * p : k * (p + height), k * p : k * (p + width)]
    return Whitened(fixed / scale, free, k, band)


def _gains(reference: torch.Tensor, aligned: torch.Tensor) -> list[torch.Tensor] | None:
    """Return by radial frequency the gain of either image, and the weight that both share."""
    height, width = reference.shape
    device = reference.device
    window = (
        torch.hann_window(height, periodic=False, device=device)[:, None]
        * torch.hann_window(width, periodic=False, device=device)[None]
    )
    a, b = torch.fft.rfft2(reference * window), torch.fft.rfft2(aligned * window)
    bins = min(64, min(height, width) // 8)
    index = (_radius((height, width), device) * 2 * bins).long().clamp(max=bins - 1).flatten()
    count = torch.bincount(index, minlength=bins)

    def radial_mean(values: torch.Tensor) -> torch.Tensor:
        return torch.bincount(index, values.flatten(), minlength=bins) / count

    power_a, power_b = radial_mean(a.abs().square()), radial_mean(b.abs().square())
    if not (power_a.min() > 0 and power_b.min() > 0):
        return None
    coherence = radial_mean((a * b.conj()).real) / torch.sqrt(power_a * power_b)
    # chance gives unrelated images a coherence of about one over the root of the count
    coherence[coherence < 4 / torch.sqrt(count)] = 0
    coherence[0] = 0  # brightness and haze
    coherence = coherence.clamp(max=LARGEST_COHERENCE)
    if not coherence.max() > 0:
        return None
    weight = torch.sqrt(coherence / (1 - coherence.square()))
    return [weight / torch.sqrt(power_a), weight / torch.sqrt(power_b), weight.square()]


def _oversample(spectrum: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Return the image of a half spectrum on a grid twice as fine, its edges in place.

    Axis by axis and the rows in bands: the whole fine spectrum would be the largest in memory.
    """
    k = OVERSAMPLING
    height, width = shape
    # fine pixel j lies at (j + 0.5) / k - 0.5, not at j / k: half a pixel less half a fine pixel
    delay = -2j * torch.pi * (k - 1) / 2
    device = spectrum.device
    tall = torch.zeros(k * height, width // 2 + 1, dtype=spectrum.dtype, device=device)
    tall[: height // 2] = spectrum[: height // 2]
    tall[-(height - height // 2) :] = spectrum[height // 2 :]
    tall *= torch.exp(delay * torch.fft.fftfreq(k * height, device=device))[:, None]
    tall = torch.fft.ifft(tall, dim=0)
    across = torch.exp(delay * torch.fft.rfftfreq(k * width, device=device))[: width // 2 + 1]
    fine = torch.empty(k * height, k * width, device=device)
    for first in range(0, k * height, BAND_ROWS):
        rows = slice(first, first + BAND_ROWS)
        fine[rows] = torch.fft.irfft(tall[rows] * across, n=k * width, dim=1)
    return fine.mul_(k * k)


def _radius(shape: tuple[int, ...], device: torch.device) -> torch.Tensor:
    """Return the frequency of every value of a half spectrum, in cycles a pixel."""
    y = torch.fft.fftfreq(shape[0], device=device)[:, None]
    return torch.sqrt(y**2 + torch.fft.rfftfreq(shape[1], device=device) ** 2)


def _interpolate(curve: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    """Return a radial curve, given at the middle of even bins up to 0.5, at other frequencies."""
    place = (radius * 2 * len(curve) - 0.5).clamp(0, len(curve) - 1)
    low = place.long().clamp(max=len(curve) - 2)
    part = (place - low).float()
    curve = curve.float()
    return curve[low] * (1 - part) + curve[low + 1] * part


def _pad(image: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Mirror an image at its borders, so that the filters meet no step there."""
    p = PADDING_PX
    below, right = (n - m - p for n, m in zip(shape, image.shape, strict=True))
    return F.pad(image[None, None], (p, right, p, below), mode="reflect")[0, 0]


def _even(n: int) -> int:
    return n + n % 2


def _blur(image: torch.Tensor, sigma_px: float) -> torch.Tensor:
    """Gaussian blur, mirrored at the borders."""
    radius = min(int(3 * sigma_px + 0.5), min(image.shape) - 1)
    place = torch.arange(-radius, radius + 1, device=image.device)
    kernel = torch.exp(-(place**2) / (2 * sigma_px**2))
    kernel = (kernel / kernel.sum())[None, None]
    padded = F.pad(image[None, None], (radius,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, kernel[:, :, None, :]), kernel[:, :, :, None])[0, 0]
