"""Affine registration of images and volumes: shift, rotation, magnification and shear.

The displacement is linear in the place, d(p) = B (p - c) + t with c the middle of the reference:
what moves ``moving`` onto ``reference``, as in :mod:`crossres.registration.warping`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from crossres.registration.shift import LEAST_OVERLAP, normalised_cross_correlation

BLURS_PX = (4.0, 2.0, 1.0)
ITERATIONS = 15
SETTLED_PX = 1e-3
HALVES_PX = 32
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
        (N,) root mean square error of the displacement over the image, along each axis: half the
        difference between the estimates of the two halves of the data. Infinite where the images
        do not overlap.
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
    Lucas & Kanade, IJCAI 1981. Chen et al. 2021, Methods: training volumes of confocal and STED
    are registered affinely.
    """
    if reference.shape != moving.shape:
        raise ValueError(f"shapes differ: {reference.shape} and {moving.shape}")
    if model not in ("affine", "shift"):
        raise ValueError(f"model is {model!r}; it can be affine or shift")
    if initial_shift_px is None:
        initial_shift_px = correlation_shift(reference, moving)
    dims = reference.ndim
    matrix, shift = np.zeros((dims, dims)), np.asarray(initial_shift_px, dtype=float)
    errors = np.full(dims, np.inf)
    for blur_px in BLURS_PX:
        a, b = (_band_pass(np.asarray(image, np.float32), blur_px) for image in (reference, moving))
        misfit = _misfit(a, b, matrix, shift)
        for _ in range(ITERATIONS):
            step, halves = _gauss_newton_step(a, b, matrix, shift, model)
            # a step too far is halved: few planes of a sparse volume are far from linear
            for size in STEP_SIZES:
                trial = matrix + size * step[0], shift + size * step[1]
                new = _misfit(a, b, *trial)
                if new < misfit:
                    break
            else:
                break
            matrix, shift = trial
            misfit = new
            if size * np.linalg.norm(_rms(*step, reference.shape)) < SETTLED_PX:
                break
        (slope, move), (other_slope, other_move) = halves
        errors = _rms(slope - other_slope, move - other_move, reference.shape) / 2
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


def _rms(matrix: np.ndarray, shift: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the root mean square of an affine displacement over an image, along each axis."""
    variance = (np.square(shape) - 1) / 12  # of a pixel's place along each axis
    return np.sqrt(shift**2 + matrix**2 @ variance)


def _band_pass(image: np.ndarray, blur_px: float) -> np.ndarray:
    """Return the image between two blurs, an axis of few planes blurred less."""
    narrow = [min(blur_px, n / 16) for n in image.shape]
    wide = [6 * sigma for sigma in narrow]
    result = gaussian_filter(image, narrow) - gaussian_filter(image, wide)
    scaled: np.ndarray = result / (result.std() + 1e-12)
    return scaled


def _moved(
    image: np.ndarray, matrix: np.ndarray, shift: np.ndarray, order: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the moved image and where it comes from inside of the original."""
    places = np.indices(image.shape, dtype=np.float32) - _linear(matrix, shift, image.shape)
    inside = np.all(
        [(p >= 0) & (p <= n - 1) for p, n in zip(places, image.shape, strict=True)], axis=0
    )
    return map_coordinates(image, places, order=order, mode="nearest"), inside


def _misfit(fixed: np.ndarray, free: np.ndarray, matrix: np.ndarray, shift: np.ndarray) -> float:
    """Return 1 less the correlation of the overlap, infinite where less than a tenth is left."""
    moved, inside = _moved(free, matrix, shift, order=1)
    if inside.mean() < 0.1:
        return float("inf")
    a, b = fixed[inside], moved[inside]
    return 1 - float(np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b) + 1e-30))


def _gauss_newton_step(
    fixed: np.ndarray, free: np.ndarray, matrix: np.ndarray, shift: np.ndarray, model: str
) -> tuple[tuple[np.ndarray, np.ndarray], list[tuple[np.ndarray, np.ndarray]]]:
    """Return the step (matrix, shift), and those that each half of the data asks for."""
    moved, inside = _moved(free, matrix, shift, order=3)
    gain = float((moved * fixed * inside).sum() / ((moved**2 * inside).sum() + 1e-12))
    residual = ((gain * moved - fixed) * inside).astype(np.float32)
    # the mean of both gradients converges faster than either (Benhimane & Malis, IROS 2004)
    gradients = np.gradient((fixed + gain * moved) / 2)
    middle = [np.arange(n, dtype=np.float32) - (n - 1) / 2 for n in fixed.shape]
    axes = np.meshgrid(*middle, indexing="ij", sparse=True)
    columns = []
    for gradient in gradients:
        gradient = gradient * inside
        columns.append(gradient.ravel())
        if model == "affine":
            columns += [(gradient * axis).ravel() for axis in axes]
    design = np.stack(columns)
    halves = _checkerboard(fixed.shape).ravel()
    normal, pull = [], []
    for half in (halves, ~halves):
        part = design[:, half]
        normal.append((part @ part.T).astype(np.float64))
        pull.append((part @ residual.ravel()[half]).astype(np.float64))
    dims = fixed.ndim

    def solved(n: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = np.linalg.lstsq(n, b, rcond=1e-10)[0].reshape(dims, -1)
        slope = found[:, 1:] if model == "affine" else np.zeros((dims, dims))
        return slope, found[:, 0]

    steps = [solved(n, b) for n, b in zip(normal, pull, strict=True)]
    return solved(normal[0] + normal[1], pull[0] + pull[1]), steps


def _checkerboard(shape: tuple[int, ...]) -> np.ndarray:
    """Return a mask of half the pixels, in squares of the last two axes."""
    side = max(4, min(HALVES_PX, min(shape[-2:]) // 4))
    y, x = (np.arange(n) // side for n in shape[-2:])
    return np.broadcast_to((y[:, None] + x) % 2 == 0, shape)


def _agreement(
    reference: np.ndarray, moving: np.ndarray, matrix: np.ndarray, shift: np.ndarray
) -> tuple[float, tuple[float, ...]]:
    """Return Pearson's r of the overlap, and how far it reaches along each axis."""
    moved, inside = _moved(np.asarray(moving, np.float32), matrix, shift, order=1)
    dims = range(reference.ndim)
    overlap = tuple(
        float(inside.any(axis=tuple(other for other in dims if other != axis)).mean())
        for axis in dims
    )
    a, b = np.asarray(reference, np.float64)[inside], moved[inside].astype(np.float64)
    if a.size < 2 or a.std() == 0 or b.std() == 0:
        return 0.0, overlap
    return float(np.corrcoef(a, b)[0, 1]), overlap
