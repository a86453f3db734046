import imagecodecs
import numpy as np
import pytest
from exported_models import TITLE, TRAINED, model

from crossres.export.page import cover_image, written_page
from crossres.export.tile_sizes import TileAxis

AXES = [TileAxis(name, 128, 4, 32, 256) for name in "yx"]
VOLUME_AXES = [TileAxis("z", 12, 2, 0, 12), *AXES]


def page(name="gan", dims=2, **model_file):
    _, description = model(name, dims, **model_file)
    return written_page(description, AXES if dims == 2 else VOLUME_AXES, TITLE)


def section(text, heading):
    return text.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_it_says_that_simulated_data_are_simulated():
    assert "**Simulated images only.**" in section(page(), "What it was trained on")


def test_it_says_that_measured_data_are_measured():
    text = section(page(trained={**TRAINED, "data": "measured"}), "What it was trained on")
    assert "Measured images" in text
    assert "imulated" not in text


def test_it_says_when_nobody_knows():
    assert "not recorded" in section(page(trained={}), "What it was trained on")


def test_it_lists_all_that_the_model_file_tells():
    scores = {"validation": {"mse": 0.0123456, "ssim": 0.9}, "kept_iteration": 700, "odd": "a|b"}
    text = section(page(trained={**TRAINED, **scores}), "What it was trained on")
    rows = ["experiment | beads", "seed | 3", "validation, mse | 0.01235", "kept iteration | 700"]
    rows += ["odd | a/b", "setting: width | 2"]
    for row in rows:
        assert f"| {row} |" in text


def test_it_says_what_to_give():
    text = section(page(), "What goes in")
    assert "axes yx" in text
    assert "Pixels of 30 nm." in text
    assert "y: 128 + n x 4, x: 128 + n x 4" in text
    assert "32 pixels off" in text
    assert "slices" not in text


def test_it_says_what_was_done_to_the_raw_images():
    text = section(page(input_pixel_size_nm=60.0, background=104.25), "What goes in")
    assert "had pixels of 60 nm and were resampled to 30 nm by linear" in text
    assert "subtracts a background of 104.25 counts" in text
    own = section(page(percentiles_per_image=(2.0, 99.9), background=104.25), "What goes in")
    assert "Subtract a background of 104.25 counts first" in own
    cubic = page(input_pixel_size_nm=60.0, interpolation_order=3)
    assert "by cubic spline interpolation" in cubic
    plain = section(page(input_pixel_size_nm=30.0), "What goes in")
    assert "background" not in plain
    assert "interpolation" not in plain


def test_it_says_what_becomes_of_other_sizes():
    assert "Crop or pad images to one of these first" in section(page(), "What goes in")


def test_volumes_are_not_to_be_tiled_along_z():
    text = section(page("rcan", 3), "What goes in")
    assert "Pixels of 30 nm, slices 160 nm apart." in text
    assert "do not tile along z" in text


def test_it_says_in_which_unit_the_output_is():
    assert "counts of the better microscope" in section(page(), "What comes out")
    text = section(page(percentiles_per_image=(2.0, 99.9)), "What comes out")
    assert "**not in counts**" in text
    assert "percentile 2 " in text
    assert "percentile 99.9" in text


def test_it_warns_of_attention_that_pools_over_whatever_it_is_given():
    warning = "Its attention pools over its whole input"
    assert warning not in section(page("rcan"), "Limits")
    assert warning not in section(page("gan"), "Limits")
    _, model_file = model("rcan")
    model_file.settings["pooling_px"] = None
    assert warning in section(written_page(model_file, AXES, TITLE), "Limits")


def test_it_says_how_to_validate_and_whom_to_cite():
    assert "both microscopes" in section(page(), "Validation")
    assert "https://doi.org/10.1038/s41592-018-0239-0" in section(page(), "Reference")


@pytest.mark.parametrize("shape", [(300, 400), (5, 300, 400)], ids=["image", "volume"])
def test_the_cover_shows_input_and_output_side_by_side(shape):
    falling = np.broadcast_to(np.linspace(900.0, 100.0, shape[-2])[:, None], shape)
    rising = np.broadcast_to(np.linspace(-1.0, 1.0, shape[-1]), shape)
    cover = imagecodecs.png_decode(cover_image(falling, rising))
    assert cover.shape == (256, 512)
    assert cover.dtype == np.uint8
    left, right = cover[:, :256].astype(int), cover[:, 256:].astype(int)
    assert (np.diff(left, axis=0) <= 0).all() and (np.diff(left, axis=1) == 0).all()
    assert (np.diff(right, axis=1) >= 0).all() and (np.diff(right, axis=0) == 0).all()
    assert {left.min(), left.max()} == {right.min(), right.max()} == {0, 255}


def test_of_a_volume_the_middle_slice_is_shown():
    volume = np.random.default_rng(0).normal(size=(5, 64, 64))
    volume[2] = np.eye(64)
    cover = imagecodecs.png_decode(cover_image(volume, volume))
    np.testing.assert_array_equal(cover[:, :64], 255 * np.eye(64))


def test_an_image_that_shows_nothing_is_black():
    assert imagecodecs.png_decode(cover_image(np.ones((64, 64)), np.ones((64, 64)))).max() == 0
