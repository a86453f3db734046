"""A sample of cells scanned tile by tile with two wide-field objectives.

Pixel i of a tile has its centre at index i, which is (i - (tile_px - 1) / 2) pixel sizes from the
tile's centre. Pixel i of the fine grid on which the sample is drawn has its centre at (i + 0.5)
pixel sizes from the sample's edge.
"""

from collections.abc import Mapping
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from scipy import ndimage

from crossres.jobs import InputError
from crossres.optics import detect
from crossres.optics.defocus import blur_layers
from crossres.simulate.cells import place_cells
from crossres.simulate.distortion import draw_distortion
from crossres.simulate.scan_truth import Scan, ScanTruth, sample_position_nm
from crossres.simulate.structures import draw_structure

ROLES = ("input", "target")
PLACES, STAGE, STRUCTURE, OBJECTIVE, FILTER, NOISE = range(6)
"""Purposes of chance, a stream each: cells and stage are then the same for every channel."""

FINE_PER_PIXEL = 2
"""Pixels of the fine grid in one of the target's."""

LAYERS = 5
"""Of the sample, evenly spaced over its thickness."""

MARGIN_NM = 10e3
"""Sample beyond the outermost tiles: light comes from out-of-focus layers as far away."""

STAGE_LIMIT = 3.0
"""No stage errs by more standard deviations, so that what must overlap does."""


def acquire_scan(
    simulator: Mapping[str, Any],
    modalities: Mapping[str, Mapping[str, Any]],
    channel: str,
    scene_number: int,
) -> tuple[dict[str, dict[str, np.ndarray]], ScanTruth]:
    """Simulate the scans of one scene with both objectives in one channel.

    Cells and stage positions are the same in every channel of a scene, objectives in every scene.
    The same seed, channel and scene number always give the same tiles.

    Parameters
    ----------
    simulator
        ``seed``, ``thickness_um`` (of the sample, half of it on either side of the focus),
        ``cell_density_per_mm2``, ``rotation_degree`` and ``scale_error`` (of the target's camera
        against the input's, and of its pixel size), ``channels`` and ``scan``.

        Each channel has ``brightness``, ``defocus_um`` (from the plane of the autofocus),
        ``filter_shift_px`` (``input`` and ``target``, each (y, x)) and the settings of
        :func:`crossres.simulate.structures.draw_structure`.

        ``scan`` has ``input`` and ``target``, each with ``rows``, ``columns``, ``tile_px``,
        ``overlap`` (part of a tile), ``distortion_px`` (at its corner) and ``stage_error_px``
        (standard deviation along an axis, at most 3 of which occur). ``offset_nm`` of the target
        is the greatest distance, along an axis, of its scan's centre from the input's.
    modalities
        ``input`` and ``target``, each with ``wavelength_nm`` of this channel, ``na``,
        ``refractive_index``, ``pixel_size_nm`` and ``camera``. Its ``peak_photons`` is what a
        pixel gets at the 99.9th percentile of the noiseless scene where ``brightness`` is 1, so
        that structures are comparable.
    channel
        Key of ``simulator["channels"]``.
    scene_number
        Number of the scene within the whole acquisition.

    Returns
    -------
    tiles : dict
        ``input`` and ``target``: name of a tile (r0c0, row 0 and column 0, at the top left) to
        (Y, X) unsigned integers, in the order of acquisition.
    truth : ScanTruth
        Where each pixel looked.

    Raises
    ------
    InputError
        The target's scan is too large to lie within the input's.
    """
    truth = lay_out(simulator, modalities, channel, scene_number)
    images, fine_nm = image_sample(simulator, modalities, channel, scene_number, truth.size_nm)
    brightness = simulator["channels"][channel]["brightness"]
    edge = int(MARGIN_NM // fine_nm)
    tiles: dict[str, dict[str, np.ndarray]] = {}
    for role in ROLES:
        camera, image = modalities[role]["camera"], images.pop(role)
        level = np.percentile(image[edge:-edge:3, edge:-edge:3], 99.9)
        rng = _chance(simulator, NOISE, scene_number, crc32(channel.encode()), ROLES.index(role))
        # a scene without cells is dark; without light there is nothing to scale
        scale = camera["peak_photons"] * brightness / level if level > 0 else 0.0
        tiles[role] = {
            name: detect(np.clip(seen * scale, 0, None), camera, rng)
            for name, seen in sample_tiles(image, fine_nm, truth, role).items()
        }
    return tiles, truth


def lay_out(
    simulator: Mapping[str, Any],
    modalities: Mapping[str, Mapping[str, Any]],
    channel: str,
    scene_number: int,
) -> ScanTruth:
    """Decide where both scans' tiles lie and how their optics distort."""
    reach_nm, steps_nm = {}, {}
    for role in ROLES:
        scan, pixel_nm = simulator["scan"][role], modalities[role]["pixel_size_nm"]
        steps_nm[role] = scan["tile_px"] * (1 - scan["overlap"]) * pixel_nm
        count = np.array([scan["rows"], scan["columns"]])
        # of all channels, as all must have one sample
        shifts_px = [c["filter_shift_px"][role] for c in simulator["channels"].values()]
        error_px = STAGE_LIMIT * scan["stage_error_px"] + scan["distortion_px"]
        error_px += np.abs(shifts_px).max()
        half_nm = ((count - 1) * steps_nm[role] + scan["tile_px"] * pixel_nm) / 2
        reach_nm[role] = half_nm, error_px * pixel_nm
    _check_target_fits(simulator, reach_nm)
    fine_nm = modalities["target"]["pixel_size_nm"] / FINE_PER_PIXEL
    size_nm = 2 * (reach_nm["input"][0].max() + reach_nm["input"][1] + MARGIN_NM)
    size_nm = float(np.ceil(size_nm / fine_nm) * fine_nm)
    rng = _chance(simulator, STAGE, scene_number)
    scans = {}
    for role in ROLES:
        scan, nominal_nm = simulator["scan"][role], modalities[role]["pixel_size_nm"]
        target = role == "target"
        limit_nm = scan["offset_nm"] if target else 0.0
        centre_nm = size_nm / 2 + rng.uniform(-limit_nm, limit_nm, 2)
        scans[role] = Scan(
            tile_px=scan["tile_px"],
            pixel_size_nm=nominal_nm * (1 + (simulator["scale_error"] if target else 0.0)),
            rotation_degree=simulator["rotation_degree"] if target else 0.0,
            distortion=draw_distortion(
                scan["tile_px"],
                scan["distortion_px"],
                simulator["channels"][channel]["filter_shift_px"][role],
                _chance(simulator, OBJECTIVE, ROLES.index(role)),
                _chance(simulator, FILTER, ROLES.index(role), crc32(channel.encode())),
            ),
            tiles=lay_tiles(scan, centre_nm, steps_nm[role], nominal_nm, rng),
        )
    return ScanTruth(channel, size_nm, scans)


def _check_target_fits(
    simulator: Mapping[str, Any], reach_nm: Mapping[str, tuple[np.ndarray, float]]
) -> None:
    """Stop where the target's scan could reach beyond the input's."""
    (input_nm, input_error_nm), (target_nm, target_error_nm) = (reach_nm[r] for r in ROLES)
    turned_nm = target_nm + target_nm[::-1] * np.sin(np.deg2rad(abs(simulator["rotation_degree"])))
    needed_nm = turned_nm * (1 + abs(simulator["scale_error"])) + target_error_nm
    needed_nm += simulator["scan"]["target"]["offset_nm"]
    if np.any(needed_nm > input_nm - input_error_nm):
        raise InputError(
            f"scan.target may reach {needed_nm.max() / 1e3:.0f} um from the centre, with its "
            f"offset and stage errors, and scan.input surely only "
            f"{(input_nm - input_error_nm).min() / 1e3:.0f} um; give the input more or larger "
            "tiles, or the target fewer"
        )


def lay_tiles(
    scan: Mapping[str, Any],
    centre_nm: np.ndarray,
    step_nm: float,
    pixel_size_nm: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the tiles of one scan, as in :class:`Scan`, in zigzag order.

    The stage moves right along row 0, left along row 1, and so on, and errs at every tile.
    """
    rows, columns = scan["rows"], scan["columns"]
    places = [
        (row, column)
        for row in range(rows)
        for column in (range(columns) if row % 2 == 0 else reversed(range(columns)))
    ]
    error = np.clip(rng.normal(size=(len(places), 2)), -STAGE_LIMIT, STAGE_LIMIT)
    middle = (np.array([rows, columns]) - 1) / 2
    nominal_nm = centre_nm + (np.array(places) - middle) * step_nm
    true_nm = nominal_nm + error * scan["stage_error_px"] * pixel_size_nm
    return pd.DataFrame(
        {
            "tile": [f"r{row}c{column}" for row, column in places],
            "row": [row for row, _ in places],
            "column": [column for _, column in places],
            "y_nm": true_nm[:, 0],
            "x_nm": true_nm[:, 1],
        }
    )


def image_sample(
    simulator: Mapping[str, Any],
    modalities: Mapping[str, Mapping[str, Any]],
    channel: str,
    scene_number: int,
    size_nm: float,
) -> tuple[dict[str, np.ndarray], float]:
    """Return the noiseless image of the sample through both objectives, on the fine grid.

    Returns
    -------
    images : dict
        ``input`` and ``target``, (Y, X) float32: what a camera pixel centred there receives.
    fine_nm : float
        Pixel size of the grid.
    """
    settings = simulator["channels"][channel]
    fine_nm = modalities["target"]["pixel_size_nm"] / FINE_PER_PIXEL
    half_nm = simulator["thickness_um"] * 1e3 / 2
    layers_nm = np.linspace(-half_nm, half_nm, LAYERS)
    cells = place_cells(size_nm, simulator, _chance(simulator, PLACES, scene_number))
    rng = _chance(simulator, STRUCTURE, scene_number, crc32(channel.encode()))
    volume = draw_structure(cells, settings, size_nm, fine_nm, layers_nm, rng)
    defocus_nm = layers_nm - settings["defocus_um"] * 1e3
    return blur_layers(volume, fine_nm, defocus_nm, modalities, MARGIN_NM), fine_nm


def sample_tiles(
    image: np.ndarray, fine_nm: float, truth: ScanTruth, role: str
) -> dict[str, np.ndarray]:
    """Look up, for every tile, what its pixels see: (Y, X) float32 by name."""
    scan = truth.scans[role]
    coefficients = ndimage.spline_filter(image, 3, output=np.float32, mode="mirror")
    y_px, x_px = np.arange(scan.tile_px)[:, None], np.arange(scan.tile_px)[None, :]
    return {
        tile: ndimage.map_coordinates(
            coefficients,
            sample_position_nm(truth, role, tile, y_px, x_px) / fine_nm - 0.5,
            order=3,
            mode="mirror",
            prefilter=False,
        )
        for tile in scan.tiles["tile"]
    }


def _chance(simulator: Mapping[str, Any], purpose: int, *which: int) -> np.random.Generator:
    return np.random.default_rng([simulator["seed"], purpose, *which])
