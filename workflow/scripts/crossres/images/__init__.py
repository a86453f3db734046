"""An image is an array with axes, pixel size in nm and channel names."""

from crossres.images.checking import agreed_pixel_size, as_plane, require_signal
from crossres.images.cutting import centred_grid, field_window
from crossres.images.field import (
    field_name,
    fields_in,
    load_field,
    read_field_table,
    read_scene_table,
)
from crossres.images.image import Image
from crossres.images.reading import read_image
from crossres.images.writing import write_image

__all__ = [
    "Image",
    "agreed_pixel_size",
    "as_plane",
    "centred_grid",
    "field_name",
    "field_window",
    "fields_in",
    "load_field",
    "read_field_table",
    "read_image",
    "read_scene_table",
    "require_signal",
    "write_image",
]
