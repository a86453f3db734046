import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.quiver import Quiver

from crossres.figures.deconvolution import plot_grids
from crossres.figures.examples import Example, liveliest_window, plot_examples
from crossres.figures.fwhm import Widths, plot_fwhm_histograms
from crossres.figures.losses import plot_losses
from crossres.figures.profiles import PairView, plot_profiles
from crossres.figures.quality import plot_quality
from crossres.figures.registration import overlay, plot_registration
from crossres.figures.snr import plot_table
from crossres.measure import main_peak

METHODS = ("input", "gan", "target")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def texts(figure) -> str:
    figure.canvas.draw()
    return " ".join(text.get_text() for text in figure.findobj(plt.Text))


def test_histograms_state_the_main_peak_of_each_method():
    values = np.random.default_rng(0).normal(290, 12, 400)
    figure = plot_fwhm_histograms({"FWHM (nm)": {"input": Widths(400, main_peak(values))}})
    assert "400 spots" in texts(figure)
    assert any(f"{nm} ± 1" in texts(figure) for nm in (288, 289, 290, 291, 292))


def test_a_method_without_spots_is_said_to_be_not_measurable():
    figure = plot_fwhm_histograms({"FWHM (nm)": {"gan": Widths(2, None)}})
    assert "not measurable (2 spots fitted)" in texts(figure)


def test_lateral_and_axial_widths_stand_side_by_side():
    rng = np.random.default_rng(0)
    columns = {
        label: {
            method: Widths(200, main_peak(rng.normal(nm, 5, 200)))
            for method, nm in zip(("input", "target"), widths, strict=True)
        }
        for label, widths in {"FWHM (nm)": (250, 130), "axial FWHM (nm)": (640, 420)}.items()
    }
    figure = plot_fwhm_histograms(columns)
    assert len(figure.axes) == 4
    labels = [panel.get_xlabel() for panel in figure.axes]
    assert labels == ["", "", "FWHM (nm)", "axial FWHM (nm)"]
    # each column has an axis of its own
    assert figure.axes[2].get_xlim()[1] < 400 < 640 < figure.axes[3].get_xlim()[1]


def test_profiles_without_pairs_say_so():
    assert "not measurable" in texts(plot_profiles([]))


def test_profiles_state_distances_and_what_is_not_resolved():
    image = np.random.default_rng(0).random((31, 31))
    line = (np.linspace(-200, 200, 50), np.hanning(50))
    view = PairView(
        "test_0000",
        dict.fromkeys(METHODS, image),
        dict.fromkeys(METHODS, line),
        ((5.0, 5.0), (25.0, 25.0)),
        {"input": np.nan, "gan": 182.0, "target": 180.0},
    )
    shown = texts(plot_profiles([view]))
    assert "not resolved" in shown
    assert "182 nm" in shown


def test_examples_zoom_where_the_target_varies_most():
    target = np.zeros((96, 96))
    target[60:66, 70:76] = 1.0
    y, x = liveliest_window(target, 16)
    assert y <= 60 < 66 <= y + 16
    assert x <= 70 < 76 <= x + 16
    figure = plot_examples([Example("one", dict.fromkeys(METHODS, target + 0.1), 30.0)])
    assert len(figure.axes) == 6


def test_a_field_no_larger_than_the_inset_is_shown_whole():
    target = np.random.default_rng(0).random((40, 30))
    assert liveliest_window(target, 30)[1] == 0
    example = Example("one", dict.fromkeys(METHODS, target), 30.0)
    assert len(plot_examples([example]).axes) == 6


def test_of_a_volume_the_middle_slice_and_a_section_are_shown():
    volume = np.random.default_rng(0).random((9, 96, 128))
    volume[7, 40, 70] = 50.0
    volume[4, 34:46, 64:76] += 3.0
    example = Example("one", dict.fromkeys(METHODS, volume), 40.0, 120.0)
    figure = plot_examples([example])
    assert len(figure.axes) == 9
    field, section = figure.axes[0], figure.axes[6]
    np.testing.assert_array_equal(field.images[0].get_array(), volume[4])
    # the section lies in the window, through the brightest voxel in it
    np.testing.assert_array_equal(section.images[0].get_array(), volume[:, 40])
    assert section.get_aspect() == pytest.approx(3.0)
    assert "xz" in section.get_ylabel()
    assert "z 500 nm" in texts(figure)


def test_fields_of_different_depth_are_drawn_below_each_other():
    rng = np.random.default_rng(0)
    examples = [
        Example(name, dict.fromkeys(METHODS, rng.random((depth, 70, 70))), 40.0, 120.0)
        for name, depth in (("one", 5), ("two", 12))
    ]
    assert len(plot_examples(examples).axes) == 18


def test_the_table_gives_mean_and_deviation_and_a_dash_where_nothing_was_measured():
    values = pd.DataFrame(
        [("input", "snr", 6.21, 0.4, 12), ("gan", "ssim", 0.273, 0.019, 12)],
        columns=["method", "metric", "mean", "sd", "n"],
    )
    table = plot_table(values, {"snr": "SNR", "ssim": "SSIM"}).axes[0].tables[0]
    shown = [cell.get_text().get_text() for cell in table.get_celld().values()]
    assert "6.2 ± 0.4" in shown
    assert "0.273 ± 0.019" in shown
    assert "–" in shown


def test_quality_draws_one_dot_a_field():
    rows = [(m, k, v) for m in METHODS for k in ("ssim", "psnr_db") for v in (0.1, 0.2, 0.3)]
    table = pd.DataFrame(rows, columns=["method", "metric", "value"])
    figure = plot_quality(table, {"to the target": {"psnr_db": "PSNR (dB)", "ssim": "SSIM"}})
    dots = [line for line in figure.axes[1].lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [3, 3, 3]


def test_the_truth_is_the_ceiling_of_the_first_row_and_no_method_in_either():
    rows = [
        ("input", "ssim", 0.1),
        ("truth", "ssim", 0.2),
        ("truth", "ssim", 0.3),
        ("truth", "ssim", 0.5),
        ("input", "ssim_truth", 0.6),
        ("target", "ssim_truth", 0.4),
    ]
    table = pd.DataFrame(rows, columns=["method", "metric", "value"])
    figure = plot_quality(table, {"to the target": {"ssim": "A"}, "truth": {"ssim_truth": "B"}})
    (first, second) = figure.axes
    dashed = [line for line in first.lines if line.get_linestyle() == "--"]
    assert [list(line.get_ydata()) for line in dashed] == [[0.3, 0.3]]
    assert [text.get_text() for text in first.get_xticklabels()] == ["input"]
    assert [text.get_text() for text in second.get_xticklabels()] == ["input", "target"]
    assert not [line for line in second.lines if line.get_linestyle() == "--"]


def history(**changes) -> pd.DataFrame:
    """A training as history.csv tells it, iteration 0 before the first step."""
    columns = {
        "iteration": [0, 10, 20, 30],
        "generator_loss": [np.nan, 0.1, 7.0, 6.0],
        "discriminator_loss": [np.nan, np.nan, 1.2, 1.1],
        "adversarial_share": [np.nan, np.nan, 0.1, 0.1],
        "mse_share": [np.nan, 1.0, 0.6, 0.6],
        "log_ssim_share": [np.nan, np.nan, 0.3, 0.3],
        "discriminator_equilibrium": [1.25] * 4,
        "validation_mse": [0.05, 0.02, 0.01, 0.01],
        "validation_spectrum_distance": [0.9, 0.5, 0.2, 0.1],
        "validation_score": [2.5, 1.5, 0.8, 0.7],
        "kept": [False, False, False, True],
    }
    return pd.DataFrame({**columns, **changes})


def test_losses_mark_warm_up_and_the_kept_iteration():
    shown = texts(plot_losses({"gan, seed 0": history()}))
    assert "warm-up" in shown
    assert "kept: iteration 30" in shown


def test_a_training_without_warm_up_shows_none():
    # iteration 0 has no loss, but it is no warm-up
    shown = texts(plot_losses({"gan": history(discriminator_loss=[np.nan, 1.3, 1.2, 1.1])}))
    assert "warm-up" not in shown


def test_the_discriminators_part_of_the_gradient_is_drawn_where_it_was_looked_at():
    shares = plot_losses({"gan": history(adversarial_part_of_gradient=[np.nan, 0.2, np.nan, 0.3])})
    (line,) = [a for a in shares.axes[1].lines if a.get_label() == "adversarial, of the gradient"]
    np.testing.assert_allclose(line.get_ydata(), [20, 30])


def test_the_line_of_a_discriminator_that_cannot_tell_is_that_of_the_history():
    losses = plot_losses({"tcan": history(discriminator_equilibrium=0.7)}).axes[0]
    line = next(line for line in losses.lines if line.get_linestyle() == ":")
    assert list(line.get_ydata()) == [0.7, 0.7]


def test_the_share_of_every_term_is_drawn():
    shares = plot_losses({"gan": history()}).axes[1]
    drawn = {line.get_label(): line.get_ydata()[-1] for line in shares.lines}
    assert drawn == pytest.approx({"adversarial": 10, "mse": 60, "log_ssim": 30})


def test_a_training_without_a_discriminator_has_no_line_for_one():
    adversarial = ["discriminator_loss", "discriminator_equilibrium", "adversarial_share"]
    losses = plot_losses({"rcan": history().drop(columns=adversarial)}).axes[0]
    assert [line.get_label() for line in losses.lines] == ["loss"]


def test_the_grid_circles_its_best_point():
    grid = pd.DataFrame(
        {"damping": [0.0, 0.0, 0.1], "iterations": [1, 2, 1], "pearson_r": [0.2, 0.6, 0.3]}
    )
    figure = plot_grids({"richardson_lucy": grid})
    circle = next(line for line in figure.axes[0].lines if line.get_marker() == "o")
    assert (circle.get_xdata()[0], circle.get_ydata()[0]) == (2, 0.6)
    assert "best at 2 iterations" in texts(figure)


BLOCK = np.s_[8:24, 8:24]
"""Where test images of an overlay are bright: less than all, more than a percentile."""


def lit(window=BLOCK, shape=(64, 64)) -> np.ndarray:
    image = np.full(shape, 100.0)
    image[window] = 900.0
    return image


def test_an_overlay_is_red_green_and_yellow_where_both_are_bright():
    red, green = lit(np.s_[8:24, 8:24]), lit(np.s_[16:40, 8:24])
    colours = overlay(red, green)
    assert colours.shape == (64, 64, 3)
    np.testing.assert_allclose(colours[10, 10], (1, 0, 0), atol=1e-6)
    np.testing.assert_allclose(colours[30, 10], (0, 1, 0), atol=1e-6)
    np.testing.assert_allclose(colours[20, 10], (1, 1, 0), atol=1e-6)
    np.testing.assert_allclose(colours[50, 50], (0, 0, 0), atol=1e-6)


def test_each_colour_of_an_overlay_has_its_own_range():
    one, other = overlay(lit(), 1e-3 * lit() - 7), overlay(lit(), lit())
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_an_overlay_with_an_empty_image_has_no_colour_of_it():
    assert not overlay(lit(), np.full((64, 64), 5.0))[..., 1].any()


def registration_figure(correction, residuals=None, shape=(64, 96)):
    residuals = {"estimated": np.array([0.1])} if residuals is None else residuals
    pair = np.stack([lit(shape=shape), lit(shape=shape)])
    before = lit(np.s_[8:24, 12:28], shape)
    window = (slice(0, 32), slice(0, 48))
    return plot_registration(pair, before, correction, window, 325.0, residuals)


def test_the_registration_shows_overlays_before_and_after():
    figure = registration_figure(np.zeros((2, 8, 12)))
    shown = texts(figure)
    assert "before: input red, target green" in shown
    assert "after: input red, target green" in shown
    before, after = (panel.images[0].get_array() for panel in figure.axes[1:3])
    assert before.shape == after.shape == (32, 48, 3)
    # after the move both show the same, before it red and green lie side by side
    np.testing.assert_array_equal(after[..., 0], after[..., 1])
    np.testing.assert_allclose(before[10, 9], (1, 0, 0), atol=1e-6)
    np.testing.assert_allclose(before[10, 26], (0, 1, 0), atol=1e-6)


def test_arrows_point_where_the_correction_moves_to():
    correction = np.zeros((2, 8, 12))
    correction[0, :, 6:], correction[1, :, 6:] = 3.0, 4.0
    figure = registration_figure(correction)
    assert "longest 5.00 px" in texts(figure)
    (arrows,) = (c for c in figure.axes[0].collections if isinstance(c, Quiver))
    assert (arrows.U.min(), arrows.U.max()) == (0.0, 4.0)
    assert (arrows.V.min(), arrows.V.max()) == (0.0, 3.0)
    # a cell of 8 px has its centre at 3.5 px; rows count downwards in the image
    x, y = arrows.XY.T
    assert (x.min(), y.min(), x.max(), y.max()) == (3.5, 3.5, 91.5, 59.5)
    moved = arrows.U > 0
    np.testing.assert_array_equal(moved, x > 48)
    bottom, top = figure.axes[0].get_ylim()
    assert bottom > top


def test_the_longest_arrow_is_one_spacing_long():
    correction = np.full((2, 16, 16), 0.01)
    figure = registration_figure(correction, shape=(128, 128))
    (arrows,) = (c for c in figure.axes[0].collections if isinstance(c, Quiver))
    length = np.hypot(arrows.U, arrows.V).max() / arrows.scale
    assert length == pytest.approx(8.0)


def test_a_large_correction_is_drawn_with_few_arrows():
    figure = registration_figure(np.ones((2, 64, 64)), shape=(512, 512))
    (arrows,) = (c for c in figure.axes[0].collections if isinstance(c, Quiver))
    assert len(arrows.U) == 16 * 16


def test_residuals_are_drawn_with_their_medians():
    residuals = {"estimated": np.array([0.1, 0.2, 0.4]), "true": np.array([0.05, np.nan, 0.15])}
    shown = texts(registration_figure(np.zeros((2, 8, 12)), residuals))
    assert "estimated, median 0.200 px" in shown
    # the mean of the two that are known
    assert "true, median 0.100 px" in shown
    assert "residual of a field" in shown


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, np.nan]])
def test_without_residuals_the_registration_is_still_drawn(values):
    figure = registration_figure(np.zeros((2, 8, 12)), {"estimated": np.array(values)})
    assert "estimated" in texts(figure)
    assert "median" not in texts(figure)
