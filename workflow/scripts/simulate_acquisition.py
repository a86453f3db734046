"""Simulate both scans of a batch of fields and write them as the microscope would."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile

from crossres.jobs import progress
from crossres.simulate import acquire_pair, acquire_scan, acquire_scans, truth_to_dict


def simulate_acquisition(
    fields: Sequence[tuple[str, int]],
    simulator: Mapping[str, Any],
    modalities: Mapping[str, Mapping[str, Any]],
    channel: str,
    input_folder: Path,
    target_folder: Path,
    truth_folder: Path,
) -> None:
    """Write <field>.tif of both scans, and the truth beside them for measuring rules alone.

    Of stage scans the tiles are written, such as train_000_r0c1.tif. Of nuclei, which the target's
    microscope scans several times, the first scan is the target; the others are truth, such as
    <field>_scan2.tif.

    Parameters
    ----------
    fields
        (name, number) of each field or scene; the number seeds its chance.
    simulator, modalities
        Of the experiment.
    channel
        Its name.
    input_folder, target_folder, truth_folder
        Where to.
    """
    folders = {"input": input_folder, "target": target_folder}
    for folder in (*folders.values(), truth_folder):
        folder.mkdir(parents=True, exist_ok=True)
    if "scan" in simulator:
        simulate_scan(fields, simulator, modalities, channel, folders, truth_folder)
        return
    acquire = acquire_scans if simulator["sample"] == "nuclear_puncta" else acquire_pair
    drifts = []
    for name, number in progress(fields, "simulating fields"):
        images, spots, drift_nm = acquire(simulator, modalities, number)
        for role, image in images.items():
            file = f"{name}.tif" if role in folders else f"{name}_{role}.tif"
            size_nm = modalities["input" if role == "input" else "target"]["pixel_size_nm"]
            write_as_microscope(folders.get(role, truth_folder) / file, image, size_nm)
        spots.to_csv(truth_folder / f"{name}.csv", index=False)
        # of several scans, the first is the target
        drifts.append((name, *drift_nm.reshape(-1, 2)[0]))
    table = pd.DataFrame(drifts, columns=["field", "drift_y_nm", "drift_x_nm"])
    table.to_csv(truth_folder / "drift.csv", index=False)


def simulate_scan(
    scenes: Sequence[tuple[str, int]],
    simulator: Mapping[str, Any],
    modalities: Mapping[str, Mapping[str, Any]],
    channel: str,
    folders: Mapping[str, Path],
    truth_folder: Path,
) -> None:
    """Write the tiles of both scans of every scene, and <scene>.json with where each looked."""
    for name, number in progress(scenes, "simulating scenes"):
        scans, truth = acquire_scan(simulator, modalities, channel, number)
        for role, tiles in scans.items():
            for tile, image in tiles.items():
                path = folders[role] / f"{name}_{tile}.tif"
                write_as_microscope(path, image, modalities[role]["pixel_size_nm"])
        (truth_folder / f"{name}.json").write_text(json.dumps(truth_to_dict(truth)))


def write_as_microscope(path: Path, image: np.ndarray, pixel_size_nm: float) -> None:
    """Write an ImageJ TIFF, the usual export of a confocal: pixel size in the resolution tag."""
    per_um = 1e3 / pixel_size_nm
    tifffile.imwrite(
        path, image, imagej=True, resolution=(per_um, per_um), metadata={"unit": "um", "axes": "YX"}
    )


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        simulate_acquisition,
        job.log[0],
        fields=job.params.fields,
        simulator=job.params.simulator,
        channel=job.wildcards.channel,
        modalities=job.params.modalities,
        input_folder=Path(job.output.input),
        target_folder=Path(job.output.target),
        truth_folder=Path(job.output.truth),
    )
