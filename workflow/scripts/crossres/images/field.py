"""One blind-test field as every method shows it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from crossres.images.reading import read_image


def load_field(
    pair: Path, restored: Mapping[str, Path], crop_px: int
) -> tuple[dict[str, np.ndarray], float]:
    """Return the images of a field by method, input and target among them, and the pixel size.

    Parameters
    ----------
    pair
        Registered input and target, cropped by ``crop_px`` on each side.
    restored
        Folder of each method's restored fields, which bear the pair's file name and are not
        cropped.
    crop_px
        What to crop from them, so that all show the same place.

    Returns
    -------
    images : dict
        (Y, X) float32 counts of one shape.
    pixel_size_nm : float
        Of all of them.
    """
    image = read_image(pair)
    if image.pixel_size_nm is None:
        raise ValueError(f"{pair} was registered without a pixel size")
    images = {role: image.channel(role).astype(np.float32) for role in ("input", "target")}
    height, width = images["input"].shape
    for method, folder in restored.items():
        whole = read_image(folder / pair.name).array
        images[method] = whole[crop_px : crop_px + height, crop_px : crop_px + width]
    return images, image.pixel_size_nm
