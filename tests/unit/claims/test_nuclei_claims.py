"""The claims on the nuclei, judged on small tables made up for the purpose."""

import numpy as np
import pandas as pd
import pytest

from crossres.claims import Evidence, judge_claim

NOTHING = pd.DataFrame(columns=["method", "metric", "value"])
NETWORKS = {"W11": "gan", "T9": "tcan"}


def history(*mse, every=10):
    iterations = every * np.arange(len(mse))
    return pd.DataFrame({"iteration": iterations, "validation_mse": mse})


def judge(claim, transferred=(), random=(), metrics=NOTHING):
    """Judge a claim on the histories, a seed each, of the network that it is about."""
    runs = {"confocal_sted_nuclei": transferred, "confocal_sted_nuclei_scratch": random}
    evidence = {
        name: {"H3K4me3": Evidence(metrics, NOTHING, {NETWORKS[claim]: run} if run else {})}
        for name, run in runs.items()
    }
    return judge_claim(claim, evidence)


@pytest.mark.parametrize("claim", ["W11", "T9"])
@pytest.mark.parametrize(
    ("transferred", "verdict"),
    [
        # a random start comes to 3 after 80 iterations
        ((7, 5, 3, 2, 2, 2, 2, 2, 2), "reproduced"),
        ((7, 6, 5, 4, 3, 2, 2, 2, 2), "reproduced"),
        ((7, 6, 5, 5, 4, 3, 2, 2, 2), "failed"),
        ((7, 6, 5, 5, 4, 4, 4, 4, 4), "failed"),
        ((2, 6, 7, 7, 7, 7, 7, 7, 7), "reproduced"),
    ],
)
def test_transfer_must_get_there_in_half_the_iterations(claim, transferred, verdict):
    random = history(20, 15, 10, 8, 7, 6, 5, 4, 3)
    assert judge(claim, [history(*transferred)], [random])[1] == verdict


def test_a_random_start_is_timed_to_its_best_and_not_to_its_end():
    random = history(20, 10, 3, 4, 5, 6, 6, 6, 6)
    measured, verdict = judge("W11", [history(7, 4, 3)], [random])
    assert verdict == "failed"
    assert "in 20 iterations with transfer, in 20 from a random start" in measured


def test_every_seed_must_get_there_in_half_the_iterations():
    random = history(20, 15, 10, 8, 4)
    soon, late = history(7, 5, 4, 2, 2), history(7, 6, 5, 4, 2)
    assert judge("T9", [soon, soon], [random, random])[1] == "reproduced"
    measured, verdict = judge("T9", [soon, late], [random, random])
    assert verdict == "failed"
    assert measured == (
        "MSE 4 in 20 iterations with transfer, in 40 from a random start; "
        "MSE 4 in 30 iterations with transfer, in 40 from a random start (seeds: 2)"
    )


def test_a_level_that_transfer_never_reaches_is_said():
    measured, verdict = judge("W11", [history(7, 6, 5)], [history(20, 15, 3)])
    assert verdict == "failed"
    assert "MSE 3 never reached in 20 iterations with transfer" in measured


def test_what_was_reached_without_the_discriminator_is_said():
    def joined(table, at):
        table["discriminator_loss"] = np.where(table.iteration >= at, 1.0, np.nan)
        return table

    random = joined(history(20, 9, 8, 4, 3, 5), 20)
    measured, _ = judge("W11", [joined(history(9, 3, 4, 4, 3, 3), 20)], [random])
    assert measured.startswith(
        "MSE 3 in 10 iterations (in the warm-up) with transfer, in 40 from a random start"
    )
    measured, verdict = judge("W11", [joined(history(3, 9, 9, 9, 9, 9), 20)], [random])
    assert verdict == "reproduced"
    assert "MSE 3 in 0 iterations with transfer" in measured


@pytest.mark.parametrize(
    ("sharpness", "modulation_depth", "verdict"),
    [
        (0.3, 0.7, "reproduced"),
        (0.5, 0.7, "failed"),
        (0.3, 0.9, "failed"),
        (0.3, np.nan, "not judged"),
    ],
)
def test_without_the_discriminator_all_must_be_softer(sharpness, modulation_depth, verdict):
    values = {
        "sharpness": {"gan": 0.4, "cnn": sharpness, "target": 0.6},
        "modulation_depth": {"gan": 0.8, "cnn": modulation_depth, "target": 0.9},
    }
    rows = [(m, metric, v) for metric, of in values.items() for m, v in of.items()]
    metrics = pd.DataFrame(rows, columns=["method", "metric", "value"])
    evidence = {"confocal_sted_nuclei": {"H3K4me3": Evidence(metrics, NOTHING, {})}}
    assert judge_claim("W8", evidence)[1] == verdict


def test_iterations_and_loss_are_stated():
    measured, _ = judge("W11", [history(5, 2, 1)], [history(9, 8, 4, 4, 3)])
    assert measured == (
        "MSE 3 in 10 iterations with transfer, in 40 from a random start (seeds: 1)"
    )


@pytest.mark.parametrize(("one", "other"), [([], [history(1)]), ([history(1)], [])])
def test_transfer_is_not_judged_on_one_of_both_alone(one, other):
    measured, verdict = judge("T9", one, other)
    assert verdict == "not judged"
    assert "tcan" in measured


def test_the_experiment_that_is_missing_is_named():
    evidence = {"confocal_sted_nuclei": {"H3K4me3": Evidence(NOTHING, NOTHING, {})}}
    alone = "confocal_sted_nuclei_scratch was not part of this run"
    assert judge_claim("W11", evidence) == (alone, "not judged")
    both = "confocal_sted_nuclei and confocal_sted_nuclei_scratch were not part of this run"
    assert judge_claim("W11", {}) == (both, "not judged")


@pytest.mark.parametrize(
    ("average", "verdict"), [(0.92, "reproduced"), (0.88, "failed"), (np.nan, "not judged")]
)
def test_the_output_must_agree_better_with_the_average_of_the_scans(average, verdict):
    rows = [
        (method, metric, value + change)
        for method, values in {"gan": (0.9, average), "input": (0.7, 0.71)}.items()
        for metric, value in zip(("pearson_r", "pearson_r_scan_mean"), values, strict=True)
        for change in (-0.01, 0.01)
    ]
    metrics = pd.DataFrame(rows, columns=["method", "metric", "value"])
    evidence = {"confocal_sted_nuclei": {"H3K4me3": Evidence(metrics, NOTHING, {})}}
    assert judge_claim("W12", evidence)[1] == verdict
