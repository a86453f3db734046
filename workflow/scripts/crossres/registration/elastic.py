"""Elastic registration: the smooth displacement field under which two images agree best.

Both images are filtered so that what they have in common counts and what they have not (blur,
haze, noise) does not; then a field of cubic B-splines is fitted to all pixels at once by
Gauss-Newton steps, from coarse to fine. How smooth the field should be is read from the data, and
so is how far it can be trusted. The published scheme, which moves blocks one by one, is
:mod:`crossres.registration.blocks`; docs/registration.md compares the two.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from crossres.registration.control_grid import ControlGrid
from crossres.registration.filters import Whitened, band_pass, bin_pixels, whiten
from crossres.registration.sampling import sample
from crossres.registration.warping import warp

SPACING_PX = 48
COARSE_SPACING_PX = 128
COARSE_BINNINGS = (8, 4, 2)
CELL_PX = 8
LEAST_LEVEL_PX = 32
BORDER_PX = 4
BAND_CELLS = 64
SMOOTHNESS = tuple(10.0**n for n in range(4, -4, -1))
"""Weights of the roughness that are tried; more would drown the data in float32."""
BLOCK_PX = 64
TOLERANCE_PX = 1.0
"""A block has texture if it can be located to this many px."""


@dataclass(frozen=True)
class ElasticEstimate:
    """A displacement field with what says how far to believe it.

    Parameters
    ----------
    displacement
        (2, Y, X) float32: what moves ``moving`` onto ``reference``, in pixels; warped[p] is
        moving[p - displacement(p)].
    error_px
        (Y, X) float32 estimated length of the field's error: half the difference between the
        fields that the two halves of the data ask for. Infinite where nothing could be fitted.
    texture
        Part of the field's 64-px blocks that could be located to a pixel by themselves.
    """

    displacement: np.ndarray
    error_px: np.ndarray
    texture: float

    @property
    def rms_px(self) -> float:
        """Root mean square of the estimated error."""
        return float(np.sqrt(np.mean(np.square(self.error_px, dtype=np.float64))))

    @property
    def p95_px(self) -> float:
        """Estimated error that 95 % of the pixels stay below."""
        return float(np.percentile(self.error_px, 95, method="higher"))


def register_elastic(
    reference: np.ndarray,
    moving: np.ndarray,
    *,
    scheme: str = "spline",
    spacing_px: float = SPACING_PX,
    device: str | torch.device = "cpu",
) -> tuple[np.ndarray, np.ndarray]:
    """Move one image onto another by a smooth displacement field.

    Parameters
    ----------
    reference, moving
        (Y, X) of one shape, finite, at least 64 pixels a side.
    scheme
        "spline": this module's; "blocks": the pyramid of Wang et al. 2019.
    spacing_px
        Distance of the spline's control points.
    device
        Where to compute.

    Returns
    -------
    warped : ndarray
        (Y, X) float32, ``moving`` as it would look in the place of ``reference``: interpolated
        once, from the original.
    displacement : ndarray
        (2, Y, X) float32 (dy, dx) in pixels; warped[p] = moving[p - displacement(p)], as
        :func:`~crossres.registration.shift.estimate_shift` has it.

    Raises
    ------
    ValueError
        Shapes differ, or are too small, or the scheme is unknown.
    """
    from crossres.registration.blocks import estimate_by_blocks

    if scheme not in ("spline", "blocks"):
        raise ValueError(f"scheme is {scheme!r}; it can be spline or blocks")
    if scheme == "blocks":
        displacement = estimate_by_blocks(reference, moving, device=device)
    else:
        displacement = estimate_displacement(reference, moving, spacing_px, device).displacement
    return warp(moving, displacement), displacement


def estimate_displacement(
    reference: np.ndarray,
    moving: np.ndarray,
    spacing_px: float = SPACING_PX,
    device: str | torch.device = "cpu",
) -> ElasticEstimate:
    """Estimate the displacement field that moves one image onto another.

    Parameters
    ----------
    reference, moving, spacing_px, device
        As in :func:`register_elastic`.

    Returns
    -------
    ElasticEstimate
        Of no displacement, infinite error and texture 0 where the images have nothing in common.

    Raises
    ------
    ValueError
        Shapes differ, or are too small.

    Notes
    -----
    1. Coarse: both images binned by 8, 4 and 2 and band-passed, a field on a 128-px grid.
    2. Filters: both spectra are whitened and weighed by the coherence of the roughly aligned pair
       (:func:`~crossres.registration.filters.whiten`).
    3. Fine: Gauss-Newton steps on a grid of ``spacing_px``. Misfit is weighed by its local
       energy, so that what only one image shows does not pull. The weight of the roughness is the
       one with which either half of the data (a checkerboard of 32-px squares) best predicts the
       other.
    4. Error: the two halves once more, at the solution.

    References
    ----------
    Lucas & Kanade, IJCAI 1981; Baker & Matthews, IJCV 56, 221 (2004) (gradient of the
    reference); Knapp & Carter, IEEE Trans. ASSP 24, 320 (1976) (weights by coherence).
    """
    check_pair(reference, moving)
    shape = reference.shape
    fixed, free = (
        torch.as_tensor(np.array(image, dtype=np.float32), device=device)
        for image in (reference, moving)
    )
    fixed, free = fixed - fixed.mean(), free - free.mean()
    points = None
    for binning in COARSE_BINNINGS:
        if min(shape) // binning < LEAST_LEVEL_PX:
            continue
        grid = ControlGrid(shape, COARSE_SPACING_PX, binning, max(1, CELL_PX // binning), device)
        a, b = (band_pass(bin_pixels(image, binning)) for image in (fixed, free))
        fit = _Fit(grid, a, b, oversampling=1)
        points = grid.zeros() if points is None else points
        for _ in range(4):
            points = points + fit.step(points, 1.0)
    whole = ControlGrid(shape, COARSE_SPACING_PX, 1, CELL_PX, device)
    points = whole.zeros() if points is None else points
    whitened = whiten(fixed, free, _warped(free, whole.field(points)))
    if whitened is None:
        nothing = np.zeros((2, *shape), np.float32)
        return ElasticEstimate(nothing, np.full(shape, np.inf, np.float32), 0.0)
    del fixed, free
    return _fine(whitened, whole, points, spacing_px, device)


def check_pair(reference: np.ndarray, moving: np.ndarray) -> None:
    """Refuse a pair that cannot be registered elastically."""
    if reference.shape != moving.shape or reference.ndim != 2:
        raise ValueError(f"expected two (Y, X) of one shape: {reference.shape}, {moving.shape}")
    if min(reference.shape) < BLOCK_PX:
        raise ValueError(f"{reference.shape} px are too few; at least {BLOCK_PX} a side are needed")


def _fine(
    whitened: Whitened,
    coarse: ControlGrid,
    points: torch.Tensor,
    spacing_px: float,
    device: str | torch.device,
) -> ElasticEstimate:
    """Fit the final field to the whitened pair, starting from the coarse one."""
    shape = tuple(whitened.reference.shape)
    grid = ControlGrid(shape, spacing_px, 1, CELL_PX, device)
    fit = _Fit(grid, whitened.reference, whitened.moving, whitened.oversampling)
    points = grid.fit(coarse.field(points))
    candidates = SMOOTHNESS
    for _ in range(2):
        smoothness = fit.best_smoothness(points, candidates)
        candidates = tuple(smoothness * factor for factor in (10, 3, 1, 1 / 3, 1 / 10))
        points = points + fit.step(points, smoothness)
    points = points + fit.step(points, smoothness)
    first, second = fit.halves(points, smoothness)
    texture = fit.texture(points, whitened.band)
    # what follows is as large as the images again
    del fit, whitened
    error = (grid.field(first) - grid.field(second)).square().sum(0).sqrt() / 2
    return ElasticEstimate(grid.field(points).cpu().numpy(), error.cpu().numpy(), texture)


class _Fit:
    """Least squares between a fixed and a warped image, linearised anew at every step.

    The gradient is that of the reference, so that only the residual changes from step to step.
    """

    def __init__(
        self, grid: ControlGrid, fixed: torch.Tensor, free: torch.Tensor, oversampling: int
    ) -> None:
        self.grid = grid
        self.fixed = fixed
        self.free = free[None, None]
        self.oversampling = oversampling
        self.gradient = _gradient(fixed) / grid.binning
        gy, gx = self.gradient
        self.tensor = _cell_means(torch.stack([gy * gy, gy * gx, gx * gx]), grid.cell_px)
        halves = torch.arange(grid.cells[0])[:, None] // 4 + torch.arange(grid.cells[1]) // 4
        self.half = (halves % 2).to(fixed)

    def step(self, points: torch.Tensor, smoothness: float) -> torch.Tensor:
        """Return the Gauss-Newton step from some control points."""
        gradient, weight = self._residual(points)
        return self.grid.solve(self.tensor * weight, gradient * weight, smoothness, points)

    def halves(self, points: torch.Tensor, smoothness: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the steps that each half of the data asks for."""
        gradient, weight = self._residual(points)
        first, second = (
            self.grid.solve(self.tensor * w, gradient * w, smoothness / 2, points)
            for w in (weight * self.half, weight * (1 - self.half))
        )
        return first, second

    def best_smoothness(self, points: torch.Tensor, candidates: tuple[float, ...]) -> float:
        """Return the candidate with which either half of the data best predicts the other."""
        gradient, weight = self._residual(points)
        parts = (weight * self.half, weight * (1 - self.half))
        misfits = []
        for smoothness in candidates:
            misfit = torch.zeros((), device=gradient.device)
            for own, other in (parts, parts[::-1]):
                step = self.grid.solve(self.tensor * own, gradient * own, smoothness / 2, points)
                image = self.grid.data_term(self.tensor * other, step)
                pull = self.grid.pull(gradient * other)
                misfit = misfit + (step * image).sum() - 2 * (step * pull).sum()
            misfits.append(misfit)
        return candidates[int(torch.argmin(torch.stack(misfits)))]

    def texture(self, points: torch.Tensor, band: float) -> float:
        """Return the part of the blocks whose own data locate them to the tolerance.

        The variance of a block's shift is at least the inverse of its summed structure tensor
        over the noise density; the noise fills only a part of the band (Cramer-Rao). The tensor
        is that of both images' gradients multiplied, to which the noise of neither adds on
        average; what it adds by chance, to three standard deviations, is taken off.
        """
        _, weight = self._residual(points)
        displacement = self.grid.field(points)
        cell, side = self.grid.cell_px, max(1, BLOCK_PX // self.grid.cell_px)
        bands = [
            self._common_gradients(displacement, rows)
            for rows in _bands(self.grid.cells[0] * cell, BAND_CELLS * cell)
        ]
        yy, yx, xx, noise = torch.cat(bands, dim=1) * weight * band * (cell * side) ** 2
        yy, yx, xx, noise = F.avg_pool2d(torch.stack([yy, yx, xx, noise])[None], side)[0]
        least = (yy + xx) / 2 - torch.sqrt(((yy - xx) / 2) ** 2 + yx**2)
        # a block holds as many independent values as its pixels, as far as the noise fills the band
        chance = noise / (band**0.5 * cell * side)
        return float((least - 3 * chance >= 1 / TOLERANCE_PX**2).float().mean())

    def _common_gradients(self, displacement: torch.Tensor, rows: slice) -> torch.Tensor:
        """Return each cell's mean of the common structure tensor, and of the gradients' noise."""
        height = self.fixed.shape[0]
        # the gradient is zero near the border of what it is taken of: some rows more
        more = slice(max(rows.start - BORDER_PX, 0), min(rows.stop + BORDER_PX, height))
        warped, _ = self._warped_rows(displacement, more)
        inner = slice(rows.start - more.start, rows.stop - more.start)
        (gy, gx), (hy, hx) = self.gradient[:, rows], _gradient(warped)[:, inner]
        # half of what the gradients differ by is the noise of either image, in each direction
        noise = ((hy - gy) ** 2 + (hx - gx) ** 2) / 4
        tensor = torch.stack([gy * hy, (gy * hx + gx * hy) / 2, gx * hx, noise])
        return _cell_means(tensor, self.grid.cell_px)

    def _residual(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return each cell's mean of gradient times residual, and its weight."""
        displacement = self.grid.field(points)
        cell = self.grid.cell_px
        bands = []
        # band by band: the coordinates and products of a whole image would be the most in memory
        for rows in _bands(self.grid.cells[0] * cell, BAND_CELLS * cell):
            warped, inside = self._warped_rows(displacement, rows)
            residual = (warped - self.fixed[rows]) * inside
            products = [*(part[rows] * residual for part in self.gradient), residual * residual]
            bands.append(_cell_means(torch.stack(products), cell))
        means = torch.cat(bands, dim=1)
        # the misfit of the neighbourhood, 9 cells wide: single cells would weigh down their own
        # largest deviations, which are what moves them
        padded = F.pad(means[2][None, None], (4, 4, 4, 4), mode="replicate")
        energy = F.avg_pool2d(padded, 9, 1)[0, 0]
        return means[:2], 1 / (energy + 0.1 * energy.mean() + 1e-12)

    def _warped_rows(
        self, displacement: torch.Tensor, rows: slice
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return some rows of the warped image, and where they come from inside of it."""
        height, width = self.fixed.shape
        device = self.fixed.device
        shift = displacement[:, rows] / self.grid.binning
        y = torch.arange(rows.start, rows.stop, device=device)[:, None] - shift[0]
        x = torch.arange(width, device=device)[None] - shift[1]
        inside = (y >= 1) & (y <= height - 2) & (x >= 1) & (x <= width - 2)
        k = self.oversampling
        # half-pixel convention: an oversampled pixel j lies at (j + 0.5) / k - 0.5
        places = ((part[None] + 0.5) * k - 0.5 for part in (y, x))
        return sample(self.free, *places)[0], inside


def _bands(length: int, step: int) -> list[slice]:
    """Return slices of at most ``step`` that cover an axis."""
    return [slice(first, min(first + step, length)) for first in range(0, length, step)]


def _gradient(image: torch.Tensor) -> torch.Tensor:
    """Return (2, Y, X) fourth-order central differences, zero near the border."""
    result = torch.zeros(2, *image.shape, device=image.device)
    b = BORDER_PX
    height, width = image.shape

    def part(dy: int, dx: int) -> torch.Tensor:
        return image[b + dy : height - b + dy, b + dx : width - b + dx]

    for axis, (y, x) in enumerate(((1, 0), (0, 1))):
        near = part(y, x) - part(-y, -x)
        far = part(2 * y, 2 * x) - part(-2 * y, -2 * x)
        result[axis, b : height - b, b : width - b] = (8 * near - far) / 12
    return result


def _cell_means(values: torch.Tensor, cell_px: int) -> torch.Tensor:
    """Return the means of (C, Y, X) over square cells; what does not fill one is left out."""
    return F.avg_pool2d(values[None], cell_px)[0]


def _warped(image: torch.Tensor, displacement: torch.Tensor) -> torch.Tensor:
    """Return an image moved by a field, roughly: bicubic."""
    height, width = image.shape
    y = torch.arange(height, device=image.device)[:, None] - displacement[0]
    x = torch.arange(width, device=image.device)[None] - displacement[1]
    return sample(image[None, None], y[None], x[None])[0]
