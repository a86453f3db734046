"""The columns of a sheet, config/sheets/<name>.tsv: one row per field and channel."""

COLUMNS: dict[str, str] = {
    "field": 'Name of the field, of letters, digits, "-" and "_"; with the channel it is unique.',
    "channel": "Name of the channel; each gets models of its own.",
    "input": "Path of the input image, relative to `source.data_root`.",
    "target": "Path of the target image; may be empty in `apply` rows.",
    "scene": "Name of the stage scan that this row's tiles belong to; a scan is stitched as "
    "`source.stitch` says, and its tiles need `tile_row` and `tile_col`. A row may hold one tile "
    "of either scan, which need not show the same place; either of `input` and `target` may be "
    "empty where the other's scan has more tiles.",
    "tile_row": "Row of the tile in its scan, from 0 at the top.",
    "tile_col": "Column of the tile in its scan, from 0 at the left.",
    "split": "`train`, `validation`, `test`, or `apply` (restored, not measured); empty to be "
    "assigned by group, or by `source.cut`.",
    "group": "Fields of one group, such as one slide or one day, never end up in different splits.",
    "input_pixel_size_nm": "Pixel size of the input, in nm, where the file lacks it.",
    "target_pixel_size_nm": "Pixel size of the target, in nm, where the file lacks it.",
    "input_z_step_nm": "Distance of the input's slices, in nm, where a volume's file lacks it.",
    "target_z_step_nm": "Distance of the target's slices, in nm, where a volume's file lacks it.",
    "note": "Free text, for people.",
}
"""What each column means; they may come in any order."""

REQUIRED = ("field", "channel", "input")
"""Columns that every sheet has."""
