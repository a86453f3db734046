"""A sample of cells scanned tile by tile with two wide-field objectives.

Pixel i of a tile has its centre at index i, which is (i - (tile_px - 1) / 2) pixel sizes from the
tile's centre. Pixel i of the fine grid on which the sample is drawn has its centre at (i + 0.5)
pixel sizes from the sample's edge.
"""

from zlib import crc32

import numpy as np
import pandas as pd

from crossres.jobs import InputError
from crossres.optics import detect, expected_counts
from crossres.optics.layers import blur_layers
from crossres.samples import LayeredSample
from crossres.settings import Modalities, StageAcquisition
from crossres.settings.acquisition import Scan as ScanSettings
from crossres.simulate.acquisition.acquired import Acquired
from crossres.simulate.distortion import draw_distortion
from crossres.simulate.rendering import camera_of, pixel_size_of
from crossres.simulate.scan_truth import Lookup, Scan, ScanTruth, sample_position_nm

ROLES = ("input", "target")
PLACES, STAGE, STRUCTURE, OBJECTIVE, FILTER, NOISE = range(6)
"""Random streams by purpose, so that cells and stage are the same for every channel."""

FINE_PER_PIXEL = 2
"""Fine pixels along a side of a target pixel."""

MARGIN_NM = 10e3
"""Sample beyond the outermost tiles: light comes from out-of-focus layers as far away."""

STAGE_LIMIT = 3.0
"""Largest stage error, in standard deviations, so that tiles and scans surely overlap."""


Reaches = dict[str, tuple[np.ndarray, float]]
"""By role: half of the scan's (Y, X) extent and the greatest error of a pixel's place, in nm."""


def acquire_stage(
    sample: LayeredSample,
    acquisition: StageAcquisition,
    modalities: Modalities,
    channel: str,
    number: int,
    seed: int,
) -> Acquired:
    """Simulate the scans of one scene with both objectives in one channel.

    The sample's layers and the stage's positions are the same in every channel of a scene, the
    objectives in every scene. ``peak_photons`` is what a pixel gets at the 99.9th percentile of
    the noiseless scene where the stain's brightness is 1, so that structures are comparable.

    Tiles are named r0c0 (row 0 and column 0, at the top left), in the order of acquisition.

    Parameters are those of :func:`crossres.simulate.acquire`.

    Raises
    ------
    InputError
        The target's scan is too large to lie within the input's.
    """
    truth = lay_out(acquisition, modalities, channel, number, seed)
    fine_nm = fine_pixel_nm(modalities)
    images, scales = image_sample(
        sample, acquisition, modalities, channel, number, seed, truth.size_nm
    )
    tiles: dict[str, dict[str, np.ndarray]] = {}
    for role in ROLES:
        camera = camera_of(getattr(modalities, role))
        rng = _chance(seed, NOISE, number, crc32(channel.encode()), ROLES.index(role))
        tiles[role] = {
            name: detect(np.clip(seen * scales[role], 0, None), camera, rng)
            for name, seen in sample_tiles(images[role], fine_nm, truth, role).items()
        }
    photons = np.clip(images["target"] * scales["target"], 0, None)
    return Acquired(
        images=tiles,
        noiseless=expected_counts(photons, camera_of(modalities.target)),
        noiseless_pixel_nm=fine_nm,
        scan=truth,
    )


def fine_pixel_nm(modalities: Modalities) -> float:
    """Return the pixel size of the grid on which the sample is drawn."""
    return _pixel_nm(modalities, "target") / FINE_PER_PIXEL


def lay_out(
    acquisition: StageAcquisition,
    modalities: Modalities,
    channel: str,
    number: int,
    seed: int,
) -> ScanTruth:
    """Decide where both scans' tiles lie and how their optics distort."""
    reach_nm: Reaches = {}
    for role in ROLES:
        scan, pixel_nm = getattr(acquisition.scan, role), _pixel_nm(modalities, role)
        count = np.array([scan.rows, scan.columns])
        # of all channels, as all must have one sample
        shifts_px = [getattr(c.filter_shift_px, role) for c in acquisition.channels.values()]
        error_px = STAGE_LIMIT * scan.stage_error_px + scan.distortion_px
        error_px += np.abs(shifts_px).max(initial=0.0)
        half_nm = ((count - 1) * _step_nm(scan, pixel_nm) + scan.tile_px * pixel_nm) / 2
        reach_nm[role] = half_nm, error_px * pixel_nm
    _check_target_fits(acquisition, reach_nm)
    fine_nm = fine_pixel_nm(modalities)
    size_nm = 2 * (reach_nm["input"][0].max() + reach_nm["input"][1] + MARGIN_NM)
    size_nm = float(np.ceil(size_nm / fine_nm) * fine_nm)
    rng = _chance(seed, STAGE, number)
    scans = {}
    for role in ROLES:
        scan, nominal_nm = getattr(acquisition.scan, role), _pixel_nm(modalities, role)
        target = role == "target"
        limit_nm = scan.offset_nm if target else 0.0
        centre_nm = size_nm / 2 + rng.uniform(-limit_nm, limit_nm, 2)
        scans[role] = Scan(
            tile_px=scan.tile_px,
            pixel_size_nm=nominal_nm * (1 + (acquisition.scale_error if target else 0.0)),
            rotation_degree=acquisition.rotation_degree if target else 0.0,
            distortion=draw_distortion(
                scan.tile_px,
                scan.distortion_px,
                getattr(acquisition.optics_of(channel).filter_shift_px, role),
                _chance(seed, OBJECTIVE, ROLES.index(role)),
                _chance(seed, FILTER, ROLES.index(role), crc32(channel.encode())),
            ),
            tiles=lay_tiles(scan, centre_nm, nominal_nm, rng),
        )
    return ScanTruth(channel, size_nm, scans)


def _pixel_nm(modalities: Modalities, role: str) -> float:
    return pixel_size_of(getattr(modalities, role))


def _step_nm(scan: ScanSettings, pixel_nm: float) -> float:
    """Return the nominal distance of neighbouring tiles."""
    return scan.tile_px * (1 - scan.overlap) * pixel_nm


def _check_target_fits(acquisition: StageAcquisition, reach_nm: Reaches) -> None:
    """Stop where the target's scan could reach beyond the input's."""
    (input_nm, input_error_nm), (target_nm, target_error_nm) = (reach_nm[r] for r in ROLES)
    turn = np.deg2rad(abs(acquisition.rotation_degree))
    needed_nm = (target_nm + target_nm[::-1] * np.sin(turn)) * (1 + abs(acquisition.scale_error))
    needed_nm = needed_nm + target_error_nm + acquisition.scan.target.offset_nm
    if np.any(needed_nm > input_nm - input_error_nm):
        raise InputError(
            f"scan.target may reach {needed_nm.max() / 1e3:.0f} um from the centre, with its "
            f"offset and stage errors, and scan.input surely only "
            f"{(input_nm - input_error_nm).min() / 1e3:.0f} um; give the input more or larger "
            "tiles, or the target fewer"
        )


def lay_tiles(
    scan: ScanSettings, centre_nm: np.ndarray, pixel_size_nm: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the tiles of one scan, as in :class:`Scan`, in zigzag order.

    The stage moves right along row 0, left along row 1, and so on, and errs at every tile.
    """
    rows, columns = scan.rows, scan.columns
    places = [
        (row, column)
        for row in range(rows)
        for column in (range(columns) if row % 2 == 0 else reversed(range(columns)))
    ]
    error = np.clip(rng.normal(size=(len(places), 2)), -STAGE_LIMIT, STAGE_LIMIT)
    middle = (np.array([rows, columns]) - 1) / 2
    nominal_nm = centre_nm + (np.array(places) - middle) * _step_nm(scan, pixel_size_nm)
    true_nm = nominal_nm + error * scan.stage_error_px * pixel_size_nm
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
    sample: LayeredSample,
    acquisition: StageAcquisition,
    modalities: Modalities,
    channel: str,
    number: int,
    seed: int,
    size_nm: float,
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return the noiseless image of the sample through both objectives, on the fine grid.

    Returns
    -------
    images : dict
        ``input`` and ``target``, (Y, X) float32: what a camera pixel centred there receives, in
        arbitrary units.
    scales : dict
        Photons a unit, likewise.
    """
    fine_nm = fine_pixel_nm(modalities)
    layers = sample.layers(
        channel,
        size_nm,
        fine_nm,
        _chance(seed, PLACES, number),
        _chance(seed, STRUCTURE, number, crc32(channel.encode())),
    )
    defocus_nm = layers.height_nm - acquisition.optics_of(channel).defocus_um * 1e3
    microscopes = {role: getattr(modalities, role) for role in ROLES}
    images = blur_layers(layers.density, fine_nm, defocus_nm, microscopes, MARGIN_NM)
    edge = int(MARGIN_NM // fine_nm)
    scales = {}
    for role, image in images.items():
        level = np.percentile(image[edge:-edge:3, edge:-edge:3], 99.9)
        peak = camera_of(microscopes[role]).peak_photons * layers.brightness
        # a scene without cells is dark; without light there is nothing to scale
        scales[role] = peak / level if level > 0 else 0.0
    return images, scales


def sample_tiles(
    image: np.ndarray, fine_nm: float, truth: ScanTruth, role: str
) -> dict[str, np.ndarray]:
    """Look up, for every tile, what its pixels see: (Y, X) float32 by name."""
    scan = truth.scans[role]
    look_up = Lookup(image, fine_nm)
    y_px, x_px = np.arange(scan.tile_px)[:, None], np.arange(scan.tile_px)[None, :]
    return {
        tile: look_up(sample_position_nm(truth, role, tile, y_px, x_px))
        for tile in scan.tiles["tile"]
    }


def _chance(seed: int, purpose: int, *which: int) -> np.random.Generator:
    return np.random.default_rng([seed, purpose, *which])
