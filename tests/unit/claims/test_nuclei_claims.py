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


def judge(claim, transferred=None, random=None, metrics=NOTHING):
    """Judge a claim on the histories of the network that it is about."""
    runs = {"confocal_sted_nuclei": transferred, "confocal_sted_nuclei_scratch": random}
    evidence = {
        name: {"H3K4me3": Evidence(metrics, NOTHING, {} if run is None else {NETWORKS[claim]: run})}
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
    assert judge(claim, history(*transferred), random)[1] == verdict


def test_a_random_start_is_timed_to_its_best_and_not_to_its_end():
    random = history(20, 10, 3, 4, 5, 6, 6, 6, 6)
    measured, verdict = judge("W11", history(7, 4, 3), random)
    assert verdict == "failed"
    assert "in 20 iterations with transfer, in 20 from a random start" in measured


def test_iterations_and_loss_are_stated():
    measured, _ = judge("W11", history(5, 2, 1), history(9, 8, 4, 4, 3))
    assert measured == (
        "MSE 3 on the validation fields in 10 iterations with transfer, in 40 from a random start"
    )


@pytest.mark.parametrize(("one", "other"), [(None, history(1)), (history(1), None)])
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
