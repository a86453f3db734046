"""Experiments small enough to run in a test: settings as a YAML file has them, and image files."""

import copy
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import yaml
from scipy.ndimage import gaussian_filter
from workflow_runs import RUN

EXPERIMENT = "confocal_sted_beads"
"""The tiny experiment bears the name of the one that claims are judged on."""

PIXEL_NM = 30
FIELD_PX = 128
INPUT_PIXEL_NM = 60
SHEET_PX = 96

OPTICS = {"na": 1.4, "refractive_index": 1.515, "excitation_nm": 633, "wavelength_nm": 645}
CAMERA = {"background_photons": 9, "gain": 1.0, "offset": 4, "read_noise": 3.0, "bit_depth": 16}

SIMULATED: dict[str, Any] = {
    "title": "Tiny confocal to STED",
    "source": {
        "simulator": {
            "seed": 3,
            "sample": {"kind": "beads", "density_per_um2": 0.6, "pair_fraction": 0.3},
            "acquisition": {
                "kind": "pair",
                "fields": {"train": 2, "validation": 1, "test": 2},
                "field_px": FIELD_PX,
            },
        }
    },
    "modalities": {
        "input": {
            "kind": "confocal",
            **OPTICS,
            "pinhole_airy_units": 1.0,
            "pixel_size_nm": INPUT_PIXEL_NM,
            "camera": {"peak_photons": 400, **CAMERA},
        },
        "target": {
            "kind": "sted",
            **OPTICS,
            "depletion_nm": 775,
            "saturation_factor": 4.4,
            "pinhole_airy_units": 1.0,
            "pixel_size_nm": PIXEL_NM,
            "camera": {"peak_photons": 400, **CAMERA},
        },
    },
    "patches": {"size_px": 32, "per_field": 4},
    "networks": {
        "gan": {
            "width": 2,
            "iterations": 6,
            "batch": 2,
            "validate_every": 2,
            "adversarial": {"width": 2, "downsample": True, "warm_up_iterations": 2},
        },
        "cnn": {"width": 2, "iterations": 6, "batch": 2, "validate_every": 3, "seeds": [0, 1]},
    },
    "deconvolution": {
        "richardson_lucy": {"max_iterations": 3, "damping": [0, 0.01]},
        "nnls": {"max_iterations": 3},
    },
    "measure": {"spots": {"fwhm_nm": 120, "crop_px": 15, "isolation_nm": 400}},
}
"""Eight fields at most, networks of a few hundred weights; simulated from the first pixel on."""


SHEET_SPLITS = ("train", "train", "validation", "test", "apply")
SHEET_SETTINGS: dict[str, Any] = {
    "networks": {},
    "deconvolution": {"nnls": {"max_iterations": 3}},
    "preprocess__background": {"method": "find", "region_px": 16},
}
"""What the finished run of a sheet changes in :func:`of_sheet`."""

SHEET_TARGETS = tuple(
    f"results/{EXPERIMENT}/beads/{name}" for name in ("metrics.csv", "restored/nnls")
)

SCAN_EXPERIMENT = "widefield_bpaec"
"""The tiny stage scans, too, bear the name of the experiment that claims are judged on."""

SCENES = ("train_000", "validation_000", "test_000")
SCAN_TARGETS = (
    f"results/{SCAN_EXPERIMENT}/actin/metrics.csv",
    f"results/{SCAN_EXPERIMENT}/actin/figures/registration.png",
    f"results/{SCAN_EXPERIMENT}/mesh/registered/train_000",
)
"""What is asked of the run: one channel to its end, and of the other what differs from it."""

SCAN_INPUT_NM = 650
SCAN_TARGET_NM = 325
SCAN_FIELD_PX = 128
SCAN_CAMERA = {
    "peak_photons": 3000,
    "background_photons": 50,
    "gain": 2.0,
    "offset": 100,
    "read_noise": 4,
    "bit_depth": 16,
}
WIDEFIELD = {"kind": "widefield", "refractive_index": 1.0, "camera": SCAN_CAMERA}

SCANNED: dict[str, Any] = {
    "title": "Tiny stage scans",
    "source": {
        "simulator": {
            "seed": 5,
            "sample": {
                "kind": "cells",
                "density_per_mm2": 1500,
                "stains": {
                    "actin": {"structure": "filaments", "fibre_count": 60},
                    "mesh": {"structure": "filaments", "fibre_count": 90, "brightness": 0.8},
                },
            },
            "acquisition": {
                "kind": "stage",
                "scenes": {"train": 1, "validation": 1, "test": 1},
                "channels": {
                    "mesh": {"filter_shift_px": {"input": [0.4, -0.7], "target": [-0.9, 0.5]}},
                },
                "scan": {
                    "input": {"rows": 2, "columns": 2, "tile_px": 128, "overlap": 0.2},
                    "target": {
                        "rows": 2,
                        "columns": 3,
                        "tile_px": 112,
                        "overlap": 0.15,
                        "offset_nm": 2000,
                    },
                },
            },
        },
        "stitch": {
            "overlap": {"input": 0.2, "target": 0.15},
            "channel": "actin",
            "fields": {"rows": 1, "columns": 2, "size_px": SCAN_FIELD_PX},
        },
    },
    "modalities": {
        "input": {
            **WIDEFIELD,
            "na": 0.4,
            "wavelength_nm": {"actin": 630, "mesh": 532},
            "pixel_size_nm": SCAN_INPUT_NM,
        },
        "target": {
            **WIDEFIELD,
            "na": 0.75,
            "wavelength_nm": {"actin": 630, "mesh": 532},
            "pixel_size_nm": SCAN_TARGET_NM,
        },
    },
    "registration": {"method": "elastic", "max_shift_nm": 3000},
    "patches": {"size_px": 32, "per_field": 4},
    "networks": {
        "gan": {
            "width": 2,
            "iterations": 6,
            "batch": 2,
            "validate_every": 2,
            "adversarial": {"width": 2, "downsample": True, "warm_up_iterations": 2},
        }
    },
    "deconvolution": {},
    "measure": {"modulation": {"window_px": 11}},
}
"""Three scenes of 150 µm in two channels, a target of 67 x 98 µm somewhere in each."""

VOLUME_EXPERIMENT = "bead_volumes"
VOLUME_PX, SLICES, VOLUME_PIXEL_NM, Z_STEP_NM = 96, 28, 60, 150
BEAD_NM = 40
CONFOCAL = {"kind": "confocal", "excitation_nm": 488, "wavelength_nm": 520}
CONFOCAL |= {"pinhole_airy_units": 1.0, "pixel_size_nm": VOLUME_PIXEL_NM, "z_step_nm": Z_STEP_NM}
# bright beads, and blurs that make their images Gaussian: their widths are those of the optics
VOLUME_CAMERA = {**CAMERA, "peak_photons": 2000, "background_photons": 2, "read_noise": 1.5}
VOLUME_NETWORK = {"width": 4, "iterations": 4, "batch": 2, "validate_every": 2}

VOLUMES: dict[str, Any] = {
    "title": "Tiny volumes",
    "dims": 3,
    "source": {
        "simulator": {
            "seed": 6,
            "sample": {"kind": "bead_volume", "density_per_um3": 0.05, "diameter_nm": BEAD_NM},
            "acquisition": {
                "kind": "volume",
                "fields": {"train": 1, "validation": 1, "test": 2},
                "field_px": VOLUME_PX,
                "slices": SLICES,
                "drift_nm": 60,
            },
        }
    },
    "modalities": {
        "input": {
            **CONFOCAL,
            "na": 0.8,
            "refractive_index": 1.0,
            "residual_blur_nm": 200,
            "camera": VOLUME_CAMERA,
        },
        "target": {
            **CONFOCAL,
            "na": 1.4,
            "refractive_index": 1.515,
            "residual_blur_nm": 100,
            "camera": VOLUME_CAMERA,
        },
    },
    "registration": {"method": "affine", "max_shift_nm": 400},
    "patches": {"size_px": 32, "slices": 16, "per_field": 4, "foreground_fraction": 0.0},
    "networks": {
        "rcan": {**VOLUME_NETWORK, "groups": 1, "blocks": 1, "reduction": 2},
        "care": {**VOLUME_NETWORK, "depth": 1},
    },
    "deconvolution": {"richardson_lucy": {"max_iterations": 15, "damping": [0]}},
    "measure": {
        "spots": {"fwhm_nm": 200, "axial_fwhm_nm": 550, "crop_px": 17, "isolation_nm": 1200}
    },
}
"""Four volumes of beads, about seven in each."""


def simulated(**changes: Any) -> dict[str, Any]:
    """Return the simulated experiment; a change is named by its path, joined by two underscores."""
    return changed(SIMULATED, **changes)


def scanned(**changes: Any) -> dict[str, Any]:
    """Return the experiment on simulated stage scans."""
    return changed(SCANNED, **changes)


def volumes(**changes: Any) -> dict[str, Any]:
    """Return the experiment on simulated volumes."""
    return changed(VOLUMES, **changes)


def of_sheet(**changes: Any) -> dict[str, Any]:
    """Return an experiment on the files that :func:`write_pairs` writes."""
    settings = copy.deepcopy(SIMULATED)
    settings["source"] = {"sheet": "pairs.tsv", "data_root": "data"}
    for modality in settings["modalities"].values():
        del modality["camera"], modality["pixel_size_nm"]
    return changed(settings, **changes)


def scans_of_sheet(data_root: Path, **changes: Any) -> dict[str, Any]:
    """Return an experiment on the scans that :func:`write_scan_sheet` lists."""
    settings = scanned(networks={}, measure={})
    stitch = settings["source"]["stitch"]
    settings["source"] = {"sheet": "scans.tsv", "data_root": str(data_root), "stitch": stitch}
    for modality in settings["modalities"].values():
        modality["wavelength_nm"] = 630
        del modality["camera"], modality["pixel_size_nm"]
    return changed(settings, **changes)


def changed(settings: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a copy of settings in which ``networks__cnn__width=3`` sets networks.cnn.width."""
    result = copy.deepcopy(dict(settings))
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = result
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = value
    return result


def write_experiment(
    folder: Path, settings: Mapping[str, Any], name: str = EXPERIMENT, **configuration: Any
) -> None:
    """Write an experiment, and the configuration that runs it and nothing else."""
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(dict(settings)))
    # a GPU, where there is one, need not give the same bytes twice
    run = {"experiments": [f"{name}.yaml"], "device": "cpu", **configuration}
    (folder / RUN).write_text(yaml.safe_dump(run))


def write_tiff(path: Path, array: np.ndarray, pixel_size_nm: float | None = PIXEL_NM) -> None:
    """Write an ImageJ TIFF; without a pixel size, a plain TIFF that says nothing of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if pixel_size_nm is None:
        tifffile.imwrite(path, array, metadata=None)
        return
    axes = "ZYX"[-array.ndim :]
    per_um = 1e3 / pixel_size_nm
    tifffile.imwrite(
        path,
        array,
        imagej=True,
        resolution=(per_um, per_um),
        metadata={"unit": "um", "axes": axes},
    )


def draw_pair(number: int, side_px: int = SHEET_PX) -> dict[str, np.ndarray]:
    """Return float32 spots, blurred by two widths, as input and target show them."""
    rng = np.random.default_rng([7, number])
    objects = np.zeros((side_px, side_px))
    objects[tuple(rng.integers(5, side_px - 5, (2, side_px // 3)))] = 4000
    blurred = {"input": gaussian_filter(objects, 4), "target": gaussian_filter(objects, 2)}
    return {
        role: (image + rng.normal(10, 0.3, image.shape)).astype(np.float32)
        for role, image in blurred.items()
    }


def write_pairs(folder: Path, splits: Sequence[str], **columns: Sequence[str]) -> None:
    """Write a pair of images for each split named, and the sheet that lists them.

    ``columns`` are further columns of the sheet, a cell a row.
    """
    rows = []
    for number, split in enumerate(splits):
        for role, image in draw_pair(number).items():
            write_tiff(folder / "data" / f"f{number}_{role}.tif", image)
        target = "" if split == "apply" else f"f{number}_target.tif"
        row = {"field": f"f{number}", "channel": "beads", "input": f"f{number}_input.tif"}
        row |= {"target": target, "split": split}
        rows.append(row | {name: cells[number] for name, cells in columns.items()})
    write_sheet(folder / "pairs.tsv", rows)


def write_scan_sheet(folder: Path, raw: Path) -> None:
    """Write the sheet that lists the tiles of one channel's raw folder, the last one first.

    The training scene is called slide; the others keep their names.
    """
    rows = []
    for scene in SCENES:
        split = scene.removesuffix("_000")
        tiles = {
            role: {path.stem.rsplit("_", 1)[1]: path for path in (raw / role / scene).glob("*.tif")}
            for role in ("input", "target")
        }
        for tile in sorted({**tiles["input"], **tiles["target"]}):
            place = tile.removeprefix("r").split("c")
            row = {"field": f"{scene}-{tile}", "channel": "actin", "split": split}
            row |= {"scene": "slide" if split == "train" else scene}
            row |= {"tile_row": place[0], "tile_col": place[1]}
            for role, files in tiles.items():
                row[role] = str(files[tile].relative_to(raw)) if tile in files else ""
            rows.append(row)
    write_sheet(folder / "scans.tsv", rows[::-1])


def write_sheet(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write a sheet, its columns as the first row names them."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_sheet_rows(path: Path) -> list[dict[str, str]]:
    """Read back what :func:`write_sheet` wrote."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))
