"""What counts become before they are patches: normalised by a common scale, or by their own."""

from collections.abc import Mapping

import numpy as np

from crossres.jobs import InputError
from crossres.preprocess import PixelQuantiles, Scale, scale_from_percentiles
from crossres.settings import Patches

ROLES = ("input", "target")
PER_IMAGE = "percentiles_per_image"

Pair = tuple[np.ndarray, np.ndarray]
"""Input and target of a field, ([Z, ]Y, X) each."""


def common_scale(pixels: PixelQuantiles, role: str, settings: Patches) -> Scale:
    """Return the scale of one modality.

    Parameters
    ----------
    pixels
        Of all accepted training fields.
    role
        ``input`` or ``target``.
    settings
        ``patches`` of the experiment.

    Raises
    ------
    InputError
        There is nothing to scale.
    """
    if settings.normalise == "full_range":
        return _scale(np.array([pixels.least, pixels.greatest]), role, (0.0, 100.0))
    return _scale(pixels, role, settings.percentiles)


def normalised_pair(
    name: str,
    pair: Pair,
    scales: Mapping[str, Scale],
    settings: Patches,
) -> Pair:
    """Return a normalised pair, by the common scales or by each image's own percentiles.

    Parameters
    ----------
    name
        Of the field.
    pair
        ([Z, ]Y, X) input and target, in counts.
    scales
        Of ``input`` and ``target``.
    settings
        ``patches`` of the experiment.

    Raises
    ------
    InputError
        An image that is to be scaled by itself has nothing to scale.
    """
    if settings.normalise == PER_IMAGE:
        scales = {
            role: _scale(image, f"{role} of field {name}", settings.percentiles)
            for role, image in zip(ROLES, pair, strict=True)
        }
    source, target = pair
    return scales["input"].apply(source), scales["target"].apply(target)


def _scale(pixels: np.ndarray | PixelQuantiles, of: str, percentiles: tuple[float, float]) -> Scale:
    try:
        return scale_from_percentiles(pixels, *percentiles)
    except ValueError as error:
        raise InputError(f"patches.percentiles, {of}: {error}; widen them") from error
