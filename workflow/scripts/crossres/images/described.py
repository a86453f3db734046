"""What an image file says of its pixels: sizes, times and names, from OME-XML, ImageJ or tags."""

import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

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

SECONDS_PER_UNIT = {
    "ns": 1e-9,
    "µs": 1e-6,
    "μs": 1e-6,
    "us": 1e-6,
    "ms": 1e-3,
    "msec": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "min": 60.0,
    "minute": 60.0,
    "minutes": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "hour": 3600.0,
    "hours": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
    "days": 86400.0,
}
"""Units of time as OME-XML and ImageJ write them."""

PLAUSIBLE_PIXEL_NM = (0.1, 1e5)
"""A TIFF resolution outside this range, such as 72 dots per inch, describes a printed page."""

SQUARE_TOLERANCE = 0.01
"""Height and width of a pixel may differ by this fraction, from rounding in metadata."""


def describe(path: Path, tiff: tifffile.TiffFile) -> dict[str, Any]:
    """Return what a file says of its image, by the names of :class:`crossres.images.Metadata`.

    Raises
    ------
    InputError
        Pixels that are not square.
    """
    if tiff.is_ome and tiff.ome_metadata:
        found = _from_ome(tiff.ome_metadata)
    elif tiff.is_imagej and tiff.imagej_metadata:
        found = _from_imagej(tiff)
    else:
        found = {"sides_nm": _from_resolution(tiff.pages[0], nm_per_unit=None)}
    height, width = found.pop("sides_nm", (None, None))
    if height and width and abs(height - width) > SQUARE_TOLERANCE * width:
        raise InputError(
            f"{path}: has pixels of {width:g} nm in x and {height:g} nm in y; expected square "
            "pixels: resample the image, or correct its metadata"
        )
    return {"pixel_size_nm": width, **found}


def is_composite(tiff: tifffile.TiffFile) -> bool:
    """Whether samples that look like colours are the channels of an ImageJ composite."""
    metadata = tiff.imagej_metadata or {}
    samples = tiff.pages.first.samplesperpixel
    return metadata.get("mode") == "composite" and metadata.get("channels") == samples


def _from_ome(xml: str) -> dict[str, Any]:
    root = ElementTree.fromstring(xml)
    pixels = root.find(".//{*}Pixels")
    if pixels is None:
        return {}

    def length(key: str) -> float | None:
        return _measured(pixels, key, NM_PER_UNIT, "µm")

    names = [channel.attrib.get("Name", "") for channel in pixels.findall("{*}Channel")]
    return {
        "sides_nm": (length("PhysicalSizeY"), length("PhysicalSizeX")),
        "z_step_nm": length("PhysicalSizeZ"),
        "channels": tuple(names) if len(names) > 1 and all(names) else (),
        "corner_px": _corner(pixels, length("PhysicalSizeX")),
        "frame_interval_s": _positive(_measured(pixels, "TimeIncrement", SECONDS_PER_UNIT, "s")),
    }


def _measured(
    pixels: ElementTree.Element, key: str, units: dict[str, float], default: str
) -> float | None:
    """Return an attribute in our unit; None where it is not there, or its unit is no length."""
    if key not in pixels.attrib:
        return None
    unit = units.get(pixels.attrib.get(f"{key}Unit", default))
    return float(pixels.attrib[key]) * unit if unit else None


def _positive(value: float | None) -> float | None:
    """Return a time; 0, as many programs write where they know none, is none."""
    return value if value is not None and math.isfinite(value) and value > 0 else None


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
    spacing, interval = metadata.get("spacing"), metadata.get("finterval")
    second = SECONDS_PER_UNIT.get(str(metadata.get("tunit", "sec")).lower())
    return {
        "sides_nm": _from_resolution(tiff.pages[0], unit) if unit else (None, None),
        "z_step_nm": float(spacing) * unit if unit and spacing else None,
        "frame_interval_s": _positive(float(interval) * second) if interval and second else None,
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
