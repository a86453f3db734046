"""How benchmarks/quality.py shares out the minutes, and what its table says."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from crossres.settings import Patches

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from quality import (
    COMPARED,
    VALIDATIONS,
    as_markdown,
    iterations_within,
    leaders,
    recipe_of,
    summary,
)

PATCHES = Patches(foreground_level=0.25, foreground_fraction=0.005)


def rows(**pearson_r: list[list[float]]) -> pd.DataFrame:
    """Return a row per seed and field; SSIM is Pearson's r, and PSNR a tenth of it."""
    return pd.DataFrame(
        [
            {"channel": "pores", "method": method, "seed": seed, "field": field,
             "ssim": r, "psnr_db": r / 10, "pearson_r": r}
            for method, seeds in pearson_r.items()
            for seed, fields in enumerate(seeds)
            for field, r in enumerate(fields)
        ]
    )  # fmt: skip


def test_iterations_and_validations_together_fill_the_time() -> None:
    iterations = iterations_within(budget_s=100.0, step_s=0.1, validation_s=1.0)
    assert iterations * 0.1 + (VALIDATIONS + 1) * 1.0 == pytest.approx(100.0, abs=0.2)


def test_steps_keep_half_the_time_where_validations_would_take_it_all() -> None:
    assert iterations_within(budget_s=100.0, step_s=0.1, validation_s=50.0) == 500


def test_spread_is_that_of_the_seeds_and_not_of_the_fields() -> None:
    table = summary(rows(cnn=[[0.2, 0.6], [0.4, 0.6], [0.1, 0.5]]))
    found = table.loc[("pores", "cnn"), "pearson_r"]
    assert list(found[["mean", "min", "max"]]) == pytest.approx([0.4, 0.3, 0.5])


def test_a_method_without_seeds_is_in_the_table() -> None:
    one = rows(input=[[0.2, 0.4]]).assign(seed=None)
    assert summary(one).loc[("pores", "input"), ("ssim", "mean")] == pytest.approx(0.3)


def test_leading_takes_every_metric() -> None:
    table = rows(careamics=[[0.5]], cnn=[[0.6]], gan=[[0.6]], **{"gan x8": [[0.7]]})
    table.loc[table.method == "gan", "ssim"] = 0.49
    assert leaders(summary(table), ["cnn", "gan"], "pores") == ["cnn", "gan x8"]


def test_the_table_writes_means_and_spreads() -> None:
    text = as_markdown(summary(rows(input=[[0.25]], cnn=[[0.5], [0.7]])))
    assert "| input | 0.250 | 0.03 | 0.250 |" in text
    assert "| cnn | 0.600 (0.500 to 0.700) | 0.06 (0.05 to 0.07) |" in text


@pytest.mark.parametrize("network", COMPARED)
def test_every_network_has_settings_the_configuration_knows(network: str) -> None:
    recipe = recipe_of(network, 100, VALIDATIONS, PATCHES, seed=0)
    assert recipe.settings.validate_every == 100 // VALIDATIONS
    assert recipe.foreground == (0.25, 0.005)
    if recipe.settings.adversarial:
        assert 0 < recipe.settings.joining.warm_up_iterations < 100
