"""Drift along a sequence of frames, by cross-correlating more pairs than there are unknowns."""

import numpy as np

from crossres.registration.shift import locate_correlation_peak

LAGS = (1, 2, 4, 8, 16, 32)
"""Frames are compared with those so many frames later: neighbours are alike, distant pairs keep
small errors from adding up."""

LEAST_CORRELATION = 0.1
OUTLIER_PX = 3.0


def estimate_drift(frames: np.ndarray, max_shift_px: int | None = None) -> np.ndarray:
    """Estimate how far every frame of a sequence has drifted from the first.

    Every frame is compared with those 1, 2, 4, 8, 16 and 32 frames later; the positions are the
    least squares of all comparisons, each weighted by its correlation. A comparison that
    contradicts the others by more than 3 px and three times their spread is left out.

    Parameters
    ----------
    frames
        (T, Y, X), finite.
    max_shift_px
        Largest shift looked for between two compared frames, along an axis.

    Returns
    -------
    ndarray
        (T, 2) float64, (dy, dx) in pixels: frame t shows at [y + dy, x + dx] what the first shows
        at [y, x]. The drift is undone by ``apply_shift(frame, -drift)``.

    Raises
    ------
    ValueError
        Not a sequence, or a frame that no other resembles.

    References
    ----------
    Wang et al., Opt. Express 22, 15982 (2014): redundant cross-correlation.
    """
    if frames.ndim != 3:
        raise ValueError(f"expected (T, Y, X), got {frames.shape}")
    pairs, shifts, weights = [], [], []
    for lag in LAGS:
        for first in range(0, len(frames) - lag):
            found = locate_correlation_peak(frames[first + lag], frames[first], max_shift_px)
            if found.correlation >= LEAST_CORRELATION:
                pairs.append((first, first + lag))
                shifts.append(found.shift_px)
                weights.append(found.correlation)
    return _positions(len(frames), np.array(pairs), np.array(shifts), np.array(weights))


def _positions(
    count: int, pairs: np.ndarray, shifts: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return each frame's position by weighted least squares, the first at 0."""
    if count == 1:
        return np.zeros((1, 2))
    kept = np.ones(len(pairs), dtype=bool)
    for _ in range(2):
        alone = sorted(set(range(count)) - set(pairs[kept].ravel() if len(pairs) else ()))
        if alone:
            raise ValueError(f"frame {alone[0]} resembles no other frame")
        design = np.zeros((len(pairs), count))
        rows = np.arange(len(pairs))
        design[rows, pairs[:, 1]], design[rows, pairs[:, 0]] = 1.0, -1.0
        root = np.sqrt(weights * kept)[:, None]
        solved = np.linalg.lstsq(root * design[:, 1:], root * shifts, rcond=None)[0]
        positions = np.concatenate([np.zeros((1, 2)), solved])
        misfit = np.linalg.norm(design @ positions - shifts, axis=1)
        kept = misfit <= max(OUTLIER_PX, 3 * float(np.median(misfit)))
    return positions
