"""Signal-to-noise ratio of spots over an object-free background."""

import numpy as np


def signal_to_noise(
    image: np.ndarray, peak_values: np.ndarray, background_mask: np.ndarray
) -> float:
    """Return |s - b| / sigma_b.

    Parameters
    ----------
    image
        (Y, X) counts.
    peak_values
        Peaks of the Gaussian fits to the spots, background included, in counts; NaN are left
        out, and s is the mean of the rest.
    background_mask
        (Y, X) bool, True where no object is; b and sigma_b are the mean and the standard
        deviation of the image there.

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
    shape: tuple[int, int], positions: np.ndarray, clearance_px: float
) -> np.ndarray:
    """Return True where no object lies within ``clearance_px``.

    Parameters
    ----------
    shape
        (Y, X).
    positions
        (N, 2) centres of all objects, isolated or not.
    clearance_px
        Radius of the disc cut out around each.
    """
    mask = np.ones(shape, dtype=bool)
    reach = int(np.ceil(clearance_px))
    for y, x in np.round(positions).astype(int):
        top, left = max(0, y - reach), max(0, x - reach)
        window = mask[top : y + reach + 1, left : x + reach + 1]
        v, u = np.ogrid[top : top + window.shape[0], left : left + window.shape[1]]
        window[(v - y) ** 2 + (u - x) ** 2 <= clearance_px**2] = False
    return mask
