"""What the simulator's scripts write."""

import numpy as np
import pandas as pd
import pytest
import tifffile
from microscopes_with_cameras import CONFOCAL, changed

from crossres.images import Image, read_image, write_image
from crossres.registration import estimate_shift
from crossres.settings import Modalities, Simulator, Widefield
from place_truth import place_truth
from simulate_acquisition import simulate_acquisition

FIELDS = {"train": 1, "validation": 1, "test": 1}
SIMULATORS = {
    "pair": {
        "sample": {"kind": "beads"},
        "acquisition": {"kind": "pair", "fields": FIELDS, "field_px": 48},
    },
    "repeats": {
        "sample": {"kind": "nuclear_puncta"},
        "acquisition": {"kind": "repeats", "fields": FIELDS, "field_px": 48},
    },
    "volume": {
        "sample": {"kind": "bead_volume", "density_per_um3": 0.2},
        "acquisition": {"kind": "volume", "fields": FIELDS, "field_px": 48, "slices": 6},
    },
    "stage": {
        "sample": {
            "kind": "cells",
            "density_per_mm2": 1500.0,
            "stains": {"green": {"structure": "filaments"}},
        },
        "acquisition": {
            "kind": "stage",
            "scenes": FIELDS,
            "scan": {
                "input": {"rows": 1, "columns": 2, "tile_px": 100, "overlap": 0.2},
                "target": {"rows": 1, "columns": 1, "tile_px": 64, "overlap": 0.1},
            },
        },
    },
}
STACKING = Modalities(
    input=changed(CONFOCAL, pixel_size_nm=80.0, z_step_nm=300.0),
    target=changed(CONFOCAL, z_step_nm=150.0),
)
OBJECTIVES = Modalities(
    **{
        role: Widefield(
            kind="widefield", na=na, refractive_index=1.0, wavelength_nm=530.0,
            pixel_size_nm=pixel_nm, camera=CONFOCAL.camera,
        )
        for role, na, pixel_nm in (("input", 0.4, 650.0), ("target", 0.75, 325.0))
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folder of what a kind of acquisition wrote of one field."""

    def write(kind):
        folder = tmp_path_factory.mktemp(kind)
        simulate_acquisition(
            [("train_000", 0)],
            Simulator(**SIMULATORS[kind]),
            OBJECTIVES if kind == "stage" else STACKING,
            "green",
            *(folder / name for name in ("input", "target", "truth")),
        )
        return folder

    return write


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", SIMULATORS)
def test_everything_simulated_leaves_a_noiseless_image(written, kind):
    noiseless = read_image(written(kind) / "truth" / "train_000.ome.tif")
    assert noiseless.array.dtype == np.float32
    assert noiseless.axes == ("ZYX" if kind == "volume" else "YX")
    assert noiseless.pixel_size_nm == pytest.approx(162.5 if kind == "stage" else 40.0)


def test_a_volume_is_written_with_its_steps(written):
    folder = written("volume")
    for role, (pixel_nm, step_nm), shape in (
        ("input", (80.0, 300.0), (3, 24, 24)),
        ("target", (40.0, 150.0), (6, 48, 48)),
    ):
        image = read_image(folder / role / "train_000.tif")
        assert (image.axes, image.array.shape) == ("ZYX", shape)
        assert image.pixel_size_nm == pytest.approx(pixel_nm)
        assert image.z_step_nm == pytest.approx(step_nm)
    noiseless = read_image(folder / "truth" / "train_000.ome.tif")
    assert noiseless.z_step_nm == pytest.approx(150.0)
    beads = pd.read_csv(folder / "truth" / "train_000.csv")
    assert list(beads) == ["z_nm", "y_nm", "x_nm", "brightness"]
    drift = pd.read_csv(folder / "truth" / "drift.csv")
    assert list(drift) == ["field", "drift_y_nm", "drift_x_nm", "drift_z_nm"]


def test_repeated_scans_beyond_the_target_are_truth(written):
    folder = written("repeats")
    assert names_in(folder / "target") == ["train_000.tif"]
    assert {"train_000_scan2.tif", "train_000_scan3.tif"} < set(names_in(folder / "truth"))
    puncta = pd.read_csv(folder / "truth" / "train_000.csv")
    scans = ["target", "scan2", "scan3"]
    assert list(puncta) == ["y_nm", "x_nm", "brightness", "nucleus", *scans]
    drift = pd.read_csv(folder / "truth" / "drift.csv")
    assert list(drift) == ["field", "drift_y_nm", "drift_x_nm"]


def test_the_truth_of_a_stage_scan_is_placed_where_the_input_looks(written):
    folder = written("stage")
    assert names_in(folder / "input") == ["train_000_r0c0.tif", "train_000_r0c1.tif"]
    # of a mosaic of one tile, and nothing beside it
    tile = tifffile.imread(folder / "input" / "train_000_r0c1.tif").astype(np.float32)
    cut = Image(tile[20:90, 10:90], "YX", 650.0, corner_px=(20, 10))
    write_image(folder / "cut" / "train_000_0.ome.tif", cut)
    tiles = {"scene": ["train_000"], "tile_row": 0, "tile_col": 1, "y_px": 0.0, "x_px": 0.0}
    pd.DataFrame(tiles).to_csv(folder / "tiles.csv", index=False)
    place_truth(
        folder / "truth", folder / "cut", folder / "tiles.csv", {"train_000_0": "train_000"},
        {"input": 650.0, "target": 325.0}, folder / "placed",
    )  # fmt: skip
    placed = read_image(folder / "placed" / "train_000_0.ome.tif")
    assert placed.pixel_size_nm == pytest.approx(325.0)
    assert placed.array.shape == (140, 160)
    binned = placed.array.reshape(70, 2, 80, 2).mean(axis=(1, 3))
    assert np.corrcoef(binned.ravel(), cut.array.ravel())[0, 1] > 0.95
    np.testing.assert_allclose(estimate_shift(cut.array, binned), 0.0, atol=0.1)
