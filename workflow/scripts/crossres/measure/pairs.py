"""Close pairs of spots: intensity profiles through both, and whether they are resolved."""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates
from scipy.spatial import cKDTree

from crossres.measure.measured import MeasuredImage
from crossres.measure.registry import Quantity, Value, measurement

SAMPLES_PER_PX = 5
LEAST_DIP = 0.2
LEAST_HEIGHT = 0.3
"""Two maxima count as resolved where the dip between them is at least a fifth of the lower, and
the lower at least 0.3 of the higher, both above the profile's minimum."""
SPLINE_REACH_PX = 24
"""Beyond so many pixels a value changes a cubic spline by less than 1e-13 of itself."""

PROFILE_BEYOND_PX = 8.0
"""How far a profile reaches beyond both spots."""

DISTANCE = Quantity("peak_to_peak_nm", "nm", "distance of both maxima")
ANGLE = Quantity("angle_degree", "degree", "angle of the pair")


@measurement(DISTANCE, ANGLE, dims=(2,))
def pair_distances(seen: MeasuredImage) -> Iterator[Value]:
    """Measure the distance of the two maxima of each close pair, NaN where it is not resolved."""
    spots = seen.settings.spots
    if spots is None:
        return
    found, pixel_nm = seen.spots_px, seen.pixel_size_nm
    least_px, greatest_px = (nm / pixel_nm for nm in spots.pair_distance_nm)
    for number, (i, j) in enumerate(find_pairs(found, least_px, greatest_px)):
        where = (f"pair_{number}", seen.place_nm((found[i] + found[j]) / 2))
        profile = pair_profile(seen.image, found[i], found[j], PROFILE_BEYOND_PX)
        distance_px = peak_to_peak(*profile, spots.fwhm_nm / pixel_nm)
        yield Value(DISTANCE.name, distance_px * pixel_nm, *where)
        angle = float(np.degrees(np.arctan2(*(found[j] - found[i]))))
        yield Value(ANGLE.name, angle, *where)


def find_pairs(positions: np.ndarray, least_px: float, greatest_px: float) -> np.ndarray:
    """Return (N, 2) indices of positions that are each other's only neighbour at a close distance.

    Parameters
    ----------
    positions
        (M, 2) in pixels.
    least_px, greatest_px
        Distance within a pair. No third position lies within twice the greatest distance.
    """
    if len(positions) < 2:
        return np.empty((0, 2), dtype=int)
    tree = cKDTree(positions)
    pairs = tree.query_pairs(greatest_px, output_type="ndarray")
    kept = []
    for i, j in pairs:
        if np.linalg.norm(positions[i] - positions[j]) < least_px:
            continue
        middle = (positions[i] + positions[j]) / 2
        if len(tree.query_ball_point(middle, 2 * greatest_px)) == 2:
            kept.append((i, j))
    return np.asarray(sorted(kept), dtype=int).reshape(-1, 2)


def pair_profile(
    image: np.ndarray, first: np.ndarray, second: np.ndarray, beyond_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """Sample an image along the line through two positions, averaged over three pixels' width.

    Parameters
    ----------
    image
        (Y, X).
    first, second
        (y, x) in pixels.
    beyond_px
        How far the line reaches beyond both.

    Returns
    -------
    distance_px, value : ndarray
        Distance from the middle of the pair, and the image there (cubic interpolation).
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    length = float(np.linalg.norm(second - first))
    along = (second - first) / length
    across = np.array([-along[1], along[0]])
    reach = length / 2 + beyond_px
    distance = np.linspace(-reach, reach, int(2 * reach * SAMPLES_PER_PX) + 1)
    middle = (first + second) / 2
    places = np.stack([
        (middle + offset * across)[:, None] + along[:, None] * distance
        for offset in (-1.0, 0.0, 1.0)
    ], axis=1)  # fmt: skip
    # the spline of a part of the image, so far around that nothing changes
    corner = np.maximum(places.min(axis=(1, 2)).astype(int) - SPLINE_REACH_PX, 0)
    end = places.max(axis=(1, 2)).astype(int) + SPLINE_REACH_PX
    part = np.asarray(image, np.float64)[corner[0] : end[0], corner[1] : end[1]]
    lines = map_coordinates(part, places - corner[:, None, None], order=3, mode="nearest")
    return distance, lines.mean(axis=0)


def peak_to_peak(distance_px: np.ndarray, value: np.ndarray, spot_fwhm_px: float) -> float:
    """Return the distance of a profile's two maxima, NaN where it does not resolve two spots.

    The profile is smoothed by a Gaussian of half the spots' width, which leaves two spots two
    and noise none. Its highest maximum on either side of the middle counts; the lower must reach
    0.3 of the higher, and the dip between them must be a fifth of the lower one.

    Parameters
    ----------
    distance_px, value
        As :func:`pair_profile` returns them, 0 in the middle of the pair.
    spot_fwhm_px
        Expected full width at half maximum of one spot in the target.
    """
    step = distance_px[1] - distance_px[0]
    level = gaussian_filter1d(value - value.min(), spot_fwhm_px / 2 / 2.355 / step)
    maxima = np.flatnonzero((level[1:-1] >= level[:-2]) & (level[1:-1] > level[2:])) + 1
    left, right = maxima[distance_px[maxima] < 0], maxima[distance_px[maxima] > 0]
    if len(left) == 0 or len(right) == 0:
        return float("nan")
    a, b = left[np.argmax(level[left])], right[np.argmax(level[right])]
    lower = min(level[a], level[b])
    dip = 1 - level[a : b + 1].min() / max(lower, 1e-12)
    # a faint second spot must still rise above what noise leaves beside the first
    seen = lower > LEAST_HEIGHT * level.max() and dip >= LEAST_DIP
    return float(distance_px[b] - distance_px[a]) if seen else float("nan")
