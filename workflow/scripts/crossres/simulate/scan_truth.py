"""What the simulator knows of a stage scan: where in the sample each pixel of each tile looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

from crossres.simulate.distortion import Distortion


@dataclass(frozen=True)
class Scan:
    """One objective's scan with one filter.

    Attributes
    ----------
    tile_px
        Side of a tile.
    pixel_size_nm
        True pixel size at the sample, which may differ from the nominal one.
    rotation_degree
        By which the camera is turned against the stage, from x towards y.
    distortion
        Of the objective and the filter.
    tiles
        A row a tile, in the order of acquisition: ``tile`` (its name), ``row``, ``column``, and
        ``y_nm``, ``x_nm``, where in the sample the tile's centre would look without distortion.
    """

    tile_px: int
    pixel_size_nm: float
    rotation_degree: float
    distortion: Distortion
    tiles: pd.DataFrame


@dataclass(frozen=True)
class ScanTruth:
    """Both scans of a scene in one channel; ``scans`` has ``input`` and ``target``.

    Positions count from the edge of the simulated sample, which is ``size_nm`` wide.
    """

    channel: str
    size_nm: float
    scans: Mapping[str, Scan]


def sample_position_nm(
    truth: ScanTruth, role: str, tile: str, y_px: np.ndarray | float, x_px: np.ndarray | float
) -> np.ndarray:
    """Return the true position in the sample that a pixel of a tile sees.

    Parameters
    ----------
    truth
        Of the scan.
    role
        ``input`` or ``target``.
    tile
        Name of the tile, as r0c1.
    y_px, x_px
        Indices into the tile, of shapes that broadcast together; pixel i has its centre at i,
        which is (i - (tile_px - 1) / 2) pixel sizes from the tile's centre.

    Returns
    -------
    ndarray
        (2, ...) y and x in nm from the sample's edge.
    """
    scan = truth.scans[role]
    row = scan.tiles.set_index("tile").loc[tile]
    middle_px = (scan.tile_px - 1) / 2
    y, x = np.asarray(y_px) - middle_px, np.asarray(x_px) - middle_px
    offset = scan.distortion.offset_px(y, x)
    y, x = (y + offset[0]) * scan.pixel_size_nm, (x + offset[1]) * scan.pixel_size_nm
    turn = np.deg2rad(scan.rotation_degree)
    return np.stack(
        [
            row["y_nm"] + y * np.cos(turn) + x * np.sin(turn),
            row["x_nm"] + x * np.cos(turn) - y * np.sin(turn),
        ]
    )


class Lookup:
    """The image of a whole sample, to be read at any place, by a cubic spline.

    Parameters
    ----------
    image
        (Y, X); pixel i has its centre at (i + 0.5) pixel sizes from the sample's edge.
    pixel_size_nm
        Pixel size.
    """

    def __init__(self, image: np.ndarray, pixel_size_nm: float) -> None:
        self.pixel_size_nm = pixel_size_nm
        self.coefficients = ndimage.spline_filter(image, 3, output=np.float32, mode="mirror")

    def __call__(self, position_nm: np.ndarray) -> np.ndarray:
        """Return what is seen at (2, ...) y and x from the sample's edge."""
        place_px = position_nm / self.pixel_size_nm - 0.5
        values: np.ndarray = ndimage.map_coordinates(
            self.coefficients, place_px, order=3, mode="mirror", prefilter=False
        )
        return values


def truth_to_dict(truth: ScanTruth) -> dict[str, Any]:
    """Return the truth as plain dicts, lists, numbers and text, for JSON."""
    return {
        "channel": truth.channel,
        "size_nm": truth.size_nm,
        "scans": {
            role: {
                "tile_px": scan.tile_px,
                "pixel_size_nm": scan.pixel_size_nm,
                "rotation_degree": scan.rotation_degree,
                "distortion": scan.distortion.to_dict(),
                "tiles": scan.tiles.to_dict(orient="records"),
            }
            for role, scan in truth.scans.items()
        },
    }


def truth_from_dict(values: Mapping[str, Any]) -> ScanTruth:
    """Return the truth that :func:`truth_to_dict` was called on."""
    scans = {
        role: Scan(
            tile_px=int(scan["tile_px"]),
            pixel_size_nm=float(scan["pixel_size_nm"]),
            rotation_degree=float(scan["rotation_degree"]),
            distortion=Distortion.from_dict(scan["distortion"]),
            tiles=pd.DataFrame(scan["tiles"]),
        )
        for role, scan in values["scans"].items()
    }
    return ScanTruth(str(values["channel"]), float(values["size_nm"]), scans)
