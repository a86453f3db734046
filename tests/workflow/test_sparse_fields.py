"""Fields that show nothing to measure: the run goes on, and says so where numbers would stand."""

import numpy as np
import pandas as pd
from tiny_experiments import EXPERIMENT, simulated, write_experiment
from workflow_runs import succeed


def test_without_spots_the_run_ends_and_says_not_measurable(finished_copy):
    write_experiment(finished_copy, simulated(measure__spots__threshold_sigma=1e9))
    succeed(finished_copy)
    channel = finished_copy / "results" / EXPERIMENT / "beads"
    assert pd.read_csv(channel / "structures.csv").empty
    metrics = pd.read_csv(channel / "metrics.csv")
    widths = metrics[metrics.metric.isin(["fwhm_nm", "snr"])]
    # of the truth the similarity to the target alone is measured
    assert set(widths.method) == set(metrics.method) - {"truth"}
    assert widths.value.isna().all()
    assert np.isfinite(metrics.value[metrics.metric == "ssim"]).all()
    for name in ("fwhm", "profiles"):
        assert "not measurable" in (channel / "figures" / f"{name}.svg").read_text()
    assert "not measurable" in (finished_copy / "results" / "summary.html").read_text()
    claims = pd.read_csv(finished_copy / "results" / "claims.csv").set_index("id")
    assert claims.verdict["W1"] == "not judged"
    assert "no spots to measure" in claims.measured["W1"]
