import numpy as np
import pytest
import torch

from crossres.networks.windows import between_windows, window_means, window_starts

CASES = [
    ((64, 64), (32, 32)),
    ((40, 75), (32, 32)),
    ((33, 31), (32, 32)),
    ((7, 90), (32, 25)),
    ((5, 6), (32, 32)),
    ((3, 3), (1, 2)),
    ((12, 20, 37), (8, 16, 16)),
    ((4, 20, 37), (8, 16, 9)),
]


@pytest.mark.parametrize(
    ("size_px", "pooling_px", "starts"),
    [
        (64, 32, [0, 16, 32]),
        (65, 32, [0, 16, 32, 33]),
        (50, 25, [0, 12, 24, 25]),
        (33, 32, [0, 1]),
        (32, 32, [0]),
        (10, 32, [0]),
        (3, 1, [0, 1, 2]),
    ],
)
def test_windows_begin_every_half_field_and_end_with_the_image(size_px, pooling_px, starts):
    assert window_starts(size_px, pooling_px) == starts


def means_one_by_one(image, pooling_px):
    """The mean over each window, by the definition."""
    starts = [window_starts(n, f) for n, f in zip(image.shape[2:], pooling_px, strict=True)]
    means = np.empty((*image.shape[:2], *map(len, starts)))
    for place in np.ndindex(*means.shape[2:]):
        corner = [along[k] for along, k in zip(starts, place, strict=True)]
        window = tuple(slice(c, c + f) for c, f in zip(corner, pooling_px, strict=True))
        means[(..., *place)] = image[(..., *window)].mean(tuple(range(2, image.ndim)))
    return means


def channels_last(x):
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return x.contiguous(memory_format=formats[x.dim()])


@pytest.mark.parametrize(("shape", "pooling_px"), CASES)
def test_means_over_windows_are_those_of_each_window(rng, shape, pooling_px):
    image = rng.random((2, 3, *shape))
    expected = means_one_by_one(image, pooling_px)
    for x in (torch.from_numpy(image), channels_last(torch.from_numpy(image))):
        np.testing.assert_allclose(window_means(x, pooling_px).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(("shape", "pooling_px"), CASES)
def test_between_centres_values_are_interpolated_linearly(rng, shape, pooling_px):
    # against numpy's own interpolation, axis by axis; it too holds the ends
    x = torch.zeros(2, 3, *shape, dtype=torch.float64)
    values = rng.random(window_means(x, pooling_px).shape)
    expected = values
    for axis, (size, field) in enumerate(zip(shape, pooling_px, strict=True), start=2):
        centres = np.array(window_starts(size, field)) + (min(size, field) - 1) / 2
        expected = np.apply_along_axis(
            lambda line, n=size, c=centres: np.interp(np.arange(n), c, line), axis, expected
        )
    found = between_windows(torch.from_numpy(values), x, pooling_px)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(200, 131), (16, 20, 70)])
def test_what_is_the_same_in_all_windows_is_the_same_everywhere_also_in_bfloat16(shape):
    pooling_px = (64, 32, 16)[-len(shape) :]
    x = torch.full((1, 2, *shape), 0.75, dtype=torch.bfloat16)
    means = window_means(x, pooling_px)
    assert means.dtype == torch.bfloat16
    found = between_windows(means, x, pooling_px)
    assert found.dtype == torch.bfloat16
    assert (found == 0.75).all()


def test_means_in_bfloat16_are_not_off_by_the_rounding_of_one_over_the_field():
    # 1 / 50 in bfloat16 is 0.02002: means would be 0.1 % too large, twice that in two axes
    x = torch.ones(1, 2, 130, 75, dtype=torch.bfloat16)
    assert (window_means(x, (50, 50)).float() == 1.0).all()


@pytest.mark.parametrize("shape", [(40, 75), (12, 20, 37)])
def test_channels_stay_last_in_memory(shape):
    # so that the product with features stored so needs no copy
    x = channels_last(torch.rand(1, 3, *shape))
    pooling_px = (8, 16, 16)[-len(shape) :]
    found = between_windows(window_means(x, pooling_px), x, pooling_px)
    assert found.stride() == x.stride()
