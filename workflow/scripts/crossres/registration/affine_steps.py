"""One least-squares step of an affine registration, and how far the data support it.

The data are taken in blocks: what predicts the blocks left out, and how much the step changes
without each of them, say which deformation is more than chance.
"""

from dataclasses import dataclass

import numpy as np

RIDGES = (0.0, 1e-3, 1e-2, 0.1, 1.0, 1e4)
"""Weights of the prior that holds the matrix at 0: from none to a shift alone."""

Model = tuple[np.ndarray, np.ndarray]
"""Matrix B and shift t."""


@dataclass(frozen=True)
class Step:
    """The least-squares problem of one step, block by block.

    Parameters
    ----------
    normal, pull
        (K, P, P) and (K, P) its normal equations in each of K blocks of the data. The P parameters
        are, axis by axis, the shift and, of an affine model, the row of the matrix.
    prior
        (P,) weight of each parameter in a prior of weight 1: none of the shifts.
    current
        (P,) parameters that the step starts from.
    energy
        Sum of squares of the fixed image.
    """

    normal: np.ndarray
    pull: np.ndarray
    prior: np.ndarray
    current: np.ndarray
    energy: float

    def best_ridge(self) -> float:
        """Return the weight of the prior that predicts each block from the others best.

        Of weights that do so equally well, by one standard error, the largest is taken.

        References
        ----------
        Breiman et al., Classification and Regression Trees, 1984: the one-standard-error rule.
        """
        if len(self.normal) < 2:
            return RIDGES[-1]
        misfits = np.array([self._misfit_without(ridge) for ridge in RIDGES])
        worse = misfits - misfits[misfits.sum(axis=1).argmin()]
        by_chance = np.sqrt(worse.shape[1]) * worse.std(axis=1, ddof=1)
        return RIDGES[np.flatnonzero(worse.sum(axis=1) <= by_chance)[-1]]

    def solved(self, ridge: float, dims: int) -> Model:
        """Return the step that all blocks together ask for."""
        return as_model(self._solve(self.normal.sum(axis=0), self.pull.sum(axis=0), ridge), dims)

    def penalty(self, matrix: np.ndarray, ridge: float) -> float:
        """Return what the prior adds to a misfit of 1 less the correlation."""
        if not ridge:
            return 0.0
        weights = self.prior.reshape(len(matrix), -1)[:, 1:]
        return ridge * float(np.sum(weights * matrix**2)) / (2 * self.energy + 1e-30)

    def errors(self, ridge: float, shape: tuple[int, ...]) -> np.ndarray:
        """Return (N,) standard errors by the jackknife, root mean square over an image.

        References
        ----------
        Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982.
        """
        count = len(self.normal)
        if count < 2:
            return np.full(len(shape), np.inf)
        moves = self._without(ridge)
        apart = [
            rms(*as_model(move, len(shape)), shape) ** 2 for move in moves - moves.mean(axis=0)
        ]
        errors: np.ndarray = np.sqrt((count - 1) / count * np.sum(apart, axis=0))
        return errors

    def _solve(self, normal: np.ndarray, pull: np.ndarray, ridge: float) -> np.ndarray:
        """Return the (P,) step to the least sum of squares and prior."""
        weights = ridge * self.prior
        system = normal + np.diag(weights)
        found: np.ndarray = np.linalg.lstsq(system, pull - weights * self.current, rcond=1e-10)[0]
        return found

    def _misfit_without(self, ridge: float) -> np.ndarray:
        """Return (K,) the misfit of each block after the step that the others ask for."""
        moves = self._without(ridge)
        squares = np.einsum("kp,kpq,kq->k", moves, self.normal, moves)
        misfit: np.ndarray = squares - 2 * np.sum(self.pull * moves, axis=1)
        return misfit

    def _without(self, ridge: float) -> np.ndarray:
        """Return (K, P) the steps that the data ask for without each block."""
        normal, pull = self.normal.sum(axis=0), self.pull.sum(axis=0)
        return np.array([
            self._solve(normal - n, pull - p, ridge)
            for n, p in zip(self.normal, self.pull, strict=True)
        ])  # fmt: skip


def make_step(
    fixed: np.ndarray,
    moved: np.ndarray,
    inside: np.ndarray,
    blocks: np.ndarray,
    start: Model,
    affine: bool,
) -> Step:
    """Set up the Gauss-Newton step that brings a moved image closer to a fixed one.

    Parameters
    ----------
    fixed, moved
        ([Z, ]Y, X).
    inside
        Where they are compared.
    blocks
        Number of the block that each pixel belongs to.
    start
        Matrix and shift that ``moved`` was moved by.
    affine
        Whether the matrix is free.
    """
    matrix, shift = start
    dims = fixed.ndim
    gain = float((moved * fixed * inside).sum() / ((moved**2 * inside).sum() + 1e-12))
    # the mean of both gradients converges faster than either (Benhimane & Malis, IROS 2004)
    gradients: list[np.ndarray] = list(np.gradient((fixed + gain * moved) / 2))
    middle = [np.arange(n, dtype=np.float32) - (n - 1) / 2 for n in fixed.shape]
    places = [
        np.broadcast_to(axis, fixed.shape)[inside]
        for axis in np.meshgrid(*middle, indexing="ij", sparse=True)
    ]
    columns = []
    for gradient in gradients:
        slope = gradient[inside]
        columns.append(slope)
        if affine:
            columns += [slope * place for place in places]
    order = np.argsort(blocks[inside], kind="stable")
    cuts = np.flatnonzero(np.diff(blocks[inside][order])) + 1
    residual = (gain * moved - fixed)[inside].astype(np.float32)[order]
    design = np.stack(columns)[:, order].astype(np.float32)
    parts = np.split(design, cuts, axis=1)
    normal = np.array([part @ part.T for part in parts], dtype=np.float64)
    pull = np.array(
        [part @ rest for part, rest in zip(parts, np.split(residual, cuts), strict=True)],
        dtype=np.float64,
    )
    energy = float(np.sum(fixed[inside] ** 2))
    if not affine:
        return Step(normal, pull, np.zeros(dims), shift, energy)
    current = np.column_stack([shift, matrix]).ravel()
    # of the weight that the data give to a displacement as long
    weight = float(np.trace(normal.sum(axis=0)[:: dims + 1, :: dims + 1])) / dims
    prior = np.tile(np.append(0.0, weight * variance_of_places(fixed.shape)), dims)
    return Step(normal, pull, prior, current, energy)


def as_model(parameters: np.ndarray, dims: int) -> Model:
    """Return parameters, in the order of :class:`Step`, as matrix and shift."""
    table = parameters.reshape(dims, -1)
    return table[:, 1:] if table.shape[1] > 1 else np.zeros((dims, dims)), table[:, 0]


def rms(matrix: np.ndarray, shift: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the root mean square of an affine displacement over an image, along each axis."""
    squares: np.ndarray = shift**2 + matrix**2 @ variance_of_places(shape)
    root: np.ndarray = np.sqrt(squares)
    return root


def variance_of_places(shape: tuple[int, ...]) -> np.ndarray:
    """Return the variance of a pixel's place along each axis."""
    variance: np.ndarray = (np.square(shape) - 1) / 12
    return variance


def square_blocks(shape: tuple[int, ...], side_px: int) -> np.ndarray:
    """Return the number of the block, a square of the last two axes, of every pixel."""
    side = max(4, min(side_px, min(shape[-2:]) // 4))
    y, x = (np.arange(n) // side for n in shape[-2:])
    return np.broadcast_to(y[:, None] * (x[-1] + 1) + x, shape)
