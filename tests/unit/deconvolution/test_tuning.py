import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from crossres.catalogue.classical import NNLS, RichardsonLucy
from crossres.deconvolution.baseline import iterate_baseline
from crossres.deconvolution.chosen import Chosen, grid_table, mean_grid
from crossres.deconvolution.tuning import correlation, search


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_correlation_is_pearsons(rng, dtype):
    a, b = (rng.random((2, 17, 20)) * 1000).astype(dtype)
    expected = np.corrcoef(a.ravel(), b.ravel())[0, 1]
    assert correlation(a, b) == pytest.approx(expected)


@pytest.mark.parametrize("which", [0, 1])
def test_a_constant_image_correlates_with_nothing(rng, which):
    pair = [rng.random((5, 5)), rng.random((5, 5))]
    pair[which] = np.full((5, 5), 3.0)
    assert correlation(*pair) == 0.0


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("richardson_lucy", RichardsonLucy(max_iterations=4, damping=[0.0, 0.03])),
        ("nnls", NNLS(max_iterations=4, step=0.5)),
    ],
)
@pytest.mark.parametrize("shape", [(24, 25), (5, 16, 17)])
def test_a_search_scores_every_iteration_at_every_value(rng, method, settings, shape):
    point = np.zeros((5,) * len(shape))
    point[(2,) * len(shape)] = 1.0
    psf = gaussian_filter(point, 1.0)
    psf /= psf.sum()
    target = rng.random(shape) * 100
    image = gaussian_filter(target, 1.0)
    scores = search(method, settings, image, target, psf, "none")
    assert scores.shape == (len(settings.values), 4)
    for value, line in zip(settings.values, scores, strict=True):
        estimates = iterate_baseline(method, image, psf, 4, value, "none")
        expected = [np.corrcoef(e.ravel(), target.ravel())[0, 1] for e in estimates]
        np.testing.assert_allclose(line, expected)


def grid(scores, fields, settings):
    return grid_table(np.array(scores), settings).assign(fields=fields)


def test_batches_count_by_their_fields():
    settings = RichardsonLucy(max_iterations=2, damping=[0.0, 0.1])
    one = grid([[0.1, 0.2], [0.3, 0.4]], 3, settings)
    other = grid([[0.5, 0.6], [0.7, 0.4]], 1, settings)
    found = mean_grid([one, other])
    expected = {
        "damping": [0.0, 0.0, 0.1, 0.1],
        "iterations": [1, 2, 1, 2],
        "pearson_r": [0.2, 0.3, 0.4, 0.4],
    }
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected))


def test_one_batch_alone_keeps_its_numbers_to_the_last_digit(rng):
    settings = NNLS(max_iterations=50)
    scores = rng.random((1, 50))
    found = mean_grid([grid(scores, 7, settings)])
    assert found.pearson_r.tolist() == scores[0].tolist()


def test_the_best_point_is_chosen_and_the_limit_of_the_grid_told():
    settings = RichardsonLucy(max_iterations=2, damping=[0.0, 0.1])
    best = Chosen.best_of(
        "richardson_lucy", grid_table(np.array([[0.1, 0.2], [0.4, 0.3]]), settings)
    )
    assert best == Chosen("richardson_lucy", 1, 0.1, 0.4, False)
    at_end = Chosen.best_of("nnls", grid_table(np.array([[0.1, 0.2]]), NNLS(max_iterations=2)))
    assert at_end.at_limit_of_grid


def test_parameters_are_written_under_their_own_names():
    best = Chosen("nnls", 12, 0.5, 0.9, True)
    assert best.as_json() == {
        "method": "nnls",
        "iterations": 12,
        "step": 0.5,
        "validation_pearson_r": 0.9,
        "at_limit_of_grid": True,
    }
    assert Chosen.from_json(best.as_json()) == best
