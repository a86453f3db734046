"""What people see of a bioimage.io package: its name, its page and its cover."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import imagecodecs
import numpy as np

from crossres.catalogue.networks import NETWORKS
from crossres.export.tile_sizes import TileAxis
from crossres.networks import ModelFile, takes_pooling

COVER_PX = 256
"""Side of each half of the cover; the format asks for a width of twice the height."""

COVER_PERCENTILES = (1.0, 99.8)


def legal_name(model_file: ModelFile, title: str) -> str:
    """Return a name of at most 64 characters that the format allows."""
    words = f"{model_file.network} {model_file.trained.get('channel', '')} {title}"
    return " ".join(re.sub(r"[^A-Za-z0-9_+\-() ]+", " ", words).split())[:64].strip()


def nickname(model_file: ModelFile, title: str) -> str:
    """Return a name for a folder, unique among the models of the workflow."""
    told = model_file.trained
    words = [told.get("experiment", title), told.get("channel", ""), model_file.network]
    words += [f"seed-{told['seed']}"] if "seed" in told else []
    return re.sub(r"[^a-z0-9]+", "-", " ".join(map(str, words)).lower()).strip("-")


def cover_image(counts: np.ndarray, restored: np.ndarray) -> bytes:
    """Return a PNG of the middle of an input beside the middle of its restoration.

    Parameters
    ----------
    counts, restored
        (Y, X) or (Z, Y, X); volumes show their middle slice.

    Returns
    -------
    bytes
        8-bit grey, each half scaled between two of its percentiles.
    """
    halves = []
    for image in (counts, restored):
        plane = image if image.ndim == 2 else image[len(image) // 2]
        side = min(COVER_PX, *plane.shape)
        top, left = ((n - side) // 2 for n in plane.shape)
        square = plane[top : top + side, left : left + side]
        low, high = np.percentile(square, COVER_PERCENTILES)
        grey = np.clip((square - low) / max(high - low, 1e-12), 0, 1)
        halves.append(np.round(255 * grey).astype(np.uint8))
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(np.hstack(halves))))


def written_page(model_file: ModelFile, axes: Sequence[TileAxis], title: str) -> str:
    """Return the documentation of a package, as Markdown.

    Parameters
    ----------
    model_file
        Description of the model, with what it was trained on.
    axes
        Image sizes that it takes.
    title
        Of the experiment.
    """
    network = NETWORKS[model_file.network]
    return (
        "\n\n".join(
            [
                f"# {title}: {model_file.network}",
                "This network predicts the image of a better microscope from that of a lesser "
                "one. It was trained and exported by crossres.",
                "## What goes in",
                _input_text(model_file, axes),
                "## What comes out",
                _output_text(model_file),
                "## What it was trained on",
                _origin(model_file.trained),
                _table(
                    {
                        **model_file.trained,
                        **{f"setting: {k}": v for k, v in model_file.settings.items()},
                    }
                ),
                "## Limits",
                _limits(model_file),
                "## Validation",
                _validation(),
                "## Reference",
                f"{network.citation}. https://doi.org/{network.doi}",
            ]
        )
        + "\n"
    )


def _input_text(model_file: ModelFile, axes: Sequence[TileAxis]) -> str:
    order = "".join(axis.name for axis in axes)
    sizes = ", ".join(f"{a.name}: {a.min_px} + n x {a.step_px}" for a in axes)
    halo = max(axis.halo_px for axis in axes)
    lines = [
        f"- One channel of a fluorescence image, axes {order}, in the counts of the file: the "
        "package normalises it.",
        f"- Pixels of {model_file.pixel_size_nm:g} nm"
        + (f", slices {model_file.z_step_nm:g} nm apart" if model_file.z_step_nm else "")
        + ". Resample other images to this first.",
        *_raw_input_text(model_file),
        f"- Sizes in pixels: {sizes}. Crop or pad images to one of these first: at other sizes "
        "programs restore the last tiles differently, and some refuse smaller images.",
        f"- Programs that tile cut {halo} pixels off each side of a tile in y and x: choose large "
        "tiles, as small ones are nearly all halo.",
    ]
    if model_file.dims == 3:
        lines.append("- Tiles must hold all slices: do not tile along z.")
    return "\n".join(lines)


def subtracted_inside(model_file: ModelFile) -> float:
    """Return the background in counts that the package itself subtracts; 0 if it does not.

    It does not if images are normalised by their own percentiles: bioimageio.core takes these
    from the image as given, before any other step.
    """
    return (model_file.background or 0.0) if model_file.percentiles_per_image is None else 0.0


def _raw_input_text(model_file: ModelFile) -> list[str]:
    """What was done to the raw inputs of the training, if anything."""
    lines = []
    given_nm = model_file.input_pixel_size_nm
    if given_nm is not None and given_nm != model_file.pixel_size_nm:
        how = "linear" if model_file.interpolation_order == 1 else "cubic spline"
        lines.append(
            f"- The raw training images had pixels of {given_nm:g} nm and were resampled to "
            f"{model_file.pixel_size_nm:g} nm by {how} interpolation. The package does not "
            "resample."
        )
    if model_file.background and not subtracted_inside(model_file):
        lines.append(
            f"- Subtract a background of {model_file.background:g} counts first, as the training "
            "did, and set negative values to 0: the package does not, as programs take the "
            "percentiles before such a step."
        )
    elif model_file.background:
        lines.append(
            f"- The package subtracts a background of {model_file.background:g} counts, as the "
            "training did, and sets negative values to 0. If your background differs, shift it to "
            "this number first; if it is already subtracted, add this number."
        )
    return lines


def _output_text(model_file: ModelFile) -> str:
    if model_file.percentiles_per_image is None:
        return (
            "An image of the same size and pixel size, float32, in the counts of the better "
            "microscope's training images. Brightness can be compared between images."
        )
    low, high = model_file.percentiles_per_image
    return (
        "An image of the same size and pixel size, float32, **not in counts**: each image is "
        f"normalised by itself, 0 is percentile {low:g} of the input image and 1 its percentile "
        f"{high:g}, and the format has no step to undo it. For counts of the input image, multiply "
        "by the difference of these two percentiles and add the lower one. Brightness cannot be "
        "compared between images."
    )


def _origin(trained: Mapping[str, Any]) -> str:
    """Whether the training images were real: what a reader must know first."""
    data = trained.get("data")
    if data == "simulated":
        return (
            "**Simulated images only.** Sample, optics and camera were computed; this network has "
            "never seen an image of a real microscope. On measured images it shows how such a "
            "model is used, not what is in your sample."
        )
    if data == "measured":
        return "Measured images: the same fields, imaged with two microscopes."
    return "Whether the images were simulated or measured is not recorded in the model file."


def _validation() -> str:
    return (
        "Before you believe it on images of your own, take a few fields with both microscopes, "
        "restore the inputs, and compare the restorations with the targets: SSIM, PSNR, and above "
        "all the sizes and distances that you want to measure. Compare with a deconvolution of the "
        "same inputs too. The workflow that trained this model does all of it on fields that no "
        "network has seen; its metrics.csv and figures hold the result."
    )


def _limits(model_file: ModelFile) -> str:
    lines = [
        "- It restores what its training pairs show. Another label, sample preparation, objective, "
        "pixel size or camera is another task.",
        "- What it adds is likely, not measured: structures below the resolution of the input are "
        "inferred from the training images.",
        "- Where the input is only noise, so is the restoration, however sharp it looks.",
        "- Near the edges of an image the restoration depends on how a program pads: crossres does "
        "not, others mirror.",
    ]
    if takes_pooling(model_file.network) and model_file.settings.get("pooling_px") is None:
        lines.append(
            "- Its attention pools over its whole input: a tile is restored differently from the "
            "image it was cut from. Give it whole images."
        )
    return "\n".join(lines)


def _table(facts: Mapping[str, Any]) -> str:
    """A table of facts; nested ones are named by both keys."""
    rows = ["| | |", "|---|---|"]
    for key, value in facts.items():
        nested = value.items() if isinstance(value, Mapping) else [(None, value)]
        for inner, fact in nested:
            name = str(key) if inner is None else f"{key}, {inner}"
            shown = f"{fact:.4g}" if isinstance(fact, float) else str(fact)
            rows.append(f"| {name.replace('_', ' ')} | {shown.replace('|', '/')} |")
    return "\n".join(rows)
