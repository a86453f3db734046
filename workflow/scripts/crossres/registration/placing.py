"""Where the targets of a batch lie in their inputs."""

from pathlib import Path

import numpy as np

from crossres.images import Image, read_image
from crossres.jobs import logger
from crossres.registration.match import FieldMatch, match_field, place_in_field


class Places:
    """Where targets lie in their inputs; one match serves all fields of a scene.

    Parameters
    ----------
    within
        Folder of the inputs at their own pixel size, or of their mosaics, in which targets are to
        be found; None where both show the same field.
    cut
        Folder of the fields as they were cut from the mosaic; None where they were not.
    min_correlation
        A match of less than this is refused.
    """

    def __init__(self, within: Path | None, cut: Path | None, min_correlation: float) -> None:
        self.within, self.cut, self.min_correlation = within, cut, min_correlation
        self.of_scene: dict[str, FieldMatch] = {}

    def __call__(
        self, name: str, scene: str | None, target: Image, size_nm: float
    ) -> tuple[FieldMatch | None, tuple[np.ndarray, np.ndarray] | None]:
        """Return the match of a field, and its place as register_pair takes it.

        Parameters
        ----------
        name, scene
            Of the field; the scene that it is part of, or None.
        target
            (Y, X) the target, or the mosaic of its scene.
        size_nm
            Pixel size at which the pair is to be registered.
        """
        if self.within is None:
            return None, None
        whole = read_image(self.within / f"{scene or name}.ome.tif")
        corner = read_image(self.cut / f"{name}.ome.tif").corner_px if self.cut else (0, 0)
        key = scene or name
        if key not in self.of_scene:
            ratio = whole.known_pixel_size_nm / target.known_pixel_size_nm
            match = match_field(whole.array, target.array, ratio, self.min_correlation)
            self.of_scene = {key: match}
            logger.info(
                "%s: ratio %.4f, rotation %.3f degrees, correlation %.2f; %s",
                key,
                match.ratio,
                match.rotation_degree,
                match.correlation,
                match.reason or "found",
            )
        match = self.of_scene[key]
        return match, place_in_field(match, corner, whole.known_pixel_size_nm / size_nm)
