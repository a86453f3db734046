import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

from crossres.registration.control_grid import ControlGrid

CPU = torch.device("cpu")
SHAPE, SPACING = (97, 130), 32


def intervals(length, spacing_px):
    return -(-length // spacing_px)


def splines(places, length, spacing_px):
    """scipy's cubic B-splines at some places, (places, points); edges at -0.5 and length - 0.5."""
    number = intervals(length, spacing_px)
    knots = np.arange(-3, number + 4) * length / number - 0.5
    return BSpline.design_matrix(places, knots, 3).toarray()[:, : number + 3]


def knot_places(length, spacing_px):
    """Where the control points lie, from one beyond one edge to one beyond the other."""
    number = intervals(length, spacing_px)
    return np.arange(-1, number + 2) * length / number - 0.5


def pixel_centres(length, binning):
    return (np.arange(length // binning) + 0.5) * binning - 0.5


def random_points(rng, grid):
    return torch.as_tensor(rng.normal(size=grid.zeros().shape), dtype=torch.float32)


@pytest.mark.parametrize("binning", [1, 2, 8])
@pytest.mark.parametrize("shape", [SHAPE, (64, 256), (20, 31)])
def test_the_field_is_scipys_splines_at_the_centres_of_binned_pixels(rng, shape, binning):
    grid = ControlGrid(shape, SPACING, binning, 2, CPU)
    points = random_points(rng, grid)
    y, x = (splines(pixel_centres(n, binning), n, SPACING) for n in shape)
    expected = y @ points.numpy().astype(float) @ x.T
    np.testing.assert_allclose(grid.field(points), expected, atol=1e-5)


def test_cells_are_whole_and_their_field_is_at_their_centres(rng):
    grid = ControlGrid(SHAPE, SPACING, 2, 4, CPU)
    assert grid.cells == (12, 16)
    points = random_points(rng, grid)
    y, x = (
        splines((np.arange(c) + 0.5) * 8 - 0.5, n, SPACING)
        for c, n in zip(grid.cells, SHAPE, strict=True)
    )
    expected = y @ points.numpy().astype(float) @ x.T
    np.testing.assert_allclose(grid.field_at_cells(points), expected, atol=1e-5)


@pytest.mark.parametrize("binning", [1, 4])
def test_control_points_are_at_most_the_spacing_apart(binning):
    grid = ControlGrid((96, 97), SPACING, binning, 2, CPU)
    assert grid.zeros().shape == (2, 3 + 3, 4 + 3)
    assert not grid.field(grid.zeros()).any()


def test_equal_points_give_a_constant_field():
    grid = ControlGrid(SHAPE, SPACING, 1, 8, CPU)
    np.testing.assert_allclose(grid.field(grid.zeros() + 2.5), 2.5, rtol=1e-6)


@pytest.mark.parametrize("binning", [1, 2])
def test_points_on_a_plane_give_that_plane(binning):
    grid = ControlGrid(SHAPE, SPACING, binning, 4, CPU)

    def plane(y, x):
        return np.stack([1 + 0.02 * y[:, None] + 0 * x, 0.01 * y[:, None] - 0.03 * x])

    points = plane(*(knot_places(n, SPACING) for n in SHAPE))
    expected = plane(*(pixel_centres(n, binning) for n in SHAPE))
    found = grid.field(torch.as_tensor(points, dtype=torch.float32))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("binning", [1, 2])
def test_fit_finds_the_points_of_a_field(rng, binning):
    grid = ControlGrid(SHAPE, SPACING, binning, 4, CPU)
    points = random_points(rng, grid)
    np.testing.assert_allclose(grid.fit(grid.field(points)), points, atol=1e-3)


@pytest.mark.parametrize(("power", "rough"), [(0, False), (1, False), (2, False), (3, True)])
def test_up_to_a_quadratic_nothing_is_rough(power, rough):
    grid = ControlGrid(SHAPE, SPACING, 1, 8, CPU)
    y, x = (torch.as_tensor(knot_places(n, SPACING) / 50, dtype=torch.float32) for n in SHAPE)
    points = torch.stack([y[:, None] ** power + 0 * x, y[:, None] * 0 + x**power])
    # data that ask for no step, and hold weakly against one
    normal = torch.tensor([1.0, 0.0, 1.0])[:, None, None] * torch.ones(3, *grid.cells)
    step = grid.solve(normal, torch.zeros(2, *grid.cells), 10.0, points)
    assert bool(step.abs().max() > 0.05) == rough


def cell_data(rng, cells):
    """Random structure tensors and gradients; some cells have little texture."""
    vectors = rng.normal(size=(2, 3, *cells)) * rng.lognormal(0, 1, cells)
    gy, gx = vectors
    normal = np.stack([(gy * gy).sum(0), (gy * gx).sum(0), (gx * gx).sum(0)])
    residual = rng.normal(size=(3, *cells))
    gradient = np.stack([(gy * residual).sum(0), (gx * residual).sum(0)])
    return normal, gradient


def dense_problem(shape, cells, step_px, normal, gradient, smoothness, points):
    """Return the normal equations of all control points at once: the matrix and what it yields."""
    bases = [
        splines((np.arange(c) + 0.5) * step_px - 0.5, n, SPACING)
        for c, n in zip(cells, shape, strict=True)
    ]
    both = np.kron(*bases)
    ky, kx = (basis.shape[1] for basis in bases)
    rough = [np.diff(np.eye(n), 3, axis=0) for n in (ky, kx)]
    rough = np.kron(rough[0].T @ rough[0], np.eye(kx)) + np.kron(np.eye(ky), rough[1].T @ rough[1])
    yy, yx, xx = (both.T @ (part.ravel()[:, None] * both) for part in normal)
    matrix = np.block([[yy, yx], [yx, xx]]) + smoothness * np.kron(np.eye(2), rough)
    pull = np.concatenate([both.T @ part.ravel() for part in gradient])
    pull -= smoothness * np.concatenate([rough @ part.ravel() for part in points])
    return matrix, pull


@pytest.mark.parametrize("smoothness", [0.1, 1.0, 100.0, 1e4])
def test_the_step_is_that_of_dense_least_squares(rng, smoothness):
    grid = ControlGrid(SHAPE, SPACING, 1, 8, CPU)
    normal, gradient = cell_data(rng, grid.cells)
    points = rng.normal(size=grid.zeros().shape)
    matrix, pull = dense_problem(SHAPE, grid.cells, 8, normal, gradient, smoothness, points)
    expected = np.linalg.solve(matrix, pull)
    normal, gradient, points = (
        torch.as_tensor(a, dtype=torch.float32) for a in (normal, gradient, points)
    )
    found = grid.solve(normal, gradient, smoothness, points, iterations=500).numpy().ravel()
    # by how much what is minimised lies above its minimum, and by how much it could be lowered
    above = (found - expected) @ matrix @ (found - expected)
    assert above < 1e-5 * (expected @ matrix @ expected)


def test_a_displacement_that_the_splines_can_make_is_found_whole(rng):
    grid = ControlGrid(SHAPE, SPACING, 1, 8, CPU)
    normal, _ = cell_data(rng, grid.cells)
    normal += 0.3 * np.array([1.0, 0.0, 1.0])[:, None, None]
    normal = torch.as_tensor(normal, dtype=torch.float32)
    points = random_points(rng, grid)
    u = grid.field_at_cells(points)
    gradient = torch.stack(
        [normal[0] * u[0] + normal[1] * u[1], normal[1] * u[0] + normal[2] * u[1]]
    )
    found = grid.solve(normal, gradient, 1e-6, grid.zeros(), iterations=500)
    np.testing.assert_allclose(grid.field_at_cells(found), u, atol=0.05)
