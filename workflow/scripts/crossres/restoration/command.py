"""The command line of restore_new."""

import argparse
import os
from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import NoReturn

from crossres.jobs import InputError

DESCRIPTION = (
    "Restore new images with a trained model, or with several; no training data is needed."
)

EXAMPLES = """examples:
  restore_new.py model.safetensors /data/day1
  restore_new.py model.safetensors /data/day1/*_confocal.tif --out restored --channel GFP
  restore_new.py seed_0.safetensors --with seed_1.safetensors --with seed_2.safetensors cell.tif
  restore_new.py gan.safetensors --with cnn.safetensors --share 0.4 cell.tif

Restored images are <image>.ome.tif, in the counts of the model's target; restored.csv lists them,
and restore_new.log tells what was done. Images that cannot be restored are named at the end.
The same command again restores what is missing or has changed."""


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are sentences like all others."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise InputError(f"{message}; see restore_new.py --help")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what a command line asks for, without the name of the program.

    Raises
    ------
    InputError
        It is not understood.
    """
    parser = Parser(
        prog="restore_new.py",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="a trained model.safetensors")
    add("images", metavar="IMAGES", nargs="+", help="folders, TIFF files, or patterns in quotes")
    add(
        "--with",
        dest="others",
        metavar="MODEL",
        action="append",
        default=[],
        help="one more model, such as another seed: mean and standard deviation are written",
    )
    add(
        "--share",
        type=_share,
        metavar="S",
        help="of MODEL in the mean with those of --with, from 0 to 1; default: as much as each. Of "
        "a GAN beside a CNN: near 0 faithful, near 1 sharp",
    )
    add("--out", type=Path, metavar="FOLDER", help="default: results/restored_new/<model>")
    add(
        "--pixel-size-nm",
        type=_number(above=0),
        metavar="NM",
        help="pixel size of images whose files have none",
    )
    add(
        "--z-step-nm",
        type=_number(above=0),
        metavar="NM",
        help="distance of slices of volumes whose files have none",
    )
    add("--axes", type=_axes, help="axes of stacks whose files name none, such as TYX")
    add(
        "--channel",
        action="append",
        default=[],
        help="name or number (from 1) of a channel to restore; may be repeated; default: all",
    )
    add(
        "--background",
        type=_number(least=0),
        metavar="COUNTS",
        help="subtract this first; 0 where it has been done; default: as in the training",
    )
    add(
        "--self-ensemble",
        action="store_true",
        help="restore in all eight orientations: mean and standard deviation; 8 times as long",
    )
    add(
        "--memory-gb",
        type=_number(least=1),
        default=4.0,
        metavar="GB",
        help="what restoring may take on the CPU, in 10^9 bytes; default: 4",
    )
    add(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="auto (default) is a GPU where there is one",
    )
    add("--threads", type=_count, default=_cores(), metavar="N", help="default: all cores")
    asked = parser.parse_intermixed_args(arguments)
    if asked.share is not None and not asked.others:
        parser.error("--share divides a mean, and there is one model: give another --with it")
    return asked


def _number(above: float | None = None, least: float | None = None) -> Callable[[str], float]:
    """Return what reads a number with a bound."""
    bound = f"above {above:g}" if above is not None else f"of at least {least:g}"

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        low = (above is not None and value <= above) or (least is not None and value < least)
        if not isfinite(value) or low:
            raise argparse.ArgumentTypeError(f"{text!r} is no number {bound}")
        return value

    return number


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = float("nan")
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 0 and 1")
    return share


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of threads")
    return int(text)


def _axes(text: str) -> str:
    if set(text) - set("TCZYX") or len(set(text)) < len(text) or len(text) < 2:
        raise argparse.ArgumentTypeError(
            f"{text!r} names no axes; give letters of T, C, Z, Y, X in the order of the file"
        )
    return text


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
