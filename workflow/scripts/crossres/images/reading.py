"""Reading image files, with nothing guessed."""

import os
import struct
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

SQUARE_TOLERANCE = 0.01
"""Height and width of a pixel may differ by this fraction, from rounding in metadata."""


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
        images, pixels that are not square, or axes that are not of T, C, Z, Y, X.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file; correct the path in the sheet")
    try:
        with tifffile.TiffFile(path) as tiff:
            _require_complete(path, tiff)
            if len(tiff.series) != 1:
                shapes = ", ".join(str(series.shape) for series in tiff.series)
                raise InputError(
                    f"{path}: holds {len(tiff.series)} images ({shapes}); expected one image a "
                    "file: save each on its own"
                )
            axes, array = tiff.series[0].axes, tiff.series[0].asarray()
            metadata = _metadata(path, tiff)
            if array.ndim != len(axes):
                raise ValueError(f"axes {axes} of shape {array.shape}")
    except InputError:
        raise
    # a damaged file makes tifffile raise nearly anything: KeyError, struct.error, MemoryError ...
    except Exception as error:
        raise InputError(
            f"{path}: cannot be read as a TIFF image ({error}); it may be truncated or of another "
            "format: export it again as TIFF"
        ) from error
    if "S" in axes:
        raise InputError(
            f"{path}: is a colour image (axes {axes}, {array.shape}); expected one gray value a "
            "pixel: export the fluorescence channel itself"
        )
    if not set(axes) <= set("TCZYX"):
        raise InputError(
            f"{path}: has axes {axes} of shape {array.shape}; expected axes of T, C, Z, Y, X: "
            "save it as OME-TIFF or ImageJ TIFF with its axes named"
        )
    # ImageJ stores slices before channels
    order = [axes.index(axis) for axis in "TCZYX" if axis in axes]
    return Image(array.transpose(order), "".join(axes[i] for i in order), **metadata)


def _require_complete(path: Path, tiff: tifffile.TiffFile) -> None:
    """Refuse a file that ends before its last strip or page: tifffile reads what is left."""
    size = path.stat().st_size
    ends = [
        offset + count
        for page in tiff.pages
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
    ]
    if max(ends, default=0) > size or _next_page(tiff) != 0:
        raise InputError(
            f"{path}: is truncated: it ends after {size} bytes, before its last image does; copy "
            "it again from the microscope"
        )


def _next_page(tiff: tifffile.TiffFile) -> int:
    """Offset of the page that should follow the last one read; 0 where the file is whole."""
    kind, file = tiff.tiff, tiff.filehandle
    file.seek(tiff.pages[-1].offset)
    (entries,) = struct.unpack(kind.tagnoformat, file.read(kind.tagnosize))
    file.seek(entries * kind.tagsize, os.SEEK_CUR)
    (offset,) = struct.unpack(kind.offsetformat, file.read(kind.offsetsize))
    return offset


def _metadata(path: Path, tiff: tifffile.TiffFile) -> dict[str, Any]:
    if tiff.is_ome and tiff.ome_metadata:
        metadata = _from_ome(tiff.ome_metadata)
    elif tiff.is_imagej and tiff.imagej_metadata:
        metadata = _from_imagej(tiff)
    else:
        metadata = {"sides_nm": _from_resolution(tiff.pages[0], nm_per_unit=None)}
    height, width = metadata.pop("sides_nm", (None, None))
    if height and width and abs(height - width) > SQUARE_TOLERANCE * width:
        raise InputError(
            f"{path}: has pixels of {width:g} nm in x and {height:g} nm in y; expected square "
            "pixels: resample the image, or correct its metadata"
        )
    return {"pixel_size_nm": width, **metadata}


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
        "sides_nm": (length("PhysicalSizeY"), length("PhysicalSizeX")),
        "z_step_nm": length("PhysicalSizeZ"),
        "channels": tuple(names) if len(names) > 1 and all(names) else (),
        "corner_px": _corner(pixels, length("PhysicalSizeX")),
    }


def _corner(pixels: ElementTree.Element, pixel_size_nm: float | None) -> tuple[int, int]:
    """Return where an image of our own was cropped from, (0, 0) for any other.

    A microscope writes the position of its stage there; an imported image begins anew at (0, 0).
    """
    plane = pixels.find("{*}Plane")
    if plane is None or not pixel_size_nm:
        return 0, 0
    try:
        places = [float(plane.attrib.get(f"Position{axis}", 0)) for axis in "YX"]
    except ValueError:
        return 0, 0
    if not np.all(np.isfinite(places)):
        return 0, 0
    y, x = (round(place * 1e3 / pixel_size_nm) for place in places)
    return y, x


def _from_imagej(tiff: tifffile.TiffFile) -> dict[str, Any]:
    metadata = tiff.imagej_metadata or {}
    unit = NM_PER_UNIT.get(str(metadata.get("unit", "")).lower())
    spacing = metadata.get("spacing")
    return {
        "sides_nm": _from_resolution(tiff.pages[0], unit) if unit else (None, None),
        "z_step_nm": float(spacing) * unit if unit and spacing else None,
    }


def _from_resolution(page: Any, nm_per_unit: float | None) -> tuple[float | None, float | None]:
    """Height and width of a pixel, in ImageJ's unit or in the resolution's own centimetres."""
    tags = page.tags
    if nm_per_unit is None:
        centimetre = tifffile.RESUNIT.CENTIMETER
        if "ResolutionUnit" not in tags or tags["ResolutionUnit"].value != centimetre:
            return None, None
        nm_per_unit = NM_PER_UNIT["cm"]

    def side(name: str) -> float | None:
        numerator, denominator = tags[name].value if name in tags else (0, 1)
        size_nm = nm_per_unit * denominator / numerator if numerator else 0.0
        low, high = PLAUSIBLE_PIXEL_NM
        return float(np.round(size_nm, 4)) if low <= size_nm <= high else None

    return side("YResolution"), side("XResolution")
