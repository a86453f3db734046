"""Where one image lies in another of different pixel size: the global match.

The result is a map from the reference to the moving image, in pixels of either:
q = A p + b, with pixel i centred at i. Ratio means pixel size of the reference over that of the
moving image: how many pixels of the moving image span one of the reference.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import affine_transform, gaussian_filter
from skimage.feature import match_template
from skimage.transform import resize

from crossres.registration.affine import estimate_affine
from crossres.registration.shift import fit_peak

SEARCH_PX = 224
"""Longest side of the images that are searched; the match is refined at the reference's pixels."""

LEAST_TEMPLATE_PX = 32
"""A smaller image would fit somewhere by chance."""

LARGEST_SCALE_ERROR = 0.05
LARGEST_ROTATION_DEGREE = 3.5
RATIO_STEP = 1.03
RATIO_SPAN = 4.0
CHANCE = 25.0
"""Five sigma; one in 25 pixels is independent."""

SURE = 0.7
"""Above this correlation nothing else is tried."""

BETTER = 0.1
"""Another ratio or orientation fits, rather than the nominal one, where it correlates this much
better."""

ORIENTATIONS = {
    "as it is": (False, 0),
    "rotated by 90 degrees counter-clockwise": (False, 1),
    "rotated by 180 degrees": (False, 2),
    "rotated by 90 degrees clockwise": (False, 3),
    "mirrored left to right": (True, 0),
    "mirrored left to right, then rotated by 90 degrees counter-clockwise": (True, 1),
    "mirrored top to bottom": (True, 2),
    "mirrored left to right, then rotated by 90 degrees clockwise": (True, 3),
}
"""Mirrored or not, then how many quarter turns counter-clockwise."""


@dataclass(frozen=True)
class FieldMatch:
    """Where the moving image lies in the reference.

    Parameters
    ----------
    matrix, offset
        (2, 2) A and (2,) b: the reference's pixel p lies at A p + b in the moving image.
    correlation
        Pearson's r of both in the overlap, band-passed, at the reference's pixel size.
    ratio
        Pixels of the moving image to one of the reference, as measured.
    rotation_degree
        Of the moving image against the reference, from x towards y.
    reason
        Why the match is not to be used; empty where it is.
    other
        True where the match is that of another ratio or orientation than the one given.
    """

    matrix: np.ndarray
    offset: np.ndarray
    correlation: float
    ratio: float
    rotation_degree: float
    reason: str = ""
    other: bool = False

    @property
    def values(self) -> dict[str, float]:
        """Columns of the registration table that say how the target was found."""
        return {
            "match_ratio": self.ratio,
            "match_rotation_degree": self.rotation_degree,
            "match_correlation": self.correlation,
        }


def match_field(
    reference: np.ndarray, moving: np.ndarray, ratio: float, min_correlation: float = 0.3
) -> FieldMatch:
    """Find where an image lies in another one, which is as large or larger.

    The nominal ratio is tried with magnifications and rotations of a few percent and degrees, by
    normalised cross-correlation, its peak fitted with a 2D Gaussian, then refined affinely. Ratios
    up to four times off, mirror images and quarter turns are tried as well: where one of them
    fits better, the match is refused and the reason says which.

    Parameters
    ----------
    reference, moving
        (Y, X) each, finite, of any shapes.
    ratio
        Nominal pixel size of the reference over that of the moving image.
    min_correlation
        A match that correlates less is none.

    Returns
    -------
    FieldMatch
        With its reason where it must not be used.

    References
    ----------
    Wang et al. 2019, Methods: match by fitting the normalised cross-correlation map to a 2D
    Gaussian.
    """
    search = _Search(reference, moving, ratio)
    best = search.best(
        [
            (1 + scale, turn, "as it is")
            for scale in np.linspace(-LARGEST_SCALE_ERROR, LARGEST_SCALE_ERROR, 6)
            for turn in np.linspace(-LARGEST_ROTATION_DEGREE, LARGEST_ROTATION_DEGREE, 8)
        ]
    )
    other = best
    if best.correlation < SURE:
        found = (search.other_ratios(), search.other_orientations())
        other = max(found, key=lambda candidate: candidate.correlation)
    if other.correlation > max(best.correlation + BETTER, min_correlation, other.by_chance):
        found_match = _as_match(search, other, _misfit(ratio, best, other))
        return replace(found_match, other=True)
    match = _refined(reference, moving, _as_match(search, best, ""))
    return replace(match, reason=_fault(match, ratio, min_correlation))


def place_in_field(
    match: FieldMatch, corner_px: tuple[int, int], ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the map from a field, cut from the reference and upsampled, to the moving image.

    Parameters
    ----------
    match
        Of the reference that the field was cut from.
    corner_px
        (y, x) of the field's first pixel in the reference.
    ratio
        Pixel size of the reference over that of the field.

    Returns
    -------
    tuple of ndarray
        (A, b): the field's pixel p lies at A p + b in the moving image.
    """
    # the field's pixel p lies at corner + (p + 0.5) / ratio - 0.5 in the reference
    first = np.asarray(corner_px) + 0.5 / ratio - 0.5
    return match.matrix / ratio, match.matrix @ first + match.offset


def _misfit(ratio: float, best: "_Candidate", other: "_Candidate") -> str:
    """Say what fits instead of the ratio and orientation given."""
    if other.orientation != "as it is":
        return (
            f"the target fits only once it is {other.orientation} (correlation "
            f"{other.correlation:.2f} rather than {max(best.correlation, 0):.2f}): correct its "
            "orientation before it is imported"
        )
    return (
        f"at the ratio of pixel sizes given, {ratio:.3g}, the target does not lie in the input "
        f"(correlation {max(best.correlation, 0):.2f}); at {ratio * other.scale:.3g} it does "
        f"({other.correlation:.2f}): correct the pixel sizes"
    )


def _fault(match: FieldMatch, ratio: float, min_correlation: float) -> str:
    """Return why a refined match must not be used, or an empty text."""
    scale_error = match.ratio / ratio - 1
    if match.correlation < min_correlation:
        return (
            f"the target does not lie in the input: the best place correlates by "
            f"{match.correlation:.2f}, registration.min_correlation is {min_correlation:g}"
        )
    if abs(scale_error) > LARGEST_SCALE_ERROR:
        return (
            f"the ratio of pixel sizes is {match.ratio:.4g}, {scale_error:+.1%} off the one given "
            f"({ratio:.4g}): correct the pixel sizes"
        )
    if abs(match.rotation_degree) > LARGEST_ROTATION_DEGREE:
        return (
            f"the target is rotated by {match.rotation_degree:.1f} degrees, more than "
            f"{LARGEST_ROTATION_DEGREE:g}: turn it back before it is imported"
        )
    return ""


@dataclass(frozen=True)
class _Candidate:
    """A place found by the search: its scale is relative to the nominal ratio."""

    correlation: float
    scale: float
    rotation_degree: float
    orientation: str
    corner: tuple[float, float] = (0.0, 0.0)
    template_shape: tuple[int, int] = (0, 0)

    @property
    def by_chance(self) -> float:
        """What unrelated images may correlate by at the best of so many places and scales."""
        height, width = self.template_shape
        return CHANCE / float(np.sqrt(max(1, height * width)))


class _Search:
    """Both images reduced to the same pixel size, and the correlation of any candidate."""

    def __init__(self, reference: np.ndarray, moving: np.ndarray, ratio: float) -> None:
        self.ratio = ratio
        self.reduction = max(1.0, max(reference.shape) / SEARCH_PX)
        self.moving_shape = moving.shape
        self.reference = _band_passed(_reduced(reference, self.reduction))
        # a moving image far larger than nominal is still tried at four times the nominal ratio
        self.step = min(self.reduction * ratio, max(moving.shape) / 32)
        self.moving = _reduced(moving, self.step)
        # the field may reach a little beyond the reference
        self.margin = tuple(n // 8 for n in self.reference.shape)
        self.padded = np.pad(self.reference, [(m, m) for m in self.margin])

    def best(self, candidates: list[tuple[float, float, str]]) -> _Candidate:
        """Return the best of (scale, rotation, orientation)."""
        found = [self._try(*candidate) for candidate in candidates]
        return max(found, key=lambda candidate: candidate.correlation)

    def other_ratios(self) -> _Candidate:
        """Return the best of ratios up to four times off, to half a percent."""
        steps = int(np.log(RATIO_SPAN) / np.log(RATIO_STEP))
        far = [n for n in range(-steps, steps + 1) if abs(RATIO_STEP**n - 1) > LARGEST_SCALE_ERROR]
        near = self.best([(RATIO_STEP**n, 0.0, "as it is") for n in far]).scale
        return self.best([(near * (1 + n / 200), 0.0, "as it is") for n in range(-3, 4)])

    def other_orientations(self) -> _Candidate:
        """Return the best of the mirror images and quarter turns."""
        return self.best([(1.0, 0.0, name) for name in ORIENTATIONS if name != "as it is"])

    def _try(self, scale: float, rotation_degree: float, orientation: str) -> _Candidate:
        nothing = _Candidate(-1.0, scale, rotation_degree, orientation)
        template = self._template(scale, rotation_degree, orientation)
        if template is None or template.std() == 0:
            return nothing
        ncc = match_template(self.padded, template)  # type: ignore[no-untyped-call]
        peak = np.unravel_index(int(np.argmax(ncc)), ncc.shape)
        at = (int(peak[0]), int(peak[1]))
        offset, _ = fit_peak(ncc, at)
        corner = tuple(p + o - m for p, o, m in zip(at, offset, self.margin, strict=True))
        return replace(
            nothing,
            correlation=float(ncc[at]),
            corner=corner,
            template_shape=template.shape,
        )

    def _template(self, scale: float, rotation_degree: float, name: str) -> np.ndarray | None:
        """Return the moving image as it would look in the reduced reference."""
        factor = self.reduction * self.ratio * scale / self.step
        mirrored, turns = ORIENTATIONS[name]
        image = np.rot90(self.moving[:, ::-1] if mirrored else self.moving, turns)
        shape = tuple(round(n / factor) for n in image.shape)
        too_large = any(n > m for n, m in zip(shape, self.padded.shape, strict=True))
        if too_large or min(shape) < LEAST_TEMPLATE_PX:
            return None
        if factor > 1:
            image = gaussian_filter(image, 0.4 * factor)
        matrix = _rotation(rotation_degree) * factor
        middle = (np.array(image.shape) - 1) / 2 - matrix @ ((np.array(shape) - 1) / 2)
        return _band_passed(affine_transform(image, matrix, middle, shape, order=1, mode="nearest"))


def _as_match(search: _Search, found: _Candidate, reason: str) -> FieldMatch:
    """Return a candidate as a match in whole pixels of both images."""
    ratio = search.ratio * found.scale
    matrix = _rotation(found.rotation_degree) * ratio
    # the middle of the template is the middle of the moving image; edges lie at half pixels
    middle = np.array(found.corner) + np.array(found.template_shape) / 2 - 0.5
    middle = (middle + 0.5) * search.reduction - 0.5
    offset = (np.array(search.moving_shape) - 1) / 2 - matrix @ middle
    return FieldMatch(matrix, offset, found.correlation, ratio, found.rotation_degree, reason)


def _refined(reference: np.ndarray, moving: np.ndarray, match: FieldMatch) -> FieldMatch:
    """Refine a match affinely at the reference's pixel size, where both overlap."""
    inverse = np.linalg.inv(match.matrix)
    corners = np.array([[y, x] for y in (0, moving.shape[0] - 1) for x in (0, moving.shape[1] - 1)])
    places = (corners - match.offset) @ inverse.T
    low = np.clip(np.ceil(places.min(axis=0)), 0, None).astype(int)
    high = np.minimum(np.floor(places.max(axis=0)).astype(int) + 1, reference.shape)
    if np.any(high - low < 32):
        return match
    fixed = np.asarray(reference[low[0] : high[0], low[1] : high[1]], np.float32)
    smooth = gaussian_filter(np.asarray(moving, np.float32), 0.4 * max(match.ratio, 1.0))
    free = affine_transform(
        smooth, match.matrix, match.matrix @ low + match.offset, fixed.shape, order=1
    )
    fixed, free = _band_passed(fixed), _band_passed(free)
    found = estimate_affine(fixed, free, initial_shift_px=(0.0, 0.0))
    # warped[p] = free[p - d(p)]: the moving image is read at A (p - d(p)) + b
    middle = (np.array(fixed.shape) - 1) / 2 + low
    matrix = match.matrix @ (np.eye(2) - found.matrix)
    offset = match.offset + match.matrix @ (found.matrix @ middle - found.shift_px)
    ratio = float(np.sqrt(abs(np.linalg.det(matrix))))
    rotation = float(np.degrees(np.arctan2(matrix[0, 1] - matrix[1, 0], np.trace(matrix))))
    if not found.correlation > 0:
        return match
    return FieldMatch(matrix, offset, found.correlation, ratio, rotation)


def _rotation(degree: float) -> np.ndarray:
    """Return the matrix that turns (y, x) by an angle, from x towards y."""
    c, s = np.cos(np.deg2rad(degree)), np.sin(np.deg2rad(degree))
    return np.array([[c, s], [-s, c]])


def _reduced(image: np.ndarray, factor: float) -> np.ndarray:
    """Return an image at ``factor`` times its pixel size, its edges staying in place."""
    image = np.asarray(image, np.float32)
    if factor <= 1:
        return image
    shape = tuple(max(1, round(n / factor)) for n in image.shape)
    options = {"order": 1, "anti_aliasing": True, "preserve_range": True}
    reduced: np.ndarray = resize(image, shape, **options)  # type: ignore[no-untyped-call]
    return reduced


def _band_passed(image: np.ndarray) -> np.ndarray:
    """Return what lies between a blur of 1 and one of 6 pixels: neither noise nor haze."""
    image = np.asarray(image, np.float32)
    between: np.ndarray = gaussian_filter(image, 1.0) - gaussian_filter(image, 6.0)
    return between
