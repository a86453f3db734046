import numpy as np
import pytest
from deformed_pairs import constant, displacement_map, make_pair, rms_px, waves

from crossres.registration.blocks import block_sizes, estimate_by_blocks

SHAPE = (256, 256)
TOLERANCE_PX = 0.2


def test_the_published_sequence_of_block_sizes():
    # Wang et al. 2019: from 256 to 64 pixels, each a factor of 1.2 smaller
    assert block_sizes(1024) == [256, 213, 178, 148, 123, 103, 86, 71, 64]
    assert block_sizes(256) == block_sizes(1024)


@pytest.mark.parametrize("side", [40, 63, 64, 65, 70, 100, 200, 255])
def test_blocks_fit_small_images(side):
    sizes = block_sizes(side)
    assert sizes[0] == side
    assert sizes[-1] == min(side, 64)
    assert sizes == sorted(set(sizes), reverse=True)


@pytest.mark.parametrize("shift", [(2.3, -1.7), (-5.5, 3.1), (0.0, 8.0)])
@pytest.mark.parametrize("shape", [SHAPE, (203, 317)])
def test_a_shift_is_found_with_its_sign(shape, shift):
    pair = make_pair(shape, constant(*shift))
    found = estimate_by_blocks(*pair)
    assert found.shape == (2, *shape)
    assert found.dtype == np.float32
    assert rms_px(found, displacement_map(constant(*shift), shape)) < TOLERANCE_PX


@pytest.mark.parametrize("seed", range(3))
def test_a_smooth_field_is_found_to_the_published_tolerance(seed):
    displacement = waves(SHAPE, seed, 2.0, (300, 600))
    found = estimate_by_blocks(*make_pair(SHAPE, displacement, seed=seed))
    assert rms_px(found, displacement_map(displacement, SHAPE)) < TOLERANCE_PX


def test_an_image_lies_on_itself():
    image, _ = make_pair(SHAPE, constant(0, 0))
    assert np.abs(estimate_by_blocks(image, image)).max() < 1e-4


def test_gain_and_offset_of_a_detector_do_not_matter():
    reference, moving = make_pair(SHAPE, constant(1.4, -0.6))
    first, second = (estimate_by_blocks(reference, image) for image in (moving, 7 * moving + 900))
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_empty_blocks_do_not_pull():
    shift = constant(2.0, -3.0)
    found = estimate_by_blocks(*make_pair(SHAPE, shift, covered=0.5))
    assert rms_px(found, displacement_map(shift, SHAPE)) < TOLERANCE_PX


def test_an_empty_image_moves_nothing():
    image, _ = make_pair(SHAPE, constant(0, 0))
    assert not estimate_by_blocks(image, np.zeros(SHAPE)).any()


def test_the_same_again_is_the_same():
    pair = make_pair(SHAPE, waves(SHAPE, 0, 2.0, (300, 600)))
    np.testing.assert_array_equal(estimate_by_blocks(*pair), estimate_by_blocks(*pair))
