"""Which models and images `restore_new` is given, and where results go by default."""

import os
from collections.abc import Sequence
from glob import escape, glob, has_magic
from pathlib import Path

from crossres.jobs import InputError

TIFF_ENDINGS = tuple(
    f"{ome}.{ending}" for ome in (".ome", "") for ending in ("tif", "tiff", "btf", "tf2", "tf8")
)

OTHER_FORMATS = (
    ".czi",
    ".dv",
    ".ims",
    ".lif",
    ".lsm",
    ".nd2",
    ".oib",
    ".oif",
    ".oir",
    ".stk",
    ".vsi",
)
"""Endings of microscopes' own formats, which are named where they are found and not read."""

NEW_FOLDER = Path("results/restored_new")


def find_models(names: Sequence[str]) -> list[Path]:
    """Return model files by their paths.

    Raises
    ------
    InputError
        A name is empty, or there is no such file.
    """
    paths = [Path(name).expanduser() for name in names if name.strip()]
    if len(paths) < len(names):
        raise InputError("MODEL is empty; give the path of a trained model.safetensors")
    for path in paths:
        if not path.is_file():
            raise InputError(f"there is no model {path}; give the path of a model.safetensors")
    return paths


def find_images(names: Sequence[str], folder: Path) -> list[Path]:
    """Return the image files of some folders, files and patterns such as day1/*.tif.

    Files in the formats of microscopes are among them, so that each is refused by its name.

    Parameters
    ----------
    names
        Of folders, files and patterns; what is there under a name is no pattern.
    folder
        Where results go.

    Raises
    ------
    InputError
        A name is of nothing, two images have one name, or the results would lie among the images.
    """
    found = list(dict.fromkeys(path for name in names for path in _named(name)))
    by_name: dict[str, Path] = {}
    # other formats are not restored, and claim no name
    for path in (path for path in found if not path.name.lower().endswith(OTHER_FORMATS)):
        other = by_name.setdefault(image_name(path), path)
        if other != path:
            raise InputError(
                f"{other} and {path} would both be restored to {image_name(path)}.ome.tif; rename "
                "one, or restore them one after the other, each with an --out of its own"
            )
    if any(path.resolve().parent == folder.resolve() for path in found):
        raise InputError(f"--out: {folder} holds the images themselves; name another folder")
    return found


def find_skipped(names: Sequence[str]) -> list[Path]:
    """Return the files in the named folders that are no images."""
    folders = [Path(name).expanduser() for name in names]
    return [
        path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".") and not _is_image(path)
    ]


def folder_of(models: Sequence[Path]) -> Path:
    """Return where images go that some models restore.

    The folder is named after the model: one that the workflow trained has the name of its
    experiment, channel, network and seed.
    """
    first, *others = models
    *folders, last = first.with_suffix("").parts
    if last == "model":
        parts = [part for part in folders if part not in ("results", "models", ".", "..", "/")]
        last = "_".join(parts[-4:]) or last
    return NEW_FOLDER / (f"{last}_and_{len(others)}_more" if others else last)


def image_name(path: Path) -> str:
    """Return the name of an image, that of its file without the ending."""
    for ending in TIFF_ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.stem


def _named(name: str) -> list[Path]:
    """Return the images in a folder, of a pattern, or the one file."""
    if not name.strip():
        raise InputError("IMAGES is empty; give a folder, a file, or a pattern such as day1/*.tif")
    path = Path(name).expanduser()
    if path.is_dir():
        paths = sorted(p for p in path.iterdir() if p.is_file() and _is_image(p))
        if not paths:
            raise InputError(f"the folder {path} holds no TIFF file (.tif, .tiff)")
        return paths
    if path.is_file():
        return [path]
    paths = _of_pattern(name)
    if not paths:
        raise InputError(f"{name} is no folder, no file, and no pattern of any file")
    return paths


def _of_pattern(name: str) -> list[Path]:
    """Return the files of a pattern; folders that are there as they are written are no pattern."""
    if not has_magic(name):
        return []
    path = Path(name).expanduser()
    folder = next(folder for folder in path.parents if folder.exists())
    # unlike Path.glob, this takes absolute patterns
    pattern = os.path.join(escape(str(folder)), str(path.relative_to(folder)))  # noqa: PTH118
    return [p for p in map(Path, sorted(glob(pattern))) if p.is_file()]  # noqa: PTH207


def _is_image(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return not hidden and (path.name.lower().endswith((*TIFF_ENDINGS, *OTHER_FORMATS)))
