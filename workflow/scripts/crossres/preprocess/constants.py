"""Constants of a channel, found once in its first batch of training fields."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from crossres.jobs import InputError, written_aside
from crossres.preprocess.noise import NoiseLine
from crossres.section import Length, Section

Role = Literal["input", "target"]


class RoleConstants(Section):
    """Constants of one microscope's images of a channel."""

    pixel_size_nm: Length
    """Pixel size of the imported images, in nm."""
    z_step_nm: Length | None = None
    """Distance of two slices, in nm; null for images."""
    background: float | None = None
    """Subtracted background, in counts; null for none."""
    noise: NoiseLine | None = None
    """Noise of the camera before any background was subtracted; null where the images do not show
    it."""


class Constants(Section):
    """Constants of both microscopes' images of a channel.  Only the training split determines them:
    processing of a blind-test field must not depend on its target.
    """

    input: RoleConstants
    """Constants of the lesser microscope."""
    target: RoleConstants
    """Constants of the better microscope."""

    def of(self, role: Role) -> RoleConstants:
        """Return the constants of a role."""
        return self.input if role == "input" else self.target

    def write(self, path: str | Path) -> None:
        """Write as JSON, whole or not at all."""
        with written_aside(path) as aside:
            aside.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> "Constants":
        """Read what :meth:`write` wrote.

        Raises
        ------
        InputError
            The file does not hold constants.
        """
        try:
            return cls.model_validate_json(Path(path).read_text(encoding="utf-8"))
        except ValidationError as error:
            (first, *_) = error.errors()
            key = ".".join(map(str, first["loc"])) or "the file"
            raise InputError(
                f"{path}: {key}: {first['msg']}; delete the file, so that find_constants writes it "
                "again"
            ) from error
