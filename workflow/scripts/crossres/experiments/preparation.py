"""The preparation of a batch: what each of its stages depends on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from crossres.experiments.experiment import Experiment
from crossres.experiments.fields import Field, RawFile, Tile
from crossres.experiments.provenance import code_hash, fingerprint

SCRIPTS = {
    "imported": "import_images.py",
    "subtracted": "subtract_background.py",
    "stitched": "stitch_tiles.py",
    "cut": "cut_fields.py",
    "resampled": "resample_input.py",
    "registered": "register_fields.py",
}
"""What makes each stage."""

content_of = cache(fingerprint)
"""Hashes of raw files, read once for all jobs that depend on them."""


@dataclass(frozen=True)
class Preparation:
    """One batch of one channel on its way to registered pairs.

    Parameters
    ----------
    experiment
        Whose fields are prepared.
    channel, batch
        Which of them.
    """

    experiment: Experiment
    channel: str
    batch: str

    def importing(self, role: str) -> dict[str, Any]:
        """Return everything that the imported images of one modality depend on.

        Raw files are identified by their content, not by path or time: moving a data folder changes
        nothing, and an older file under the same name is noticed.
        """
        settings = self.experiment.settings
        modality = getattr(settings.modalities, role)
        return {
            "fields": [self._image(image, role) for image in self.images(role)],
            "pixel_size_nm": modality.pixel_size_nm,
            "z_step_nm": modality.z_step_nm,
            "cut": settings.source.cut and settings.source.cut.as_params(),
            "dims": settings.dims,
        }

    def images(self, role: str) -> Sequence[Field | Tile]:
        """Return what a microscope took of the batch: whole fields, or the tiles of its scenes."""
        if self.experiment.stitched:
            return self.experiment.tiles_in_batch(self.channel, self.batch, role)
        return self.experiment.in_batch(self.channel, self.batch)

    def places(self, role: str, raw: str) -> dict[str, dict[str, str]]:
        """Return where each image lies, and who says so: a simulator's folder or the sheet.

        Parameters
        ----------
        role
            input or target.
        raw
            The simulator's folder.
        """
        simulated = self.experiment.simulated
        return {
            image.name: {
                "path": f"{raw}/{image.name}.tif" if simulated else getattr(image, role).path,
                "where": f"line {image.row}",
            }
            for image in self.images(role)
        }

    def made_by(self, stage: str, role: str) -> str:
        """Return a hash of all that made the images which a stage takes.

        Intermediate stages are deleted once used. Snakemake then has no input to compare times
        with, so results depend on this hash instead.
        """
        stages = self.experiment.stages(role)
        return self._hash(role, stages[: stages.index(stage)])

    def imported_by(self, role: str) -> str:
        """Return the hash for the imported images alone."""
        return self._hash(role, ["imported"])

    def _hash(self, role: str, stages: list[str]) -> str:
        parts = [self.importing(role), *(code_hash(SCRIPTS[stage]) for stage in stages)]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def _image(self, image: Field | Tile, role: str) -> dict[str, Any]:
        file: RawFile | None = getattr(image, role)
        simulated = self.experiment.simulated
        return {
            "name": image.name,
            "cut_index": image.cut_index,
            "pixel_size_nm": file.pixel_size_nm if file else None,
            "z_step_nm": file.z_step_nm if file else None,
            "content": None if file is None or simulated else content_of(file.path),
        }
