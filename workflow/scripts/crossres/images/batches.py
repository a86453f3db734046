"""Finding the files of a field in the folders of its batches."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossres.images.field import fields_in


def restored_fields(
    pairs: Sequence[str | Path], restorations: Sequence[Mapping[str, Any]]
) -> dict[Path, dict[str, Path]]:
    """Return the folders of each field's restorations by method, by the file of its pair.

    Parameters
    ----------
    pairs
        Folder of the registered pairs of each batch.
    restorations
        ``method`` and ``folders`` of each restoration, a folder for each of the same batches.
    """
    return {
        path: {entry["method"]: Path(entry["folders"][number]) for entry in restorations}
        for number, folder in enumerate(pairs)
        for path in fields_in([folder])
    }
