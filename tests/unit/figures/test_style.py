import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from crossres.catalogue.methods import colour_of, in_order, label_of
from crossres.figures.style import (
    add_axial_bar,
    add_scale_bar,
    new_figure,
    save_figure,
    show_image,
)


def test_methods_run_from_input_to_target_and_truth():
    methods = ["truth", "target", "gan", "input", "nnls"]
    assert in_order(methods) == ["input", "nnls", "gan", "target", "truth"]


def test_an_unknown_method_stands_before_the_target():
    assert in_order(["target", "mine", "gan"]) == ["gan", "mine", "target"]


def test_no_two_methods_have_one_colour():
    methods = ["input", "richardson_lucy", "nnls", "gan", "cnn", "rcan", "target", "truth"]
    assert len({colour_of(method) for method in methods}) == len(methods)


@pytest.mark.parametrize(
    ("width_px", "pixel_nm", "length_nm"), [(500, 30, 2000), (82, 30, 500), (1024, 325, 50000)]
)
def test_the_scale_bar_has_the_length_that_it_states(width_px, pixel_nm, length_nm):
    figure, axes = new_figure(1, 1, (2, 2))
    add_scale_bar(axes[0, 0], (2 * width_px, width_px), pixel_nm)
    x = axes[0, 0].lines[0].get_xdata()
    assert x[1] - x[0] == pytest.approx(length_nm / pixel_nm)
    stated = axes[0, 0].texts[0].get_text()
    assert stated == (f"{length_nm / 1000:g} µm" if length_nm >= 1000 else f"{length_nm} nm")
    plt.close(figure)


def test_the_bar_along_z_has_the_length_that_it_states():
    figure, axes = new_figure(1, 1, (2, 2))
    # 21 slices of 150 nm: 1 um is the longest round length up to half of it
    add_axial_bar(axes[0, 0], (21, 300), 150.0)
    y = axes[0, 0].lines[0].get_ydata()
    assert y[1] - y[0] == pytest.approx(1000 / 150)
    assert axes[0, 0].texts[0].get_text() == "z 1 µm"
    plt.close(figure)


def test_a_frame_at_the_images_edge_does_not_shrink_the_image():
    _, axes = new_figure(1, 1, (2, 2))
    show_image(axes[0, 0], np.zeros((100, 100)), (0.0, 1.0))
    axes[0, 0].add_patch(Rectangle((80, 0), 20, 20, fill=False))
    add_scale_bar(axes[0, 0], (100, 100), 50.0)
    assert axes[0, 0].get_xlim() == (-0.5, 99.5)
    assert axes[0, 0].get_ylim() == (99.5, -0.5)


def test_pixels_are_shown_in_place_between_the_stated_grays():
    figure, axes = new_figure(1, 1, (2, 2))
    image = np.arange(12.0).reshape(3, 4)
    show_image(axes[0, 0], image, (2.0, 8.0))
    shown = axes[0, 0].images[0]
    np.testing.assert_array_equal(shown.get_array(), image)
    assert shown.get_clim() == (2.0, 8.0)
    assert tuple(shown.get_extent()) == (
        -0.5,
        3.5,
        2.5,
        -0.5,
    )  # row 0 on top, pixel centres on integers
    plt.close(figure)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_same_figure_gives_the_same_bytes(tmp_path, ending):
    for name in ("a", "b"):
        figure, axes = new_figure(1, 1, (2, 2))
        axes[0, 0].plot([0, 1], [0, 1])
        save_figure(figure, tmp_path / f"{name}.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_the_mean_of_a_networks_seeds_is_called_so():
    assert label_of("cnn_ensemble") == "CNN, mean of seeds"
    assert label_of("rcan_ensemble") == "RCAN, mean of seeds"
    assert label_of("gan_blend") == "GAN, blended with CNN"
