"""Tables of measurements, from the files of a batch to those of the channel."""

import numpy as np
import pandas as pd
import pytest

from collect_tables import collect_tables
from crossres.images import Image, read_field_table, write_image
from crossres.jobs import InputError
from crossres.settings import Measure, Spots
from measure_fields import measure_fields

PIXEL_NM = 30.0
CORNER = (10, 6)
PROVENANCE = {"experiment": "beads", "data": "simulated"}


def beads(fwhm_nm, shape=(140, 150)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    places = [(40, 40), (40, 100), (95, 40), (95, 100)]
    r = [((y - v) ** 2 + (x - u) ** 2) * (PIXEL_NM / fwhm_nm) ** 2 for v, u in places]
    return 100 * sum(2.0 ** (-4 * s) for s in r) + 10


def write(path, array, axes="YX", **described):
    write_image(path, Image(np.asarray(array, np.float32), axes, PIXEL_NM, **described))


@pytest.fixture
def batch(tmp_path):
    """Two registered fields, the second not accepted, with what was restored and the truth."""
    rng = np.random.default_rng(0)
    truth, inner = beads(120), np.s_[10:130, 6:146]
    for name in ("007", "008"):
        pair = np.stack([rng.poisson(beads(280)[inner]), rng.poisson(truth[inner])])
        write(
            tmp_path / "registered" / f"{name}.ome.tif",
            pair,
            "CYX",
            channels=("input", "target"),
            corner_px=CORNER,
        )
        write(tmp_path / "restored" / f"{name}.ome.tif", beads(140))
        write(tmp_path / "truth" / f"{name}.ome.tif", truth)
        for number in (2, 3):
            write(tmp_path / "truth" / f"{name}_scan{number}.tif", rng.poisson(truth))
    table = {"field": ["007", "008"], "accepted": [True, False], "reason": ["", "does not match"]}
    pd.DataFrame(table).to_csv(tmp_path / "test_000.csv", index=False)
    return tmp_path


def measure(folder, method, *, restored=None, truth=None, scans=None, settings=None):
    paths = [folder / f"{method}_{name}.csv" for name in ("metrics", "structures")]
    measure_fields(
        folder / "registered",
        folder / "test_000.csv",
        restored and folder / restored,
        truth and folder / truth,
        scans and folder / scans,
        method,
        settings or Measure(spots=Spots()),
        2,
        *paths,
    )
    return paths


def values(path):
    table = read_field_table(path)
    return table.set_index("metric").value


def test_only_accepted_fields_are_measured_under_their_own_name(batch):
    for path in measure(batch, "gan", restored="restored"):
        assert set(read_field_table(path).field) == {"007"}


def test_a_restored_field_is_cut_as_its_pair_is(batch):
    metrics, structures = measure(batch, "gan", restored="restored", truth="truth")
    assert values(metrics).fwhm_nm == pytest.approx(140, rel=0.02)
    assert values(metrics).pearson_r_truth > 0.98
    beads_found = read_field_table(structures).query("metric == 'fwhm_nm'")
    corner_nm = np.multiply(CORNER, PIXEL_NM)
    found = beads_found[["y_nm", "x_nm"]].to_numpy() + corner_nm
    expected = (np.array([(40, 40), (40, 100), (95, 40), (95, 100)]) + 0.5) * PIXEL_NM
    distance_nm = np.hypot(*(found[:, None] - expected[None]).transpose(2, 0, 1))
    assert distance_nm.shape == (4, 4)
    assert distance_nm.min(axis=0).max() < 1.5 * PIXEL_NM


def test_the_truth_is_measured_against_the_noisy_target_alone(batch):
    metrics, structures = measure(batch, "truth", truth="truth")
    assert set(values(metrics).index) == {"mse", "psnr_db", "nrmse", "ssim", "pearson_r"}
    assert len(read_field_table(structures)) == 0


@pytest.mark.parametrize(
    ("method", "similar", "average"), [("input", True, True), ("target", False, False)]
)
def test_input_and_target_are_measured_from_the_pair(batch, method, similar, average):
    metrics, _ = measure(batch, method, truth="truth", scans="truth")
    found = set(values(metrics).index)
    assert ("ssim" in found) == similar
    assert ("pearson_r_scan_mean" in found) == average
    assert {"fwhm_nm", "snr", "ssim_truth"} <= found


RUNS = [
    {"name": "gan", "method": "gan", "seed": 0},
    {"name": "gan.seed_1", "method": "gan", "seed": 1},
    {"name": "input", "method": "input", "seed": None},
]


def joined(batch, number):
    parts = [
        measure(batch, "gan", restored="restored")[number],
        measure(batch, "gan", restored="truth")[number],
        measure(batch, "input")[number],
    ]
    kind = ("metrics", "structures")[number]
    collect_tables(parts, kind, RUNS, PROVENANCE, batch / f"{kind}.csv")
    return read_field_table(batch / f"{kind}.csv")


def test_metrics_have_one_row_per_field_method_seed_and_metric(batch):
    table = joined(batch, 0)
    columns = ["field", "method", "seed", "metric", "value", "unit", "experiment", "data"]
    assert list(table.columns) == columns
    assert not table.duplicated(["field", "method", "seed", "metric"]).any()
    assert set(table.seed[table.method == "gan"]) == {0, 1}
    assert table.seed[table.method == "input"].isna().all()
    assert set(table.unit[table.metric == "fwhm_nm"]) == {"nm"}
    assert table.unit.notna().all()


def test_structures_have_their_places(batch):
    table = joined(batch, 1)
    columns = ["field", "method", "seed", "structure", "y_nm", "x_nm", "metric", "value", "unit"]
    assert list(table.columns) == [*columns, *PROVENANCE]
    assert table.unit.notna().all()


def test_where_no_pair_was_accepted_the_run_stops_and_says_where_to_look(batch):
    registration = pd.read_csv(batch / "test_000.csv", dtype={"field": str})
    registration.assign(accepted=False).to_csv(batch / "test_000.csv", index=False)
    metrics, structures = measure(batch, "input")
    with pytest.raises(InputError, match=r"no test pair was accepted.*registration\.csv"):
        collect_tables([metrics], "metrics", RUNS[2:], PROVENANCE, batch / "metrics.csv")
    collect_tables([structures], "structures", RUNS[2:], PROVENANCE, batch / "structures.csv")
    assert len(read_field_table(batch / "structures.csv")) == 0


def test_a_batch_without_accepted_pairs_leaves_the_others_as_they_are(batch):
    good = measure(batch, "input")[0].rename(batch / "good.csv")
    registration = pd.read_csv(batch / "test_000.csv", dtype={"field": str})
    registration.assign(accepted=False).to_csv(batch / "test_000.csv", index=False)
    empty = measure(batch, "input")[0]
    collect_tables([empty, good], "metrics", [RUNS[2], RUNS[2]], PROVENANCE, batch / "metrics.csv")
    found, expected = (read_field_table(batch / name) for name in ("metrics.csv", "good.csv"))
    assert found.value.tolist() == expected.value.tolist()


def test_a_field_of_the_registration_tells_its_batch(batch):
    collect_tables(
        [batch / "test_000.csv"], "registration", [], PROVENANCE, batch / "registration.csv"
    )
    table = read_field_table(batch / "registration.csv")
    assert table.field.tolist() == ["007", "008"]
    assert table.batch.tolist() == ["test_000", "test_000"]
    assert table.data.tolist() == ["simulated", "simulated"]
