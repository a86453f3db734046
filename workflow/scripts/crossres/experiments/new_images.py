"""What `restore_new` is asked for: which models, which images, and where results go."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from glob import escape, glob, has_magic
from pathlib import Path
from typing import Any

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

USAGE = "snakemake restore_new --config model=model.safetensors images=folder"

NEW_FOLDER = "results/restored_new"


def new_models(config: Mapping[str, Any]) -> list[Path]:
    """Return the model files that `model` names; several are an ensemble.

    Raises
    ------
    InputError
        There is no `model`, or no such file.
    """
    paths = _model_paths(config)
    if not paths:
        raise InputError(f"model is missing: name a trained model, as in `{USAGE}`")
    for path in paths:
        if not path.is_file():
            raise InputError(
                f"model: there is no file {path}; give the path of a trained model.safetensors"
            )
    return paths


def new_images(config: Mapping[str, Any]) -> list[Path]:
    """Return the image files that `images` names: a folder, a file, or a pattern such as *.tif.

    Files of other microscopes' formats are among them, so that each is refused by its name.

    Raises
    ------
    InputError
        There is no `images`, nothing that it names, two images of one name, or the results would
        lie among the images.
    """
    names = _listed(config["images"], _names_images)
    if not names:
        raise InputError(f"images is missing: name a folder, file or pattern, as in `{USAGE}`")
    found: dict[Path, None] = {}
    for name in names:
        for path in _matching(name):
            found[path] = None
    by_name: dict[str, Path] = {}
    # other formats are not restored, and claim no name
    for path in (path for path in found if not path.name.lower().endswith(OTHER_FORMATS)):
        other = by_name.setdefault(image_name(path), path)
        if other != path:
            raise InputError(
                f"images: {other} and {path} would both be restored to {image_name(path)}.ome.tif; "
                "rename one, or restore them one after the other into folders of their own"
            )
    folder = new_folder(config)
    if any(path.resolve().parent == folder.resolve() for path in found):
        raise InputError(f"restored: {folder} holds the images themselves; name another folder")
    return list(found)


def new_folder(config: Mapping[str, Any]) -> Path:
    """Return where restored images go: `restored`, or a folder that is named after the model.

    A model of this workflow is named by its experiment, channel, network and seed.

    Raises
    ------
    InputError
        `restored` has braces.
    """
    if config["restored"] is not None:
        if has_braces(config["restored"]):
            raise InputError(
                f"restored: {config['restored']} has braces, which Snakemake takes for the name of "
                "a wildcard; name a folder without"
            )
        return Path(config["restored"]).expanduser()
    models = _model_paths(config)
    if not models:
        return Path(NEW_FOLDER)
    first, *others = models
    *folders, last = first.with_suffix("").parts
    if last == "model":
        parts = [part for part in folders if part not in ("results", "models", ".", "..", "/")]
        name = "_".join(parts[-4:]) or last
    else:
        name = last
    name = re.sub("[{}]", "_", name)
    return Path(NEW_FOLDER) / (f"{name}_and_{len(others)}_more" if others else name)


def skipped_files(config: Mapping[str, Any]) -> list[Path]:
    """Return what lies in the folders that `images` names and is no image."""
    folders = [Path(name).expanduser() for name in _listed(config["images"], _names_images)]
    return [
        path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".") and not _is_image(path)
    ]


def has_braces(name: str) -> bool:
    """Whether Snakemake would look for wildcards in the name of a file."""
    return "{" in name or "}" in name


def image_name(path: Path) -> str:
    """Return the name of an image, that of its file without the ending."""
    for ending in TIFF_ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.stem


def _model_paths(config: Mapping[str, Any]) -> list[Path]:
    return [Path(name).expanduser() for name in _listed(config["model"], _exists)]


def _listed(value: str | Sequence[str] | None, known: Callable[[str], bool]) -> list[str]:
    """Return the entries of a list, or of a text with commas.

    Parameters
    ----------
    value
        List or text.
    known
        Whether a text names something: a file may have commas in its name.
    """
    if not isinstance(value, str):
        return [entry for entry in value or [] if entry.strip()]
    parts, entries = value.split(","), []
    while parts:
        lengths = range(len(parts), 1, -1)
        n = next((n for n in lengths if known(",".join(parts[:n]).strip())), 1)
        entries.append(",".join(parts[:n]).strip())
        parts = parts[n:]
    return [entry for entry in entries if entry]


def _exists(name: str) -> bool:
    return Path(name).expanduser().exists()


def _names_images(name: str) -> bool:
    return _exists(name) or bool(_of_pattern(name))


def _of_pattern(name: str) -> list[Path]:
    """Return the files of a pattern; folders that are there as they are written are no pattern."""
    if not has_magic(name):
        return []
    path = Path(name).expanduser()
    folder = next(folder for folder in path.parents if folder.exists())
    # unlike Path.glob, this takes absolute patterns
    pattern = os.path.join(escape(str(folder)), str(path.relative_to(folder)))  # noqa: PTH118
    return [p for p in map(Path, sorted(glob(pattern))) if p.is_file()]  # noqa: PTH207


def _matching(name: str) -> list[Path]:
    """Return the images in a folder, of a pattern, or the one file."""
    path = Path(name).expanduser()
    if path.is_dir():
        paths = sorted(p for p in path.iterdir() if p.is_file() and _is_image(p))
        if not paths:
            raise InputError(f"images: the folder {path} holds no TIFF file (.tif, .tiff)")
        return paths
    if path.is_file():
        return [path]
    paths = _of_pattern(name)
    if not paths:
        raise InputError(f"images: {name} is no folder, no file, and no pattern of any file")
    return paths


def _is_image(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return not hidden and (path.name.lower().endswith((*TIFF_ENDINGS, *OTHER_FORMATS)))
