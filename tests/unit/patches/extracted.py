"""Registered fields written as the workflow leaves them, and what extract_patches.py takes."""

import numpy as np
import pandas as pd

from crossres.images import Image, write_image
from crossres.preprocess import Constants, RoleConstants
from crossres.settings import Patches, Preprocess

PIXEL_NM, RAW_NM = 25.0, 40.0
CONSTANTS = Constants(
    input=RoleConstants(pixel_size_nm=RAW_NM), target=RoleConstants(pixel_size_nm=PIXEL_NM)
)


def settings(**others):
    """Four patches a field, wherever they lie."""
    return Patches(
        **{"size_px": 16, "per_field": 4, "foreground_level": 0.0, "foreground_fraction": 0.0}
        | others
    )


def pair(brightness, seed, shape=(48, 48)):
    """A pair of one structure, the target three times as bright, over an offset."""
    structure = np.random.default_rng(seed).uniform(0, brightness, shape)
    return np.stack([100 + structure, 50 + 3 * structure]).astype(np.float32)


def write_fields(folder, pairs, rejected=()):
    """Write pairs by split and name; return the script's arguments but for its settings."""
    folder.mkdir(exist_ok=True)
    fields = {}
    for split, named in pairs.items():
        fields[split] = [folder / f"{name}.ome.tif" for name in named]
        for path, images in zip(fields[split], named.values(), strict=True):
            axes, z_step_nm = ("CYX", None) if images.ndim == 3 else ("CZYX", 100.0)
            image = Image(images, axes, PIXEL_NM, z_step_nm, channels=("input", "target"))
            write_image(path, image)
    names = [name for named in pairs.values() for name in named]
    accepted = [name not in rejected for name in names]
    rows = {"field": names, "accepted": accepted, "reason": ""}
    pd.DataFrame(rows).to_csv(folder / "registration.csv", index=False)
    return {
        "fields": fields,
        "registration": [folder / "registration.csv"],
        "constants": CONSTANTS,
        "preprocess": Preprocess(),
        "outputs": {name: folder / f"{name}.out" for name in ("train", "validation", "positions")},
    }
