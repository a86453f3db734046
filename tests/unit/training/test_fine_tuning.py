"""Going on from a model that has been trained before."""

import pytest
from training_runs import (
    ADVERSARIAL,
    BOTH,
    PLAIN,
    assert_same_weights,
    changed,
    run,
    score_by,
    small_network,
)

RATE = 5e-3


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """Weights after 200 iterations at a rate that has come down to nothing."""
    settings = changed(
        PLAIN, iterations=200, validate_every=200, learning_rate=RATE, schedule="cosine"
    )
    return run(data, settings, tmp_path_factory.mktemp("trained"))[0]


@pytest.fixture
def went_on(data, trained, tmp_path):
    """Return a function from the warm-up's length to ten more iterations at ten times the rate."""

    def go_on(warm_up, seed):
        network = small_network()
        network.load_state_dict(trained)
        settings = changed(
            PLAIN,
            iterations=10,
            validate_every=1,
            learning_rate=10 * RATE,
            rate_warm_up_iterations=warm_up,
        )
        folder = tmp_path / f"{warm_up}_{seed}"
        return run(data, settings, folder, seed=seed, network=network, fine_tuned=True)

    return go_on


@pytest.mark.parametrize("seed", [0, 1])
def test_a_warm_up_keeps_the_first_steps_from_spoiling_the_model(went_on, seed):
    _, history = went_on(50, seed)
    relative = history.validation_mse / history.validation_mse[0]
    assert relative.max() < 1.05
    assert relative.iloc[-1] < 1.0


@pytest.mark.parametrize("seed", [0, 1])
def test_without_it_they_do_and_the_model_is_kept_as_it_came(went_on, trained, seed):
    weights, history = went_on(0, seed)
    relative = history.validation_mse / history.validation_mse[0]
    assert relative[1:].min() > 1.5
    assert history.iteration[history.kept].tolist() == [0]
    assert_same_weights(weights, trained)


@BOTH
def test_a_fine_tuned_network_is_kept_as_it_came_where_nothing_after_is_better(
    data, settings, monkeypatch, tmp_path
):
    score_by(monkeypatch, [1.0, 2.0, 2.0, 2.0, 1.0])
    weights, history = run(data, settings, tmp_path, fine_tuned=True)
    assert history.iteration[history.kept].tolist() == [0]
    assert_same_weights(weights, small_network().state_dict())


@BOTH
def test_what_is_better_after_is_kept(data, settings, monkeypatch, tmp_path):
    score_by(monkeypatch, [1.0, 2.0, 0.5, 2.0, 1.0])
    _, history = run(data, settings, tmp_path, fine_tuned=True)
    expected = 4
    assert history.iteration[history.kept].tolist() == [expected]


def test_the_warm_up_on_the_loss_alone_stays_out_of_the_choice(data, monkeypatch, tmp_path):
    # better than before, but without having met the discriminator
    score_by(monkeypatch, [1.0, 0.5, 2.0, 2.0, 2.0])
    _, history = run(data, ADVERSARIAL, tmp_path, fine_tuned=True)
    assert history.iteration[history.kept].tolist() == [0]
