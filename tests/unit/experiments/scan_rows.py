"""Rows of a sheet of stage scans, for the tests that read them."""

HEADER = "field channel input target scene tile_row tile_col split"
SPLITS = ("train", "validation", "test")
STITCH = {"fields": {"rows": 2, "columns": 3, "size_px": 512}}


def tile_row(scene, row, column, roles="it", split=".", channel="c"):
    """A line of a sheet: a tile of the input's scan, of the target's or of both."""
    name = f"{scene}_{channel}_{row}_{column}"
    paths = [f"{name}_{role}.tif" if role in roles else "." for role in "it"]
    return f"{name} {channel} {paths[0]} {paths[1]} {scene} {row} {column} {split}"


def scan_rows(scene, **others):
    """A scan of 2 x 2 tiles by the input's objective, and of 1 x 2 by the target's."""
    roles = {(0, 0): "it", (0, 1): "it", (1, 0): "i", (1, 1): "i"}
    return [tile_row(scene, *place, roles=found, **others) for place, found in roles.items()]
