"""Lay the noiseless image of each scanned scene where the stitched input truly looks."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from crossres.images import Image, read_image, read_scene_table, write_image
from crossres.jobs import logger, progress
from crossres.measure.registration import Positions, seen_positions_nm
from crossres.simulate import Lookup, ScanTruth, truth_from_dict


def place_truth(
    truth: Path,
    cut: Path,
    input_tiles: Path,
    fields: Mapping[str, str],
    sizes_nm: Mapping[str, float],
    folder: Path,
) -> None:
    """Write, for every field, the noiseless target image on the target's grid.

    The input's mosaic bears the errors of its stage, its stitching and its objective. Each pixel
    shows what the target's microscope would have given where the mosaic truly looks, so that only
    noise and optics tell both apart; 0 where no tile lies, as in the mosaic.

    Parameters
    ----------
    truth
        Folder of the scenes' noiseless images, and of where each pixel of their tiles looked.
    cut
        Folder of the input's fields, which say where in the mosaic they lie.
    input_tiles
        Table of where the input's tiles were put.
    fields
        Scene of each field.
    sizes_nm
        Pixel size of ``input`` and ``target``.
    folder
        Where to.
    """
    positions_px: dict[str, Positions] = {
        scene: {(row.tile_row, row.tile_col): (row.y_px, row.x_px) for row in rows.itertuples()}
        for scene, rows in read_scene_table(input_tiles)
    }
    for scene in progress(list(dict.fromkeys(fields.values())), "placing the truth"):
        scan = truth_from_dict(json.loads((truth / f"{scene}.json").read_text()))
        noiseless = read_image(truth / f"{scene}.ome.tif")
        look_up = Lookup(noiseless.array, noiseless.known_pixel_size_nm)
        for name in (name for name, of in fields.items() if of == scene):
            field = read_image(cut / f"{name}.ome.tif")
            places_px = places_in_mosaic(field, sizes_nm["input"] / sizes_nm["target"])
            array = seen_there(look_up, scan, positions_px[scene], places_px)
            write_image(folder / f"{name}.ome.tif", Image(array, "YX", sizes_nm["target"]))
    logger.info("placed the truth of %d fields", len(fields))


def places_in_mosaic(field: Image, ratio: float) -> np.ndarray:
    """Return (2, Y, X): where in the input's mosaic each pixel of a resampled field lies.

    Parameters
    ----------
    field
        As it was cut from the mosaic.
    ratio
        Pixel size of the input over that of the target.
    """
    shape = [round(n * ratio) for n in field.array.shape]
    corner_px = np.reshape(field.corner_px, (2, 1, 1))
    places: np.ndarray = (np.indices(shape) + 0.5) / ratio - 0.5 + corner_px
    return places


def seen_there(
    look_up: Lookup, scan: ScanTruth, positions_px: Positions, places_px: np.ndarray
) -> np.ndarray:
    """Return (Y, X) float32: the noiseless image at places of the input's mosaic."""
    seen_nm = seen_positions_nm(scan, "input", positions_px, places_px)
    known = np.isfinite(seen_nm).all(axis=0)
    array = np.zeros(known.shape, np.float32)
    array[known] = look_up(seen_nm[:, known])
    return array


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        place_truth,
        job.log[0],
        truth=Path(job.input.truth),
        cut=Path(job.input.cut),
        input_tiles=Path(job.input.input_tiles),
        fields=job.params.fields,
        sizes_nm=job.params.sizes_nm,
        folder=Path(job.output[0]),
    )
