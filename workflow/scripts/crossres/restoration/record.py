"""What was restored before, of which image and by what: a file beside the results."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossres.jobs import InputError, written_aside

RECORD = ".restored.json"


class Record:
    """Of every restored image of a folder, what it was made of.

    It is written after every image, so that a run that is stopped, or ends with images that
    cannot be restored, need not begin again.

    Parameters
    ----------
    folder
        Of the results.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / RECORD
        try:
            self._made_of: dict[str, Any] = json.loads(self.path.read_text())
        except (OSError, ValueError):
            self._made_of = {}

    def holds(self, image: Path, restored: Sequence[Path], by: Sequence[Any]) -> bool:
        """Whether the results are there, of this image as it is now, by the same means.

        Parameters
        ----------
        image
            The file.
        restored
            The results; the first one's name is that of the entry.
        by
            What they depend on beside the image, JSON values only.

        Raises
        ------
        InputError
            They are there, but of another image of the same name.
        """
        before = self._made_of.get(restored[0].name)
        if before is None or not restored[0].exists():
            return False
        if before["image"] != str(image.resolve()):
            raise InputError(
                f"{image}: {restored[0]} was restored from {before['image']}; name another folder "
                "with restored=..."
            )
        return before == self._entry(image, by) and all(path.exists() for path in restored)

    def add(self, image: Path, restored: Sequence[Path], by: Sequence[Any]) -> None:
        """Note what the results were made of."""
        self._made_of[restored[0].name] = self._entry(image, by)
        with written_aside(self.path) as aside:
            aside.write_text(json.dumps(self._made_of, indent=1))

    @staticmethod
    def _entry(image: Path, by: Sequence[Any]) -> dict[str, Any]:
        about = image.stat()
        return {
            "image": str(image.resolve()),
            "bytes": about.st_size,
            "changed": about.st_mtime_ns,
            "by": list(by),
        }
