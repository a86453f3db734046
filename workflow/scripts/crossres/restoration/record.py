"""What was restored before, of which image and by what: a file beside the results."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from crossres.jobs import InputError, written_aside

RECORD = ".restored.json"
TABLE = "restored.csv"

SPREAD = "spread"
"""Folder of the standard deviations of ensembles, beside the restored images."""

SCRATCH = re.compile(r"\.scratch_[a-z0-9_]{8}")
"""Folders of a restorer, which a run that was killed leaves."""


class RestoredRecord:
    """What every restored image of a folder was made of.

    It is written before and after every image, so that a run that is stopped, or ends with images
    that cannot be restored, need not begin again, and knows its own files from others.

    Parameters
    ----------
    folder
        Of the results.
    models
        The hash of each model's file, by its path.
    by
        What else the results depend on beside the image, JSON values only.

    Raises
    ------
    InputError
        The folder holds what other models restored or a table of another program, or its record
        is damaged.
    """

    def __init__(self, folder: Path, models: Mapping[str, str], by: Sequence[Any]) -> None:
        self.folder = folder
        self.path = folder / RECORD
        self.table = folder / TABLE
        self._models = dict(models)
        # as it is read again: JSON knows no tuples
        self._by = json.loads(json.dumps(list(by)))
        self._made_of: dict[str, Any] = {}
        if self.path.exists():
            try:
                self._made_of = dict(json.loads(self.path.read_text()))
            except (OSError, ValueError) as error:
                raise InputError(
                    f"{self.path}: cannot be read ({error}); name another folder with --out, "
                    f"or move the images out of {folder} and delete it"
                ) from None
        elif self.table.exists():
            raise InputError(
                f"{self.table}: is there and was not written by this workflow; name another folder "
                "with --out"
            )
        self._require_same_models()

    def _require_same_models(self) -> None:
        """Refuse models of other paths and content: not those that were moved or trained again."""
        for name, entry in self._made_of.items():
            theirs = entry.get("models", self._models)
            same_paths = set(theirs) == set(self._models)
            same = same_paths or set(theirs.values()) == set(self._models.values())
            if not same and (self.folder / name).exists():
                raise InputError(
                    f"{self.folder}: holds images that were restored by {', '.join(theirs)}, and "
                    f"model is {', '.join(self._models)}; name another folder with --out"
                )

    def holds(self, image: Path, restored: Sequence[Path]) -> bool:
        """Whether the results are there, of this image as it is now, by the same means.

        Parameters
        ----------
        image
            The file.
        restored
            The results; the first one's name is that of the entry.

        Raises
        ------
        InputError
            They are there, but of another image of the same name, or not of this workflow.
        """
        before = self._made_of.get(restored[0].name)
        if before is None:
            for path in restored:
                if path.exists():
                    raise InputError(
                        f"{image}: {path} is there and was not restored by this workflow; name "
                        "another folder with --out"
                    )
            return False
        if not restored[0].exists():
            return False
        if before["image"] != str(image.resolve()):
            raise InputError(
                f"{image}: {restored[0]} was restored from {before['image']}; name another folder "
                "with --out"
            )
        made = before == self._entry(image, restored)
        return made and all(path.exists() for path in restored)

    def begin(self, image: Path, restored: Sequence[Path]) -> None:
        """Note that the results, when they are there, are ours: a kill may come between."""
        if not restored[0].exists():
            self._note(restored[0].name, {**self._entry(image, restored), "whole": False})

    def add(self, image: Path, restored: Sequence[Path]) -> None:
        """Note what the results were made of."""
        self._note(restored[0].name, self._entry(image, restored))

    def rows(self) -> list[tuple[str, str, str]]:
        """Return (image, restored, spread) of every image in the folder; no spread is empty."""
        found = []
        for name, entry in sorted(self._made_of.items()):
            paths = [self.folder / part for part in entry.get("restored", [name])]
            if entry.get("whole", True) and paths[0].exists():
                spread = str(paths[1]) if len(paths) > 1 and paths[1].exists() else ""
                found.append((entry["image"], str(paths[0]), spread))
        return found

    def write_table(self) -> None:
        """Write restored.csv: every image of the folder, what it was restored to, its spread."""
        rows = self.rows()
        if rows or self.table.exists():
            with written_aside(self.table) as aside:
                # names that are not UTF-8 are written so that the table can be read
                pd.DataFrame(rows, columns=["image", "restored", "spread"]).to_csv(
                    aside, index=False, errors="backslashreplace"
                )

    def clear(self) -> None:
        """Delete what runs that were killed left half done.

        Nothing but what bears the name of a result, or of a restorer's scratch.
        """
        if not self._made_of:
            return
        for name in self._made_of:
            for folder in (self.folder, self.folder / SPREAD):
                (folder / f".{name}.partial").unlink(missing_ok=True)
        for folder in list(self.folder.iterdir()):
            if SCRATCH.fullmatch(folder.name) and folder.is_dir():
                with suppress(OSError):
                    for path in folder.iterdir():
                        path.unlink()
                    folder.rmdir()

    def _note(self, name: str, entry: Mapping[str, Any]) -> None:
        self._made_of[name] = dict(entry)
        with written_aside(self.path) as aside:
            aside.write_text(json.dumps(self._made_of, indent=1))

    def _entry(self, image: Path, restored: Sequence[Path]) -> dict[str, Any]:
        status = image.stat()
        return {
            "image": str(image.resolve()),
            "bytes": status.st_size,
            "changed": status.st_mtime_ns,
            "restored": [str(path.relative_to(self.folder)) for path in restored],
            "models": self._models,
            "by": self._by,
        }
