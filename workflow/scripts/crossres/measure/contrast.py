"""Signal-to-noise ratio of spots over an object-free background."""

from collections.abc import Iterator, Sequence

import numpy as np

from crossres.measure.measured import MeasuredImage
from crossres.measure.registry import Quantity, Value, measurement

SNR = Quantity("snr", "1", "SNR", column=20)


@measurement(SNR)
def spot_contrast(seen: MeasuredImage) -> Iterator[Value]:
    """Measure the fitted peaks of isolated spots over the pixels far from any spot.

    In volumes the distance from a spot counts along z in units of the spots' axial width.
    """
    spots = seen.settings.spots
    if spots is None:
        return
    clearance_px = spots.isolation_nm / 2 / seen.pixel_size_nm + spots.crop_px / 4
    in_widths = np.divide(seen.steps_nm, seen.spot_fwhm_nm)
    mask = object_free_mask(
        seen.image.shape, seen.spots_px, clearance_px, in_widths / in_widths[-1]
    )
    peaks = (seen.bead_fits.peak + seen.bead_fits.background).to_numpy()
    yield Value(SNR.name, signal_to_noise(seen.image, peaks, mask))


def signal_to_noise(
    image: np.ndarray, peak_values: np.ndarray, background_mask: np.ndarray
) -> float:
    """Return |s - b| / sigma_b.

    Parameters
    ----------
    image
        (Y, X) or (Z, Y, X) counts.
    peak_values
        Peaks of the Gaussian fits to the spots, background included, in counts; NaN are left
        out, and s is the mean of the rest.
    background_mask
        Of the same shape, bool, True where no object is; b and sigma_b are the mean and the
        standard deviation of the image there.

    Returns
    -------
    float
        NaN where there are no peaks or no background; inf where the background is constant.

    References
    ----------
    Huang et al. 2023, eq. 13; Wang et al. 2019, Supplementary Note 6.
    """
    peaks = np.asarray(peak_values, dtype=float)
    peaks = peaks[np.isfinite(peaks)]
    if len(peaks) == 0 or np.count_nonzero(background_mask) < 2:
        return float("nan")
    background = np.asarray(image, dtype=float)[background_mask]
    spread = float(np.std(background))
    signal = abs(float(np.mean(peaks)) - float(np.mean(background)))
    return signal / spread if spread > 0 else float("inf")


def object_free_mask(
    shape: Sequence[int],
    positions: np.ndarray,
    clearance_px: float,
    steps: Sequence[float] | np.ndarray | None = None,
) -> np.ndarray:
    """Return True where no object lies within ``clearance_px``.

    Parameters
    ----------
    shape
        ([Z,] Y, X).
    positions
        (N, 2) or (N, 3) centres of all objects, isolated or not.
    clearance_px
        Radius of the disc or ellipsoid cut out around each, in the unit of ``steps``.
    steps
        Length of a step along each axis; None where all are 1.
    """
    steps = np.ones(len(shape)) if steps is None else np.asarray(steps, dtype=float)
    mask = np.ones(tuple(shape), dtype=bool)
    reach = np.ceil(clearance_px / steps).astype(int)
    for centre in np.round(positions).astype(int):
        first = np.maximum(centre - reach, 0)
        window = mask[tuple(slice(a, b) for a, b in zip(first, centre + reach + 1, strict=True))]
        axes = np.ogrid[tuple(slice(a, a + n) for a, n in zip(first, window.shape, strict=True))]
        squares = [
            (step * (axis - c)) ** 2 for axis, c, step in zip(axes, centre, steps, strict=True)
        ]
        window[sum(squares[1:], squares[0]) <= clearance_px**2] = False
    return mask
