"""Registered fields written as the workflow leaves them, and what extract_patches.py takes."""

import numpy as np
import pandas as pd

from crossres.images import Image, write_image

SETTINGS = {"size_px": 16, "per_field": 4, "foreground_level": 0.0, "foreground_fraction": 0.0,
            "normalise": "percentiles", "percentiles": [2, 99.9], "seed": 0}  # fmt: skip


RAW_NM = 40.0
PREPROCESS = {"background": {"method": "none", "region_px": 8}, "interpolation_order": 1}


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
            write_image(path, Image(images, "CYX", 25.0, channels=("input", "target")))
    names = [name for named in pairs.values() for name in named]
    accepted = [name not in rejected for name in names]
    rows = {"field": names, "accepted": accepted, "reason": ""}
    pd.DataFrame(rows).to_csv(folder / "registration.csv", index=False)
    outputs = {name: folder / f"{name}.out" for name in ("train", "validation", "positions")}
    raw = np.random.default_rng(0).uniform(200, 300, (30, 30)).astype(np.float32)
    raw[:8, :8] = 120
    write_image(folder / "raw" / "a.ome.tif", Image(raw, "YX", RAW_NM))
    return {
        "fields": fields,
        "registration": [folder / "registration.csv"],
        "raw": folder / "raw",
        "raw_fields": ["a"],
        "preprocess": PREPROCESS,
        "outputs": outputs,
    }
