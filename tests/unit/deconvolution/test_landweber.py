import numpy as np
import pytest
import scipy.optimize
from scipy.signal import convolve

from crossres.deconvolution.landweber import iterate_nnls
from crossres.restoration import nnls

PSF = np.outer([0.15, 0.7, 0.15], [0.1, 0.7, 0.2])


def as_matrix(psf, shape):
    """The convolution as a matrix, column by column."""
    columns = []
    for place in np.ndindex(*shape):
        point = np.zeros(shape)
        point[place] = 1.0
        columns.append(convolve(point, psf, mode="same", method="direct").ravel())
    return np.array(columns).T


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-4), (np.float64, 1e-8)])
@pytest.mark.parametrize("step", [0.5, 1.5])
@pytest.mark.parametrize("shape", [(6, 6), (5, 8)])
def test_converges_to_the_non_negative_least_squares_solution(rng, shape, step, dtype, tolerance):
    image = rng.normal(0.3, 1.0, shape).astype(dtype)
    expected, _ = scipy.optimize.nnls(as_matrix(PSF, shape), image.ravel().astype(float))
    # the constraint matters, or the test would not test it
    assert (expected == 0).sum() > 3
    found = nnls(image, PSF, iterations=1500, step=step)
    assert found.dtype == dtype
    np.testing.assert_allclose(found.ravel(), expected, atol=tolerance * expected.max())


def test_works_on_volumes(rng):
    psf = PSF[None] * np.array([0.1, 0.8, 0.1])[:, None, None]
    image = rng.normal(0.3, 1.0, (3, 4, 5))
    expected, _ = scipy.optimize.nnls(as_matrix(psf, image.shape), image.ravel())
    np.testing.assert_allclose(nnls(image, psf, 2500).ravel(), expected, atol=1e-7)


def test_one_step_by_hand(rng):
    image = rng.normal(0.5, 1.0, (7, 9))
    start = np.maximum(image, 0)
    residual = image - convolve(start, PSF, mode="same")
    expected = np.maximum(start + 0.5 * convolve(residual, PSF[::-1, ::-1], mode="same"), 0)
    np.testing.assert_allclose(nnls(image, PSF, 1, 0.5), expected, atol=1e-12)


@pytest.mark.parametrize("step", [0.5, 1.0, 1.9])
def test_the_residual_never_grows(rng, step):
    image = rng.random((12, 13))
    norms = [
        np.linalg.norm(image - convolve(estimate, PSF, mode="same"))
        for estimate in iterate_nnls(image, PSF, 60, step)
    ]
    assert len(norms) == 60
    assert (np.diff(norms) <= 1e-12).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_iterate_is_non_negative(rng, dtype):
    image = rng.normal(size=(10, 11)).astype(dtype)
    assert all(estimate.min() >= 0 for estimate in iterate_nnls(image, PSF, 20))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_counts_are_worked_on_as_float32(rng, dtype):
    image = rng.integers(0, 255, (6, 6)).astype(dtype)
    expected, _ = scipy.optimize.nnls(as_matrix(PSF, (6, 6)), image.ravel().astype(float))
    found = nnls(image, PSF, 1500)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.ravel(), expected, atol=0.1)


def test_a_psf_of_one_pixel_gives_the_image_without_its_negative_part(rng):
    image = rng.normal(size=(9, 8))
    np.testing.assert_allclose(nnls(image, np.ones((1, 1)), 20), np.maximum(image, 0), atol=1e-12)
