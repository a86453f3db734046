"""Simulate both scans of a batch of fields and write them as the microscopes would."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile

from crossres.images import Image, write_image
from crossres.jobs import progress
from crossres.samples import Emitters
from crossres.settings import Microscope, Modalities, Simulator
from crossres.simulate import Acquired, acquire, truth_to_dict


def simulate_acquisition(
    fields: Sequence[tuple[str, int]],
    simulator: Simulator,
    modalities: Modalities,
    channel: str,
    input_folder: Path,
    target_folder: Path,
    truth_folder: Path,
) -> None:
    """Write <field>.tif of both scans, and the truth beside them for measuring rules alone.

    Of stage scans the tiles are written, such as train_000_r0c1.tif. Of repeated scans the first
    is the target; the others are truth, such as <field>_scan2.tif.

    Parameters
    ----------
    fields
        (name, number) of each field or scene; the number seeds its chance.
    simulator, modalities
        Of the experiment, in this channel.
    channel
        Its name.
    input_folder, target_folder, truth_folder
        Where to.
    """
    folders = {"input": input_folder, "target": target_folder}
    for folder in (*folders.values(), truth_folder):
        folder.mkdir(parents=True, exist_ok=True)
    drifts = []
    for name, number in progress(fields, "simulating"):
        acquired = acquire(
            simulator.sample, simulator.acquisition, modalities, channel, number, simulator.seed
        )
        for role, folder in folders.items():
            for tile, image in acquired.images[role].items():
                file = f"{name}_{tile}.tif" if tile else f"{name}.tif"
                write_raw(folder / file, image, getattr(modalities, role))
        write_truth(truth_folder, name, acquired, modalities.target)
        if acquired.drifts_nm is not None:
            drift_nm = acquired.drifts_nm[0]
            z_y_x = zip("zyx"[-len(drift_nm) :], drift_nm, strict=True)
            drifts.append({f"drift_{axis}_nm": length for axis, length in z_y_x} | {"field": name})
    if drifts:
        columns = ["field", "drift_y_nm", "drift_x_nm", "drift_z_nm"][: len(drifts[0])]
        pd.DataFrame(drifts, columns=columns).to_csv(truth_folder / "drift.csv", index=False)


def write_truth(folder: Path, name: str, acquired: Acquired, target: Microscope) -> None:
    """Write the noiseless image, further scans, where emitters lie and where pixels looked."""
    array = acquired.noiseless
    z_step_nm = target.z_step_nm if array.ndim == 3 else None
    noiseless = Image(array, "ZYX"[-array.ndim :], acquired.noiseless_pixel_nm, z_step_nm)
    write_image(folder / f"{name}.ome.tif", noiseless)
    for scan, image in acquired.further_scans.items():
        write_raw(folder / f"{name}_{scan}.tif", image, target)
    if acquired.emitters is not None:
        emitter_table(acquired.emitters, array.ndim == 3).to_csv(
            folder / f"{name}.csv", index=False
        )
    if acquired.scan is not None:
        (folder / f"{name}.json").write_text(json.dumps(truth_to_dict(acquired.scan)))


def emitter_table(emitters: Emitters, in_depth: bool) -> pd.DataFrame:
    """Return a row an emitter; places count from the field's edge, z from that of the volume."""
    z_nm, y_nm, x_nm = emitters.position_nm.T
    columns = {"z_nm": z_nm} if in_depth else {}
    columns |= {"y_nm": y_nm, "x_nm": x_nm, "brightness": emitters.brightness}
    return pd.DataFrame({**columns, **emitters.facts})


def write_raw(path: Path, image: np.ndarray, microscope: Microscope) -> None:
    """Write an ImageJ TIFF, the usual export of a confocal: pixel size in the resolution tag."""
    assert microscope.pixel_size_nm is not None
    per_um = 1e3 / microscope.pixel_size_nm
    metadata: dict[str, Any] = {"unit": "um", "axes": "ZYX"[-image.ndim :]}
    if image.ndim == 3:
        assert microscope.z_step_nm is not None
        metadata["spacing"] = microscope.z_step_nm / 1e3
    tifffile.imwrite(path, image, imagej=True, resolution=(per_um, per_um), metadata=metadata)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        simulate_acquisition,
        job.log[0],
        fields=job.params.fields,
        simulator=Simulator(**job.params.simulator),
        modalities=Modalities(**job.params.modalities),
        channel=job.wildcards.channel,
        input_folder=Path(job.output.input),
        target_folder=Path(job.output.target),
        truth_folder=Path(job.output.truth),
    )
