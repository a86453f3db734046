"""Restoring any number of new image files into one folder."""

from collections.abc import Sequence
from pathlib import Path

from crossres.images import files_of_image
from crossres.jobs import InputError, logger, progress
from crossres.restoration.new_images import OTHER_FORMATS, image_name
from crossres.restoration.record import SPREAD, RestoredRecord
from crossres.restoration.restorer import Restorer
from crossres.restoration.stacks import Stated


def restore_images(
    restorer: Restorer, images: Sequence[Path], stated: Stated, record: RestoredRecord
) -> None:
    """Write <image>.ome.tif of every image, restored, and restored.csv of all in the folder.

    What was restored before from the same image by the same means is kept. An image that is
    spread over several files is restored once. An image that cannot be restored does not stop
    the others.

    Parameters
    ----------
    restorer
        The models.
    images
        Files; no two have the same :func:`image_name`.
    stated
        What the user says of the images.
    record
        Of the folder where images go; standard deviations of ensembles go to spread/ in it.

    Raises
    ------
    InputError
        When all else is done: images that could not be restored, each with its reason.
    """
    record.clear()
    failures: list[str] = []
    parts: dict[Path, Path] = {}
    count = 0
    for path in progress(images, "restoring"):
        if whole := parts.get(path.resolve()):
            logger.info("%s: restored with %s, as both are files of one image", path, whole)
            continue
        parts |= {part.resolve(): path for part in files_of_image(path)}
        count += 1
        try:
            _restore_one(restorer, path, stated, record)
        except (InputError, OSError) as error:
            text = str(error)
            text = text if text.startswith(str(path)) else f"{path}: {text}"
            logger.error("%s", text)
            failures.append(text)
    record.write_table()
    if failures:
        listed = "\n".join(f"  {text}" for text in failures)
        raise InputError(f"{len(failures)} of {count} images could not be restored:\n{listed}")


def _restore_one(restorer: Restorer, path: Path, stated: Stated, record: RestoredRecord) -> None:
    if path.name.lower().endswith(OTHER_FORMATS):
        raise InputError(
            f"{path}: {path.suffix} files are not read; export it as OME-TIFF or ImageJ TIFF"
        )
    file = f"{image_name(path)}.ome.tif"
    restored = record.folder / file
    spread = record.folder / SPREAD / file if restorer.has_spread else None
    results = [restored] if spread is None else [restored, spread]
    if record.holds(path, results):
        logger.info("%s: kept, as it was restored before", path)
        return
    record.begin(path, results)
    restorer.restore_file(path, restored, spread, stated)
    record.add(path, results)
