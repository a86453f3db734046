import numpy as np
import pytest
import torch
from scipy.signal import convolve

from crossres.deconvolution.blur import as_float_tensor, blur_operators, pad_by_reflection

SHAPES = [
    ((16, 16), (5, 5)),
    ((13, 22), (7, 3)),
    ((9, 10), (4, 6)),
    ((8, 9), (15, 13)),
    ((5, 8, 7), (3, 5, 3)),
]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize(("shape", "psf_shape"), SHAPES)
def test_blur_is_scipys_convolution_of_the_same_size(rng, shape, psf_shape, dtype, tolerance):
    image, psf = rng.random(shape).astype(dtype), rng.random(psf_shape).astype(dtype)
    blur, _ = blur_operators(shape, torch.from_numpy(psf))
    found = blur(torch.from_numpy(image)).numpy()
    # scipy centres on the second argument only where it is the smaller
    full = convolve(image.astype(float), psf.astype(float), mode="full", method="direct")
    window = tuple(
        slice((m - 1) // 2, (m - 1) // 2 + n) for n, m in zip(shape, psf_shape, strict=True)
    )
    assert found.dtype == dtype
    np.testing.assert_allclose(found, full[window], atol=tolerance * full.max())


@pytest.mark.parametrize(("shape", "psf_shape"), SHAPES)
def test_the_adjoint_is_one(rng, shape, psf_shape):
    blur, adjoint = blur_operators(shape, torch.from_numpy(rng.normal(size=psf_shape)))
    x, y = torch.from_numpy(rng.normal(size=(2, *shape)))
    # <H x, y> = <x, H' y>
    assert torch.sum(blur(x) * y).item() == pytest.approx(torch.sum(x * adjoint(y)).item())


def test_operators_can_be_used_again_and_again(rng):
    psf = rng.random((5, 5))
    blur, adjoint = blur_operators((12, 15), torch.from_numpy(psf))
    first, second = torch.from_numpy(rng.random((2, 12, 15)))
    expected = convolve(second.numpy(), psf[::-1, ::-1], mode="same")
    adjoint(first), blur(first)
    np.testing.assert_allclose(adjoint(second).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(np.uint8, torch.float32), (np.uint16, torch.float32), (np.float32, torch.float32),
     (np.float64, torch.float64)],
)  # fmt: skip
def test_only_float64_is_worked_on_in_float64(dtype, expected):
    found = as_float_tensor(np.arange(6, dtype=dtype).reshape(2, 3)[:, ::-1])
    assert found.dtype == expected
    assert found.tolist() == [[2, 1, 0], [5, 4, 3]]


@pytest.mark.parametrize(
    ("shape", "psf_shape", "reach"),
    [((10, 12), (5, 7), (4, 6)), ((4, 30), (21, 21), (20, 20)), ((9, 9), (2, 2), (1, 1))],
)
def test_an_image_is_continued_by_its_mirror_image(rng, shape, psf_shape, reach):
    image = rng.random(shape)
    padded, window = pad_by_reflection(image, np.ones(psf_shape))
    np.testing.assert_array_equal(padded[window], image)
    h, w = reach
    assert padded.shape == (shape[0] + 2 * h, shape[1] + 2 * w)
    for axis, width in enumerate(reach):
        period = 2 * shape[axis] - 2
        place = np.abs((np.arange(-width, shape[axis] + width) + period) % period)
        mirrored = np.where(place < shape[axis], place, period - place)
        image = np.take(image, mirrored, axis)
    np.testing.assert_array_equal(padded, image)
