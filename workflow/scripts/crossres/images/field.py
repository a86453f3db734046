"""Files of fields: their paths, their names, and one field in every method."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from crossres.images.reading import read_image

FIELD_ENDING = ".ome.tif"


def fields_in(folders: Iterable[str | Path]) -> list[Path]:
    """Return the files of all fields in some folders, sorted by name within each."""
    return [path for folder in folders for path in sorted(Path(folder).glob(f"*{FIELD_ENDING}"))]


def field_name(path: Path) -> str:
    """Return the name of a field: its file name without the ending."""
    return path.name.removesuffix(FIELD_ENDING)


def read_field_table(path: str | Path) -> pd.DataFrame:
    """Read a table with a column ``field``, its names kept as text.  pandas would read the field 01
    as the number 1, and the field NA as a missing value.
    """
    columns = pd.read_csv(path, nrows=0).columns
    missing = {column: [""] for column in columns if column != "field"}
    return pd.read_csv(path, dtype={"field": str}, keep_default_na=False, na_values=missing)


def read_scene_table(path: str | Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return (scene, its rows) of a table with a column ``scene``, as it was written."""
    table = pd.read_csv(path, dtype={"scene": str}, keep_default_na=False)
    return iter([(str(scene), rows) for scene, rows in table.groupby("scene", sort=False)])


def load_field(pair: Path, restored: Mapping[str, Path]) -> tuple[dict[str, np.ndarray], float]:
    """Return the images of a field by method, input and target among them, and the pixel size.

    Parameters
    ----------
    pair
        Registered input and target, (C, Y, X) or (C, Z, Y, X), cropped laterally; the file says
        from where.
    restored
        Folder of each method's restored fields, which bear the pair's file name and are not
        cropped. They are cropped here, so that all show the same place.

    Returns
    -------
    images : dict
        (Y, X) or (Z, Y, X) float32 counts of one shape.
    pixel_size_nm : float
        Of all of them.
    """
    image = read_image(pair)
    images = {role: image.channel(role).astype(np.float32) for role in ("input", "target")}
    height, width = images["input"].shape[-2:]
    top, left = image.corner_px
    for method, folder in restored.items():
        whole = read_image(folder / pair.name).array
        images[method] = whole[..., top : top + height, left : left + width]
    return images, image.known_pixel_size_nm
