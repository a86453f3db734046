"""Terms that compare a restored image with its target."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from crossres.training.losses import FIDELITY, log_ssim_loss, ssim, ssim_loss


def by_skimage(x, y):
    return structural_similarity(
        x, y, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )


def pair_of(rng, *shape):
    """Two images that are somewhat alike, as float32 in an image's range."""
    x = rng.random(shape)
    y = np.clip(x + 0.2 * rng.normal(size=shape), 0, 1)
    return x.astype(np.float32), y.astype(np.float32)


def tensors(*images):
    """(1, 1, [Z,] Y, X) of arrays."""
    return tuple(torch.from_numpy(image)[None, None] for image in images)


@pytest.mark.parametrize("shape", [(32, 32), (25, 40), (11, 12)])
def test_ssim_is_that_of_scikit_image(rng, shape):
    x, y = pair_of(rng, *shape)
    assert ssim(*tensors(x, y)).item() == pytest.approx(by_skimage(x, y), abs=1e-5)


def test_ssim_of_a_volume_is_the_mean_of_its_slices(rng):
    x, y = pair_of(rng, 4, 20, 24)
    expected = np.mean([by_skimage(a, b) for a, b in zip(x, y, strict=True)])
    assert ssim(*tensors(x, y)).item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 16, 18), (1, 3, 16, 18)])
def test_every_image_of_a_batch_has_its_own_ssim(rng, shape):
    x, y = (torch.from_numpy(image) for image in pair_of(rng, 4, *shape))
    single = torch.cat([ssim(a[None], b[None]) for a, b in zip(x, y, strict=True)])
    found = ssim(x, y)
    assert found.shape == (4,)
    torch.testing.assert_close(found, single)
    assert len(set(found.tolist())) == 4


def test_ssim_is_computed_in_float32(rng):
    x, y = (torch.from_numpy(image)[None, None] for image in pair_of(rng, 32, 32))
    halves = ssim(x.bfloat16(), y.bfloat16())
    assert halves.dtype == torch.float32
    assert halves.item() == ssim(x.bfloat16().float(), y.bfloat16().float()).item()


def test_ssim_loss_is_one_less_ssim(rng):
    x, y = pair_of(rng, 20, 20)
    assert ssim_loss(*tensors(x, y)).item() == pytest.approx(1 - by_skimage(x, y), abs=1e-5)


def test_log_ssim_loss_is_the_printed_term(rng):
    # Wang 2019, eq. 1
    x, y = pair_of(rng, 20, 20)
    expected = -math.log((1 + by_skimage(x, y)) / 2)
    assert log_ssim_loss(*tensors(x, y)).item() == pytest.approx(expected, abs=1e-5)


def test_log_ssim_of_a_batch_is_the_mean_over_its_images(rng):
    # two half batches then have the whole one's loss as their mean
    x, y = (torch.from_numpy(image)[:, None] for image in pair_of(rng, 4, 16, 16))
    halves = (log_ssim_loss(x[:2], y[:2]) + log_ssim_loss(x[2:], y[2:])) / 2
    torch.testing.assert_close(log_ssim_loss(x, y), halves)


@pytest.mark.parametrize("name", sorted(FIDELITY))
def test_identical_images_lose_nothing(rng, name):
    x = torch.from_numpy(rng.random((2, 1, 16, 16)).astype(np.float32))
    assert FIDELITY[name](x, x).item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("name", "expected"), [("mse", 0.25), ("mae", 0.5)])
def test_a_constant_error_is_its_square_and_its_size(rng, name, expected):
    x = torch.from_numpy(rng.random((2, 1, 16, 16)))
    assert FIDELITY[name](x - 0.5, x).item() == pytest.approx(expected)


@pytest.mark.parametrize("name", sorted(FIDELITY))
def test_a_step_down_the_gradient_loses_less(rng, name):
    x, y = tensors(*pair_of(rng, 20, 20))
    x.requires_grad_()
    before = FIDELITY[name](x, y)
    before.backward()
    with torch.no_grad():
        assert FIDELITY[name](x - x.grad, y) < before


def test_the_terms_are_those_that_the_configuration_knows():
    assert set(FIDELITY) == {"mse", "mae", "ssim", "log_ssim"}
