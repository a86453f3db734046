"""Writing OME-TIFF, whole or not at all."""

import hashlib
import uuid
from pathlib import Path

import tifffile

from crossres.images.image import Image
from crossres.jobs import written_aside


def write_image(path: str | Path, image: Image) -> None:
    """Write an image as OME-TIFF with its axes, pixel size, channel names and place in the field.

    The file is written aside and renamed, so that a file under its own name is always whole.

    Parameters
    ----------
    path
        Where to; folders are made.
    image
        What; float64 is stored as float32.
    """
    metadata: dict[str, object] = {"axes": image.axes}
    plane: dict[str, list[object]] = {}
    if image.pixel_size_nm is not None:
        for axis in "XY":
            metadata[f"PhysicalSize{axis}"] = image.pixel_size_nm / 1e3
            metadata[f"PhysicalSize{axis}Unit"] = "µm"
    if image.z_step_nm is not None:
        metadata["PhysicalSizeZ"] = image.z_step_nm / 1e3
        metadata["PhysicalSizeZUnit"] = "µm"
    if any(image.corner_px):
        planes = image.array[..., 0, 0].size
        for axis, corner in zip("YX", image.corner_px, strict=True):
            position_um = corner * image.known_pixel_size_nm / 1e3
            plane[f"Position{axis}"] = [position_um] * planes
            plane[f"Position{axis}Unit"] = ["µm"] * planes
        metadata["Plane"] = plane
    if image.channels:
        metadata["Channel"] = {"Name": list(image.channels)}
    # tifffile would draw one from clock and machine: the same image should give the same bytes
    pixels = hashlib.sha256(image.array.tobytes()).hexdigest()
    metadata["UUID"] = str(uuid.uuid5(uuid.NAMESPACE_OID, pixels))
    array = image.array.astype("float32") if image.array.dtype == "float64" else image.array
    with written_aside(path) as aside:
        # ome=True: tifffile would otherwise decide by the name, which ends in .partial here
        tifffile.imwrite(aside, array, ome=True, metadata=metadata, compression="zlib")
