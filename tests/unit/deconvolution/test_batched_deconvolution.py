"""The scripts of deconvolution: tuned by batch, chosen over all, applied by batch."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

import choose_deconvolution
import deconvolve_fields
import tune_deconvolution
from crossres.catalogue.classical import NNLS, RichardsonLucy
from crossres.deconvolution.baseline import iterate_baseline
from crossres.deconvolution.chosen import Chosen
from crossres.images import Image, fields_in, read_image, write_image
from crossres.settings import Widefield

MICROSCOPE = Widefield(kind="widefield", na=1.4, wavelength_nm=670.0, refractive_index=1.518)
SIZES = {2: ((30, 33), "CYX", None), 3: ((6, 20, 21), "CZYX", 150.0)}


def psf_of(dims):
    point = np.zeros((7,) * dims)
    point[(3,) * dims] = 1.0
    psf = gaussian_filter(point, 1.0)
    return psf / psf.sum()


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """The PSFs of a microscope stand in for; which were asked for."""
    found = []

    def modality_psf(microscope, pixel_size_nm, z_step_nm=None):
        found.append((microscope, pixel_size_nm, z_step_nm))
        return psf_of(2 if z_step_nm is None else 3)

    for script in (tune_deconvolution, deconvolve_fields):
        monkeypatch.setattr(script, "modality_psf", modality_psf)
    return found


@pytest.fixture
def pairs(tmp_path, rng):
    """Registered fields, four images or volumes."""

    def write(dims):
        shape, axes, z_step_nm = SIZES[dims]
        for name in "abcd":
            target = rng.random(shape) * 100
            image = np.stack([gaussian_filter(target, 1.0) + 20, target]).astype(np.float32)
            pair = Image(image, axes, 30.0, z_step_nm, ("input", "target"))
            write_image(tmp_path / "registered" / f"{name}.ome.tif", pair)
        return fields_in([tmp_path / "registered"])

    return write


def tuned(method, settings, batches, folder):
    tables = []
    for number, batch in enumerate(batches):
        tables.append(folder / f"validation_00{number}.csv")
        tune_deconvolution.tune_deconvolution(
            method, settings, batch, MICROSCOPE, "find", tables[-1]
        )
    grid, chosen = folder / "grid.csv", folder / "parameters.json"
    choose_deconvolution.choose_deconvolution(method, tables, grid, chosen)
    return grid, chosen


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("richardson_lucy", RichardsonLucy(max_iterations=6, damping=(0.0, 0.01))),
        ("nnls", NNLS(max_iterations=6)),
    ],
)
def test_batches_give_what_one_of_all_fields_gives(tmp_path, pairs, asked, dims, method, settings):
    fields = pairs(dims)
    grid, chosen = tuned(method, settings, [fields[:3], fields[3:]], tmp_path)
    assert asked == [(MICROSCOPE, 30.0, SIZES[dims][2])] * 2
    table = pd.read_csv(grid)
    assert list(table) == [settings.parameter, "iterations", "pearson_r"]
    for value in settings.values:
        images = [read_image(path) for path in fields]
        expected = np.mean(
            [
                [
                    np.corrcoef(estimate.ravel(), image.channel("target").ravel())[0, 1]
                    for estimate in iterate_baseline(
                        method, image.channel("input"), psf_of(dims), 6, value, "find"
                    )
                ]
                for image in images
            ],
            axis=0,
        )
        found = table[table[settings.parameter] == value]
        np.testing.assert_allclose(found.pearson_r, expected)
    best = json.loads(chosen.read_text())
    row = table.loc[table.pearson_r.idxmax()]
    assert best["method"] == method
    assert best["validation_pearson_r"] == pytest.approx(table.pearson_r.max())
    assert (best["iterations"], best[settings.parameter]) == (
        row.iterations,
        row[settings.parameter],
    )
    assert best["at_limit_of_grid"] == (row.iterations == 6)


@pytest.mark.parametrize("dims", [2, 3])
def test_fields_are_deconvolved_at_what_was_chosen(tmp_path, rng, dims):
    shape, _, z_step_nm = SIZES[dims]
    image = Image((rng.random(shape) * 100).astype(np.float32), "ZYX"[-dims:], 30.0, z_step_nm)
    write_image(tmp_path / "resampled" / "a.ome.tif", image)
    best = Chosen("richardson_lucy", 5, 0.01, 0.9, False)
    (tmp_path / "parameters.json").write_text(json.dumps(best.as_json()))
    deconvolve_fields.deconvolve_fields(
        tmp_path / "parameters.json",
        fields_in([tmp_path / "resampled"]),
        MICROSCOPE,
        "none",
        tmp_path / "restored",
    )
    found = read_image(tmp_path / "restored" / "a.ome.tif")
    *_, expected = iterate_baseline("richardson_lucy", image.array, psf_of(dims), 5, 0.01, "none")
    np.testing.assert_array_equal(found.array, expected)
    assert found.metadata == image.metadata
