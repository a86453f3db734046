from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from check_claims import check_claims
from crossres.claims import Evidence, judge_claim, registered_claims
from crossres.claims.registry import claim

REPOSITORY = Path(__file__).resolve().parents[3]
BLIND = 2 * np.log(2)


def beads(centres: dict[str, float], count: int = 450) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame({"method": method, "metric": "fwhm_nm", "value": rng.normal(nm, 5, count)})
        for method, nm in centres.items()
    ]
    return pd.concat(parts, ignore_index=True)


def fields(snr: dict[str, float]) -> pd.DataFrame:
    rows = [(method, "snr", value) for method, value in snr.items()]
    return pd.DataFrame(rows, columns=["method", "metric", "value"])


def history(discriminator: list[float], kept: int = 3, equilibrium: float = BLIND) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "iteration": [100, 200, 300, 400],
            "discriminator_loss": discriminator,
            "discriminator_equilibrium": equilibrium,
            "validation_mse": [1.0, 0.9, 0.8, 0.5],
            "kept": [number == kept for number in range(4)],
        }
    )


def judge(claim: str, **parts: object) -> tuple[str, str]:
    evidence = {"metrics": fields({}), "structures": beads({"nnls": 200})}
    evidence = {**evidence, "histories": {}, **parts}
    return judge_claim(claim, {"confocal_sted_beads": {"beads": Evidence(**evidence)}})


@pytest.mark.parametrize(
    ("centres", "count", "verdict"),
    [
        ({"input": 290, "gan": 112, "target": 120}, 450, "reproduced"),
        ({"input": 310, "gan": 112, "target": 120}, 450, "failed"),
        ({"input": 290, "gan": 140, "target": 120}, 450, "failed"),
        ({"input": 290, "gan": 112, "target": 120}, 300, "failed"),
        ({"input": 290, "target": 120}, 450, "not judged"),
    ],
)
def test_bead_widths_are_held_against_wang_fig_4(centres, count, verdict):
    assert judge("W1", structures=beads(centres, count))[1] == verdict


@pytest.mark.parametrize(
    ("snr", "verdict"),
    [
        ({"input": 6, "gan": 20, "target": 15}, "reproduced"),
        ({"input": 6, "gan": 14, "target": 15}, "failed"),
        ({"input": 6, "target": 15}, "not judged"),
    ],
)
def test_output_snr_must_exceed_input_and_target(snr, verdict):
    assert judge("W6", metrics=fields(snr))[1] == verdict


@pytest.mark.parametrize(
    ("losses", "kept", "verdict"),
    [
        ([np.nan, BLIND, 1.2, 1.1], 3, "reproduced"),
        ([np.nan, BLIND, 1.2, 0.01], 3, "failed"),
        ([np.nan, BLIND, 1.2, 3.0], 3, "failed"),
        ([np.nan, BLIND, 1.2, 1.1], 2, "failed"),
    ],
)
def test_equilibrium_is_lost_when_either_side_wins(losses, kept, verdict):
    measured, found = judge("W17", histories={"gan": [history(losses, kept)]})
    assert found == verdict
    assert measured.endswith(f"kept iteration {100 * (kept + 1)} of 400, smallest MSE at 400")


@pytest.mark.parametrize(("highest", "verdict"), [(1.0, "reproduced"), (1.1, "failed")])
def test_the_equilibrium_is_that_of_the_discriminators_kind(highest, verdict):
    # a relativistic one that cannot tell loses ln 2, and half as much again is lost balance
    losses = history([np.nan, 0.69, 0.7, highest], equilibrium=np.log(2))
    measured, found = judge("W17", histories={"gan": [losses]})
    assert found == verdict
    assert "(0.69 if it cannot tell)" in measured


def test_tcan_is_not_judged_before_it_is_trained():
    measured, verdict = judge("T1", structures=beads({"input": 290, "target": 120}))
    assert verdict == "not judged"
    assert "no TCAN" in measured


@pytest.mark.parametrize("claim", sorted(registered_claims()))
def test_a_run_without_its_experiment_judges_no_claim(claim):
    experiments = registered_claims()[claim].experiments
    measured, verdict = judge_claim(claim, {})
    assert verdict == "not judged"
    assert all(experiment in measured for experiment in experiments)


def test_the_table_of_claims_keeps_the_order_of_the_published_ones(tmp_path):
    check_claims(REPOSITORY / "resources" / "claims.tsv", {}, "demo", tmp_path / "claims.csv")
    table = pd.read_csv(tmp_path / "claims.csv", keep_default_na=False)
    published = pd.read_csv(REPOSITORY / "resources" / "claims.tsv", sep="\t")
    assert table.id.tolist() == [name for name in published.id if name in registered_claims()]
    assert len(table) == len(registered_claims()) >= 12
    assert table.published[0].startswith("bead PSF FWHM, means of the main peaks: input ~290 nm")
    assert set(table.scale) == {"demo"}


def test_a_claim_has_one_judge():
    assert "W1" in registered_claims()
    with pytest.raises(ValueError, match="W1 has two judges"):
        claim("W1", experiments=("anywhere",))(print)
