"""Reading image files, with nothing guessed."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from crossres.images.image import Image
from crossres.jobs import InputError

NM_PER_UNIT = {
    "nm": 1.0,
    "µm": 1e3,
    "μm": 1e3,
    "um": 1e3,
    "micron": 1e3,
    "microns": 1e3,
    "\\u00b5m": 1e3,
    "mm": 1e6,
    "cm": 1e7,
    "m": 1e9,
}
"""Units of length as OME-XML and ImageJ write them."""

PLAUSIBLE_PIXEL_NM = (0.1, 1e5)
"""A TIFF resolution outside this range, such as 72 dots per inch, describes a printed page."""


def read_image(path: str | Path) -> Image:
    """Read an image file with its axes, pixel size and channel names.

    The pixel size is taken from OME-XML, from ImageJ's description, or from a TIFF resolution
    in centimetres; a resolution in inches describes a printed page and is not believed.

    Parameters
    ----------
    path
        A TIFF file: OME, ImageJ or plain.

    Returns
    -------
    Image
        Pixels in their own dtype; ``pixel_size_nm`` is None where the file does not give it.

    Raises
    ------
    InputError
        The file is missing, unreadable or truncated, or holds colour images (RGB), several
        series of different shape, or axes that are not of T, C, Z, Y, X.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file; correct the path in the sheet")
    try:
        with tifffile.TiffFile(path) as tiff:
            _require_complete(path, tiff)
            series = tiff.series[0]
            axes, array = series.axes, series.asarray()
            metadata = _metadata(tiff)
    except InputError:
        raise
    except (tifffile.TiffFileError, ValueError, OSError, RuntimeError, IndexError) as error:
        raise InputError(
            f"{path}: cannot be read as a TIFF image ({error}); it may be truncated or of another "
            "format: export it again as TIFF"
        ) from error
    if "S" in axes:
        raise InputError(
            f"{path}: is a colour image (axes {axes}, {array.shape}); expected one gray value a "
            "pixel: export the fluorescence channel itself"
        )
    axes = axes.replace("I", "Q")
    if not set(axes) <= set("TCZYX"):
        raise InputError(
            f"{path}: has axes {axes} of shape {array.shape}; expected axes of T, C, Z, Y, X: "
            "save it as OME-TIFF or ImageJ TIFF with its axes named"
        )
    return Image(array=array, axes=axes, **metadata)


def _require_complete(path: Path, tiff: tifffile.TiffFile) -> None:
    """Refuse a file that ends before its last strip: zeros would stand in for pixels."""
    size = path.stat().st_size
    for page in tiff.pages:
        ends = [
            offset + count
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
        ]
        if ends and max(ends) > size:
            raise InputError(
                f"{path}: is truncated: {size} bytes of at least {max(ends)}; copy it again from "
                "the microscope"
            )


def _metadata(tiff: tifffile.TiffFile) -> dict[str, Any]:
    if tiff.is_ome and tiff.ome_metadata:
        return _from_ome(tiff.ome_metadata)
    if tiff.is_imagej and tiff.imagej_metadata:
        return _from_imagej(tiff)
    return {"pixel_size_nm": _from_resolution(tiff.pages[0], nm_per_unit=None)}


def _from_ome(xml: str) -> dict[str, Any]:
    root = ElementTree.fromstring(xml)
    pixels = root.find(".//{*}Pixels")
    if pixels is None:
        return {}

    def length(key: str) -> float | None:
        if key not in pixels.attrib:
            return None
        unit = NM_PER_UNIT.get(pixels.attrib.get(f"{key}Unit", "µm"))
        return float(pixels.attrib[key]) * unit if unit else None

    names = [channel.attrib.get("Name", "") for channel in pixels.findall("{*}Channel")]
    return {
        "pixel_size_nm": length("PhysicalSizeX"),
        "z_step_nm": length("PhysicalSizeZ"),
        "channels": tuple(names) if all(names) else (),
    }


def _from_imagej(tiff: tifffile.TiffFile) -> dict[str, Any]:
    metadata = tiff.imagej_metadata or {}
    unit = NM_PER_UNIT.get(str(metadata.get("unit", "")).lower())
    spacing = metadata.get("spacing")
    return {
        "pixel_size_nm": _from_resolution(tiff.pages[0], nm_per_unit=unit) if unit else None,
        "z_step_nm": float(spacing) * unit if unit and spacing else None,
    }


def _from_resolution(page: Any, nm_per_unit: float | None) -> float | None:
    """Pixel size of the XResolution tag, in ImageJ's unit or in the tag's own centimetres."""
    tags = page.tags
    if "XResolution" not in tags:
        return None
    if nm_per_unit is None:
        centimetre = tifffile.RESUNIT.CENTIMETER
        if "ResolutionUnit" not in tags or tags["ResolutionUnit"].value != centimetre:
            return None
        nm_per_unit = NM_PER_UNIT["cm"]
    numerator, denominator = tags["XResolution"].value
    if numerator == 0:
        return None
    size_nm = nm_per_unit * denominator / numerator
    low, high = PLAUSIBLE_PIXEL_NM
    return float(np.round(size_nm, 4)) if low <= size_nm <= high else None
