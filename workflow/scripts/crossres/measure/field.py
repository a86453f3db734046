"""Everything that is measured in one image of a field, for every method alike."""

import pandas as pd

from crossres.measure.measured import MeasuredImage
from crossres.measure.registry import measurements

PLACES = {2: ["y_nm", "x_nm"], 3: ["z_nm", "y_nm", "x_nm"]}
"""Columns of a structure's place, by the dimensions of the image."""


def measure_field(seen: MeasuredImage) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Apply every measurement that works on such images and on this method.

    Parameters
    ----------
    seen
        The image, with what it is measured against.

    Returns
    -------
    metrics : DataFrame
        ``metric``, ``value``: of the whole field.
    structures : DataFrame
        ``structure`` (bead_0, pair_0 ...), [``z_nm``,] ``y_nm``, ``x_nm``, ``metric``, ``value``.
    """
    dims = seen.target.ndim
    values = [
        value
        for entry in measurements()
        if dims in entry.dims and seen.method not in entry.not_of
        for value in entry.measure(seen)
    ]
    return (
        pd.DataFrame(
            [(v.metric, v.value) for v in values if v.structure is None],
            columns=["metric", "value"],
        ),
        pd.DataFrame(
            [(v.structure, *v.place_nm, v.metric, v.value) for v in values if v.structure],
            columns=["structure", *PLACES[dims], "metric", "value"],
        ),
    )
