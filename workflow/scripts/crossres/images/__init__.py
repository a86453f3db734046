"""An image is an array with axes, a grid (pixel size, z step, corner) and channel names."""

from crossres.images.checking import (
    SIZE_TOLERANCE,
    agreed_grid,
    agreed_pixel_size,
    agreed_z_step,
    require_signal,
    to_dims,
    to_plain_type,
)
from crossres.images.cutting import centred_grid, field_window
from crossres.images.field import (
    field_name,
    fields_in,
    load_field,
    read_field_table,
    read_scene_table,
)
from crossres.images.image import Grid, Image, Metadata
from crossres.images.reading import files_of_image, open_image, read_image
from crossres.images.stored import Pixels, StoredArray, Window, slabs
from crossres.images.writing import image_to_fill, write_image

__all__ = [
    "SIZE_TOLERANCE",
    "Grid",
    "Image",
    "Metadata",
    "Pixels",
    "StoredArray",
    "Window",
    "agreed_grid",
    "agreed_pixel_size",
    "agreed_z_step",
    "centred_grid",
    "field_name",
    "field_window",
    "fields_in",
    "files_of_image",
    "image_to_fill",
    "load_field",
    "open_image",
    "read_field_table",
    "read_image",
    "read_scene_table",
    "require_signal",
    "slabs",
    "to_dims",
    "to_plain_type",
    "write_image",
]
