"""Affine registration of images and volumes: shift, rotation, magnification and shear.

The displacement is linear in the place, d(p) = B (p - c) + t with c the middle of the reference:
what moves ``moving`` onto ``reference``, as in :mod:`crossres.registration.warping`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, spline_filter

from crossres.registration.affine_steps import Model, Step, make_step, rms, square_blocks
from crossres.registration.shift import LEAST_OVERLAP, normalised_cross_correlation

BLURS_PX = (4.0, 2.0, 1.0)
ITERATIONS = 15
SETTLED_PX = 1e-3
BLOCK_PX = 32
STEP_SIZES = (1.0, 0.5, 0.25, 0.125)


@dataclass(frozen=True)
class AffineEstimate:
    """An affine displacement with what says how far to believe it.

    Parameters
    ----------
    matrix
        (N, N) B above, 0 for a shift alone.
    shift_px
        (N,) t above: the displacement at the middle of the reference.
    errors_px
        (N,) root mean square error of the displacement over the image, along each axis: the
        jackknife over blocks of the data. Infinite where the images do not overlap or agree.
    correlation
        Pearson's r of the overlap after the move.
    overlap
        Part of the reference that the moved image covers, along each axis.
    """

    matrix: np.ndarray
    shift_px: np.ndarray
    errors_px: np.ndarray
    correlation: float
    overlap: tuple[float, ...]

    @property
    def error_px(self) -> float:
        """Root mean square length of the error, every axis in its own pixels."""
        return float(np.linalg.norm(self.errors_px))

    def displacement(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the field (N, ...) float32 on a reference of some shape."""
        return _linear(self.matrix, self.shift_px, shape)


def estimate_affine(
    reference: np.ndarray,
    moving: np.ndarray,
    *,
    model: str = "affine",
    initial_shift_px: tuple[float, ...] | None = None,
    margins_px: tuple[float, ...] | None = None,
    damped: bool = False,
) -> AffineEstimate:
    """Estimate the affine displacement that moves one image or volume onto another.

    Starts from the peak of the normalised cross-correlation, then takes Gauss-Newton steps on
    both images band-passed, from a coarse blur to a fine one.

    Parameters
    ----------
    reference, moving
        ([Z, ]Y, X) of one shape, finite. Few planes are no obstacle: a volume's z axis is blurred
        less, and its shift is found to a fraction of a plane.
    model
        "affine", or "shift" for the translation alone.
    initial_shift_px
        Where to start instead.
    margins_px
        Border of either that is not compared, along each axis; none by default.
    damped
        Hold the matrix at 0 by a prior, of the weight that predicts blocks of the data from the
        others best: few structures that show no deformation give a shift alone.

    Returns
    -------
    AffineEstimate
        The estimate; how good it is stands in it, nothing is refused here.

    Raises
    ------
    ValueError
        Shapes differ, or the model is unknown.

    References
    ----------
    Lucas & Kanade, IJCAI 1981. Efron, The Jackknife, 1982. Chen et al. 2021, Methods: training
    volumes of confocal and STED are registered affinely.
    """
    if reference.shape != moving.shape:
        raise ValueError(f"shapes differ: {reference.shape} and {moving.shape}")
    if model not in ("affine", "shift"):
        raise ValueError(f"model is {model!r}; it can be affine or shift")
    if initial_shift_px is None:
        initial_shift_px = correlation_shift(reference, moving)
    dims = reference.ndim
    margins_px = margins_px or (0.0,) * dims
    matrix, shift = np.zeros((dims, dims)), np.asarray(initial_shift_px, dtype=float)
    errors = np.full(dims, np.inf)
    blocks = square_blocks(reference.shape, BLOCK_PX)
    for blur_px in BLURS_PX:
        fixed, free = (
            _band_pass(np.asarray(image, np.float32), blur_px) for image in (reference, moving)
        )
        pair = _Pair(fixed, free, margins_px)
        misfit = pair.misfit(matrix, shift)
        for _ in range(ITERATIONS):
            step = pair.step((matrix, shift), blocks, model == "affine")
            ridge = step.best_ridge() if damped and model == "affine" else 0.0
            by = step.solved(ridge, dims)
            before = misfit + step.penalty(matrix, ridge)
            # a step too far is halved: few planes of a sparse volume are far from linear
            for size in STEP_SIZES:
                trial = matrix + size * by[0], shift + size * by[1]
                new = pair.misfit(*trial)
                if new + step.penalty(trial[0], ridge) < before:
                    break
            else:
                break
            matrix, shift = trial
            misfit = new
            if size * np.linalg.norm(rms(*by, reference.shape)) < SETTLED_PX:
                break
        # what does not correlate has no peak whose place could be known
        errors = step.errors(ridge, reference.shape) if misfit < 1 else np.full(dims, np.inf)
    correlation, overlap = _agreement(reference, moving, matrix, shift)
    errors = errors if all(overlap) else np.full(dims, np.inf)
    return AffineEstimate(matrix, shift, errors, correlation, overlap)


def correlation_shift(
    reference: np.ndarray, moving: np.ndarray, max_shift_px: tuple[int, ...] | None = None
) -> tuple[float, ...]:
    """Return the whole-pixel shift at the most significant normalised cross-correlation.

    A correlation counts as the root of the volume that it was taken over: chance makes high ones
    where little overlaps.

    Parameters
    ----------
    reference, moving
        ([Z, ]Y, X) of one shape.
    max_shift_px
        Largest shift looked for along each axis; by default as far as 30 % of it overlaps.
    """
    reach = [int((1 - LEAST_OVERLAP) * n) for n in reference.shape]
    if max_shift_px is not None:
        reach = [min(most, asked) for most, asked in zip(reach, max_shift_px, strict=True)]
    correlation = normalised_cross_correlation(reference, moving, reach)
    for axis, (n, m) in enumerate(zip(reference.shape, reach, strict=True)):
        part = 1 - np.abs(np.arange(-m, m + 1)) / n
        correlation *= np.sqrt(part).reshape(
            [-1 if a == axis else 1 for a in range(reference.ndim)]
        )
    peak = np.unravel_index(int(np.argmax(correlation)), correlation.shape)
    return tuple(float(p - m) for p, m in zip(peak, reach, strict=True))


def _linear(matrix: np.ndarray, shift: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return B (p - c) + t at every pixel, (N, ...) float32."""
    axes = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij", sparse=True)
    fields = [
        sum((row[j] * axes[j] for j in range(len(shape))), start=np.full(shape, t))
        for row, t in zip(matrix, shift, strict=True)
    ]
    return np.stack(fields).astype(np.float32)


def _band_pass(image: np.ndarray, blur_px: float) -> np.ndarray:
    """Return the image between two blurs, an axis of few planes blurred less."""
    narrow = [min(blur_px, n / 16) for n in image.shape]
    wide = [6 * sigma for sigma in narrow]
    result = gaussian_filter(image, narrow) - gaussian_filter(image, wide)
    scaled: np.ndarray = result / (result.std() + 1e-12)
    return scaled


def _moved(
    image: np.ndarray, matrix: np.ndarray, shift: np.ndarray, order: int, prefilter: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return the moved image, and the places (N, ...) of the original that it shows."""
    places = np.indices(image.shape, dtype=np.float32) - _linear(matrix, shift, image.shape)
    moved = map_coordinates(image, places, order=order, mode="nearest", prefilter=prefilter)
    return moved, places


def _inside(places: np.ndarray, shape: tuple[int, ...], margins_px: Sequence[float]) -> np.ndarray:
    """Return which places lie within an image less its margins."""
    limits = zip(places, shape, margins_px, strict=True)
    within: np.ndarray = np.all([(p >= m) & (p <= n - 1 - m) for p, n, m in limits], axis=0)
    return within


class _Pair:
    """Two band-passed images, and the part of them that is compared."""

    def __init__(self, fixed: np.ndarray, free: np.ndarray, margins_px: Sequence[float]) -> None:
        self.fixed, self.free, self.margins_px = fixed, free, margins_px
        self.coefficients = spline_filter(free, order=3, mode="nearest", output=np.float32)
        self.within = _inside(np.indices(fixed.shape), fixed.shape, margins_px)

    def misfit(self, matrix: np.ndarray, shift: np.ndarray) -> float:
        """Return 1 less the correlation of the overlap, infinite where under a tenth is left."""
        moved, places = _moved(self.free, matrix, shift, order=1)
        inside = self.within & _inside(places, self.fixed.shape, self.margins_px)
        if inside.mean() < 0.1 * self.within.mean():
            return float("inf")
        a, b = self.fixed[inside], moved[inside]
        return 1 - float(np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b) + 1e-30))

    def step(self, start: Model, blocks: np.ndarray, affine: bool) -> Step:
        """Return the step that a matrix and shift ask for next."""
        moved, places = _moved(self.coefficients, *start, order=3, prefilter=False)
        inside = self.within & _inside(places, self.fixed.shape, self.margins_px)
        return make_step(self.fixed, moved, inside, blocks, start, affine)


def _agreement(
    reference: np.ndarray, moving: np.ndarray, matrix: np.ndarray, shift: np.ndarray
) -> tuple[float, tuple[float, ...]]:
    """Return Pearson's r of the overlap, and how far it reaches along each axis."""
    moved, places = _moved(np.asarray(moving, np.float32), matrix, shift, order=1)
    inside = _inside(places, reference.shape, (0.0,) * reference.ndim)
    dims = range(reference.ndim)
    overlap = tuple(
        float(inside.any(axis=tuple(other for other in dims if other != axis)).mean())
        for axis in dims
    )
    a, b = np.asarray(reference, np.float64)[inside], moved[inside].astype(np.float64)
    if a.size < 2 or a.std() == 0 or b.std() == 0:
        return 0.0, overlap
    return float(np.corrcoef(a, b)[0, 1]), overlap
