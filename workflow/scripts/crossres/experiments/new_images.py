"""What `restore_new` is asked for: which models, which images, and where results go."""

from collections.abc import Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from crossres.jobs import InputError

TIFF_ENDINGS = (".ome.tif", ".ome.tiff", ".tif", ".tiff")

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
    paths = [Path(name) for name in _listed(config["model"])]
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
    names = _listed(config["images"])
    if not names:
        raise InputError(f"images is missing: name a folder, file or pattern, as in `{USAGE}`")
    found: dict[Path, None] = {}
    for name in names:
        for path in _matching(name):
            found[path] = None
    by_name: dict[str, Path] = {}
    for path in found:
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
    """
    if config["restored"] is not None:
        return Path(config["restored"])
    models = [Path(name) for name in _listed(config["model"])]
    if not models:
        return Path(NEW_FOLDER)
    first, *others = models
    *folders, last = first.with_suffix("").parts
    if last == "model":
        parts = [part for part in folders if part not in ("results", "models", ".", "..", "/")]
        name = "_".join(parts[-4:]) or last
    else:
        name = last
    return Path(NEW_FOLDER) / (f"{name}_and_{len(others)}_more" if others else name)


def image_name(path: Path) -> str:
    """Return the name of an image, that of its file without the ending."""
    for ending in TIFF_ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.stem


def _listed(value: str | Sequence[str] | None) -> list[str]:
    """Return the entries of a list, or of a text with commas."""
    if isinstance(value, str):
        # a file may have a comma in its name
        value = [value] if Path(value).exists() else value.split(",")
    return [entry.strip() for entry in value or [] if entry.strip()]


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
    # unlike Path.glob, this takes absolute patterns
    paths = [Path(p) for p in sorted(glob(str(path)))] if has_magic(name) else []  # noqa: PTH207
    if not paths:
        raise InputError(f"images: {name} is no folder, no file, and no pattern of any file")
    return [p for p in paths if p.is_file()]


def _is_image(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return not hidden and (path.name.lower().endswith((*TIFF_ENDINGS, *OTHER_FORMATS)))
