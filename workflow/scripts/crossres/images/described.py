"""Metadata of image files: sizes, times and names, from OME-XML, ImageJ or tags."""

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from crossres.images.image import Plane
from crossres.jobs import InputError

NM_PER_UNIT = {
    "pm": 1e-3,
    "Å": 0.1,
    "\u212b": 0.1,
    "angstrom": 0.1,
    "nm": 1.0,
    "nanometer": 1.0,
    "nanometers": 1.0,
    "nanometre": 1.0,
    "µm": 1e3,
    "μm": 1e3,
    "um": 1e3,
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "micrometers": 1e3,
    "micrometre": 1e3,
    # UTF-8 read as Latin-1, and a sign that was lost
    "Âµm": 1e3,
    "\ufffdm": 1e3,
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

CHANNEL_DETAILS = re.compile(r"(Emission|Excitation)Wavelength(Unit)?|Fluor")
PLANE_DETAILS = re.compile(r"(DeltaT|ExposureTime|Position[XYZ])(Unit)?")
"""OME-XML attributes that are passed on unchanged."""

WHOLE_PIXEL = 1e-4
"""Largest deviation of a position from a whole pixel that rounding explains."""

PLAUSIBLE_PIXEL_NM = (0.1, 1e5)
"""A TIFF resolution outside this range, such as 72 dots per inch, describes a printed page."""

SQUARE_TOLERANCE = 0.01
"""Relative difference of a pixel's height and width that rounding explains."""


def describe(path: Path, tiff: tifffile.TiffFile) -> dict[str, Any]:
    """Return the metadata of a file, by the names of :class:`crossres.images.Metadata`.

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


def other_files(path: Path, xml: str) -> list[Path]:
    """Return the other files of a multi-file OME-TIFF."""
    root = ElementTree.fromstring(xml)
    own = root.attrib.get("UUID")
    uuids = list(root.iterfind(".//{*}TiffData/{*}UUID"))
    names = {
        uuid.attrib["FileName"]
        for uuid in uuids
        # a renamed file is still found by its UUID
        if "FileName" in uuid.attrib and (own is None or uuid.text != own)
    }
    if own is None and len({uuid.text for uuid in uuids}) == 1:
        # all planes are in one file, and this is it, whatever it was called (Micro-Manager)
        return []
    return [path.with_name(name) for name in sorted(names) if name.lower() != path.name.lower()]


def forget_names(tiff: tifffile.TiffFile) -> None:
    """Let tifffile look for all planes in this file, though another name stands in its OME-XML."""
    tiff.pages.first.description = re.sub(
        r"<UUID\b[^>]*>.*?</UUID>", "", tiff.pages.first.description, flags=re.S
    )


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
        found = _measured(pixels.attrib, key, NM_PER_UNIT, "µm")
        return _positive(abs(found)) if found is not None else None

    channels = pixels.findall("{*}Channel")
    names = [channel.attrib.get("Name", "") for channel in channels]
    details = [_details(channel, CHANNEL_DETAILS) for channel in channels]
    planes = {
        _number(plane): found
        for plane in pixels.findall("{*}Plane")
        if (found := _details(plane, PLANE_DETAILS))
    }
    corner = _corner(planes, length("PhysicalSizeX"))
    if corner is not None:
        for plane in planes.values():
            for key in [key for key in plane if key.startswith("Position")]:
                del plane[key]
    return {
        "sides_nm": (length("PhysicalSizeY"), length("PhysicalSizeX")),
        "z_step_nm": length("PhysicalSizeZ"),
        "channels": tuple(names) if any(names) else (),
        "channel_details": tuple(details) if any(details) else (),
        "corner_px": corner or (0, 0),
        "planes": {number: plane for number, plane in planes.items() if plane},
        "frame_interval_s": _positive(
            _measured(pixels.attrib, "TimeIncrement", SECONDS_PER_UNIT, "s")
        ),
    }


def _number(plane: ElementTree.Element) -> Plane:
    t, c, z = (int(plane.attrib.get(f"The{axis}", 0)) for axis in "TCZ")
    return t, c, z


def _details(element: ElementTree.Element, wanted: re.Pattern[str]) -> dict[str, str]:
    """Return the wanted attributes of an element, without NaN and Inf."""
    return {
        key: text
        for key, text in element.attrib.items()
        if wanted.fullmatch(key) and not re.fullmatch(r"[+-]?(nan|inf(inity)?)", text, re.I)
    }


def _measured(
    attributes: Mapping[str, str], key: str, units: dict[str, float], default: str
) -> float | None:
    """Return an attribute in our unit; None if it is missing or its unit is not a length."""
    if key not in attributes:
        return None
    unit = units.get(attributes.get(f"{key}Unit", default))
    return float(attributes[key]) * unit if unit else None


def _positive(value: float | None) -> float | None:
    """Return a time or a length; None for 0, which many programs write for unknown."""
    return value if value is not None and math.isfinite(value) and value > 0 else None


def _corner(
    planes: Mapping[Plane, Mapping[str, str]], pixel_size_nm: float | None
) -> tuple[int, int] | None:
    """Return where an image of ours was cropped from: a whole pixel, the same in all planes. Other
    positions, such as those of a microscope's stage, give None.
    """
    keys = ("PositionY", "PositionX")
    try:
        places = {
            tuple(_measured(plane, key, NM_PER_UNIT, "reference frame") for key in keys)
            for plane in planes.values()
        }
    except ValueError:
        return None
    if len(places) != 1 or not pixel_size_nm:
        return None
    exact = [place_nm / pixel_size_nm for place_nm in places.pop() if place_nm is not None]
    if len(exact) != 2 or any(abs(place - round(place)) > WHOLE_PIXEL for place in exact):
        return None
    return round(exact[0]), round(exact[1])


def _from_imagej(tiff: tifffile.TiffFile) -> dict[str, Any]:
    metadata = tiff.imagej_metadata or {}
    unit = NM_PER_UNIT.get(str(metadata.get("unit", "")).lower())
    spacing, interval = metadata.get("spacing"), metadata.get("finterval")
    second = SECONDS_PER_UNIT.get(str(metadata.get("tunit", "sec")).lower())
    return {
        "sides_nm": _from_resolution(tiff.pages[0], unit) if unit else (None, None),
        # negative where slices are counted downwards
        "z_step_nm": abs(float(spacing)) * unit if unit and spacing else None,
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
