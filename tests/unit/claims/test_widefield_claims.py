"""The claims on the wide-field pair, judged on small tables made up for the purpose."""

import numpy as np
import pandas as pd
import pytest

from crossres.claims import Evidence, judge_claim

NO_SPOTS = pd.DataFrame(columns=["method", "metric", "value"])
CLOSE = {"input": (0.70, 0.90), "richardson_lucy": (0.75, 0.93), "nnls": (0.72, 0.92),
         "gan": (0.85, 0.97)}  # fmt: skip
MODULATED = {"richardson_lucy": (0.20, 0.95, 0.50), "nnls": (0.30, 0.93, 0.60),
             "gan": (0.35, 0.97, 0.80)}  # fmt: skip


def metrics(values, names):
    """A table of metrics by method: two fields, whose mean is the value given."""
    rows = [
        (method, name, value + change)
        for method, found in values.items()
        for name, value in zip(names, found, strict=True)
        for change in (-0.001, 0.001)
    ]
    return pd.DataFrame(rows, columns=["method", "metric", "value"])


def similarity(**changes):
    return metrics({**CLOSE, **changes}, ("ssim", "pearson_r"))


def modulation(**changes):
    values = {**MODULATED, **changes}
    return metrics(values, ("sharpness", "pearson_r", "modulation_depth"))


def judge(claim, *channels):
    """Judge a claim on channels, each given as the parts of its evidence."""
    evidence = {
        f"channel{number}": Evidence(
            **{"metrics": NO_SPOTS, "structures": NO_SPOTS, "histories": {}, **parts}
        )
        for number, parts in enumerate(channels)
    }
    return judge_claim(claim, {"widefield_bpaec": evidence})


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "reproduced"),
        ({"gan": (0.74, 0.97)}, "failed"),
        ({"gan": (0.85, 0.91)}, "failed"),
        ({"richardson_lucy": (0.86, 0.93)}, "failed"),
        ({"nnls": (0.72, 0.98)}, "failed"),
        ({"input": (0.90, 0.90)}, "failed"),
    ],
)
def test_the_network_must_be_closest_to_the_target_in_both_metrics(changes, verdict):
    assert judge("W3", {"metrics": similarity(**changes)})[1] == verdict


def test_the_network_must_be_closest_in_every_channel():
    good, bad = ({"metrics": similarity(gan=gan)} for gan in ((0.85, 0.97), (0.60, 0.97)))
    assert judge("W3", good, good)[1] == "reproduced"
    assert judge("W3", good, bad)[1] == judge("W3", bad, good)[1] == "failed"


def test_closeness_is_stated_of_every_channel_and_method():
    measured, _ = judge("W3", *({"metrics": similarity()} for _ in range(2)))
    assert "channel0: SSIM input 0.700, LR 0.750, NNLS 0.720, GAN 0.850" in measured
    assert "channel1: " in measured
    assert "r 0.9000, 0.9300, 0.9200, 0.9700" in measured


def without(table, method):
    return table[table.method != method]


def test_without_a_network_closeness_is_not_judged():
    good, bad = {"metrics": similarity()}, {"metrics": without(similarity(), "gan")}
    for channels in ((bad,), (good, bad)):
        measured, verdict = judge("W3", *channels)
        assert verdict == "not judged"
        assert "no gan" in measured


@pytest.mark.parametrize("rival", ["richardson_lucy", "nnls"])
def test_without_a_rival_closeness_is_not_judged(rival):
    assert judge("W3", {"metrics": without(similarity(), rival)})[1] == "not judged"


def best(iterations, damping):
    return {"parameters": {"richardson_lucy": {"iterations": iterations, "damping": damping}}}


@pytest.mark.parametrize(
    ("iterations", "damping", "verdict"),
    [
        (10, 0.001, "reproduced"),
        (5, 0.0, "reproduced"),
        (20, 0.01, "reproduced"),
        (4, 0.001, "failed"),
        (21, 0.001, "failed"),
        (10, 0.02, "failed"),
    ],
)
def test_the_best_parameters_must_lie_near_the_published_ones(iterations, damping, verdict):
    assert judge("W4", best(iterations, damping))[1] == verdict


def test_the_best_parameters_count_in_every_channel():
    assert judge("W4", best(10, 0.001), best(12, 0.002))[1] == "reproduced"
    measured, verdict = judge("W4", best(10, 0.001), best(80, 0.001))
    assert verdict == "failed"
    assert "channel0: 10 iterations, 0.1% damping; channel1: 80 iterations" in measured


def test_without_lucy_richardson_its_parameters_are_not_judged():
    measured, verdict = judge("W4", best(10, 0.001), {"parameters": {"nnls": {"iterations": 9}}})
    assert verdict == "not judged"
    assert "not run" in measured


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "reproduced"),
        # NNLS no sharper, NNLS with fewer artefacts, either deeper than the network
        ({"nnls": (0.19, 0.93, 0.60)}, "failed"),
        ({"nnls": (0.30, 0.96, 0.60)}, "failed"),
        ({"nnls": (0.30, 0.93, 0.81)}, "failed"),
        ({"richardson_lucy": (0.20, 0.95, 0.81)}, "failed"),
    ],
)
def test_nnls_is_sharper_with_artefacts_and_neither_modulates_as_the_network(changes, verdict):
    assert judge("W5", {"metrics": modulation(**changes)})[1] == verdict


def test_modulation_is_judged_on_the_mean_of_the_channels():
    deep, shallow = (modulation(gan=(0.35, 0.97, depth)) for depth in (0.90, 0.50))
    measured, verdict = judge("W5", {"metrics": deep}, {"metrics": shallow})
    assert verdict == "reproduced"
    assert "modulation depth LR 0.500, NNLS 0.600, GAN 0.700" in measured
    assert judge("W5", {"metrics": shallow})[1] == "failed"


@pytest.mark.parametrize("method", ["richardson_lucy", "nnls", "gan"])
def test_without_a_method_modulation_is_not_judged(method):
    assert judge("W5", {"metrics": without(modulation(), method)})[1] == "not judged"


def test_where_modulation_was_not_measured_it_is_not_judged():
    table = modulation()
    measured, verdict = judge("W5", {"metrics": table[table.metric != "modulation_depth"]})
    assert verdict == "not judged"
    assert "measure.modulation" in measured


def errors(*values):
    return {"registration_errors": pd.DataFrame({"error_rms_px": values})}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (np.full(20, 0.19), "reproduced"),
        (np.full(20, 0.21), "failed"),
        # one of a hundred may be far off, ten may not
        ([*np.full(99, 0.05), 3.0], "reproduced"),
        ([*np.full(90, 0.05), *np.full(10, 3.0)], "failed"),
    ],
)
def test_in_95_of_100_fields_the_registration_must_be_within_tolerance(values, verdict):
    assert judge("W10", errors(*values))[1] == verdict


def test_registration_is_judged_on_the_fields_of_all_channels_together():
    measured, verdict = judge("W10", errors(*np.full(97, 0.1)), errors(*np.full(3, 0.5)))
    assert verdict == "reproduced"
    assert "100 fields: median 0.100 px rms" in measured
    assert "largest 0.500 px" in measured


def test_without_truth_the_registration_is_not_judged():
    measured, verdict = judge("W10", {}, {})
    assert verdict == "not judged"
    assert "no truth" in measured


def test_channels_without_truth_do_not_count():
    assert judge("W10", errors(0.1, 0.1), {})[1] == "reproduced"


def test_where_no_field_was_accepted_the_registration_is_not_judged():
    assert judge("W10", errors())[1] == "not judged"
