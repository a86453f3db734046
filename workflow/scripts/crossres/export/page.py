"""What people see of a bioimage.io package: its name, its page, its cover, and whom to cite."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import imagecodecs
import numpy as np

from crossres.networks.files import ModelFile
from crossres.networks.registry import takes_field
from crossres.networks.tile_sizes import TileAxis

COVER_PX = 256
"""Side of each half of the cover; the format asks for a width of twice the height."""

COVER_PERCENTILES = (1.0, 99.8)

WANG = (
    "Wang et al., Deep learning enables cross-modality super-resolution in fluorescence "
    "microscopy, Nature Methods 16, 103-110 (2019)",
    "10.1038/s41592-018-0239-0",
)

PAPERS = {
    "gan": WANG,
    "cnn": WANG,
    "rcan": (
        "Chen et al., Three-dimensional residual channel attention networks denoise and sharpen "
        "fluorescence microscopy image volumes, Nature Methods 18, 678-687 (2021)",
        "10.1038/s41592-021-01155-x",
    ),
    "tcan": (
        "Huang et al., Enhancing image resolution of confocal fluorescence microscopy with deep "
        "learning, PhotoniX 4, 2 (2023)",
        "10.1186/s43074-022-00077-x",
    ),
    "dfcan": (
        "Qiao et al., Evaluation and development of deep neural networks for image "
        "super-resolution in optical microscopy, Nature Methods 18, 194-202 (2021)",
        "10.1038/s41592-020-01048-5",
    ),
    "care": (
        "Weigert et al., Content-aware image restoration: pushing the limits of fluorescence "
        "microscopy, Nature Methods 15, 1090-1097 (2018)",
        "10.1038/s41592-018-0216-7",
    ),
    "srresnet": (
        "Ledig et al., Photo-realistic single image super-resolution using a generative "
        "adversarial network, CVPR 2017, 105-114",
        "10.1109/CVPR.2017.19",
    ),
    "esrgan": (
        "Wang et al., ESRGAN: enhanced super-resolution generative adversarial networks, ECCV 2018 "
        "Workshops, LNCS 11133, 63-79 (2019)",
        "10.1007/978-3-030-11021-5_5",
    ),
}
"""Text and DOI of the paper of each architecture."""


def legal_name(about: ModelFile, title: str) -> str:
    """Return a name of at most 64 characters, of those that the format allows."""
    words = f"{about.network} {about.trained.get('channel', '')} {title}"
    return " ".join(re.sub(r"[^A-Za-z0-9_+\-() ]+", " ", words).split())[:64].strip()


def nickname(about: ModelFile, title: str) -> str:
    """Return a name that a folder may have, its own for every model of the workflow."""
    told = about.trained
    words = [told.get("experiment", title), told.get("channel", ""), about.network]
    words += [f"seed-{told['seed']}"] if "seed" in told else []
    return re.sub(r"[^a-z0-9]+", "-", " ".join(map(str, words)).lower()).strip("-")


def cover_image(counts: np.ndarray, restored: np.ndarray) -> bytes:
    """Return a PNG of the middle of an input beside that of its restoration.

    Parameters
    ----------
    counts, restored
        (Y, X) or (Z, Y, X); of volumes the middle slice is shown.

    Returns
    -------
    bytes
        8-bit grey values, each half stretched between two of its percentiles.
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


def written_page(about: ModelFile, axes: Sequence[TileAxis], title: str) -> str:
    """Return the documentation of a package, as Markdown.

    Parameters
    ----------
    about
        Description of the model; what it was trained on is in ``about.trained``.
    axes
        Sizes of image that it takes.
    title
        What it restores.
    """
    text, doi = PAPERS[about.network]
    return (
        "\n\n".join(
            [
                f"# {title}: {about.network}",
                "This network restores what one microscope sees to what a better one would have "
                "shown. It was trained and written by crossres.",
                "## What goes in",
                _input_text(about, axes),
                "## What comes out",
                _output_text(about),
                "## What it was trained on",
                _origin(about.trained),
                _table(
                    {**about.trained, **{f"setting: {k}": v for k, v in about.settings.items()}}
                ),
                "## Limits",
                _limits(about),
                "## Validation",
                _validation(),
                "## Reference",
                f"{text}. https://doi.org/{doi}",
            ]
        )
        + "\n"
    )


def _input_text(about: ModelFile, axes: Sequence[TileAxis]) -> str:
    order = "".join(axis.name for axis in axes)
    sizes = ", ".join(f"{a.name}: {a.min_px} + n x {a.step_px}" for a in axes)
    halo = max(axis.halo_px for axis in axes)
    lines = [
        f"- One channel of a fluorescence image, axes {order}, in the counts of the file: the "
        "package normalises by itself.",
        f"- Pixels of {about.pixel_size_nm:g} nm"
        + (f", slices {about.z_step_nm:g} nm apart" if about.z_step_nm else "")
        + ". Resample other images to this first.",
        *_raw_input_text(about),
        f"- Sizes in pixels: {sizes}. Crop or pad images to one of these first: of other sizes "
        "programs restore the last tiles differently, and smaller images some refuse.",
        f"- Programs that tile cut {halo} pixels off each side of a tile in y and x: choose large "
        "tiles, as small ones are nearly all border.",
    ]
    if about.dims == 3:
        lines.append("- Tiles must hold all slices: do not tile along z.")
    return "\n".join(lines)


def subtracted_inside(about: ModelFile) -> float:
    """Return the background in counts that a package itself subtracts.

    None where images are normalised by percentiles of their own: bioimageio.core takes these from
    the image as it is given, whatever step comes before.
    """
    return (about.background or 0.0) if about.percentiles_per_image is None else 0.0


def _raw_input_text(about: ModelFile) -> list[str]:
    """What was done to the raw inputs of the training, where anything was."""
    lines = []
    given_nm = about.input_pixel_size_nm
    if given_nm is not None and given_nm != about.pixel_size_nm:
        how = "linear" if about.interpolation_order == 1 else "cubic spline"
        lines.append(
            f"- The microscope that it was trained on had pixels of {given_nm:g} nm: its images "
            f"were brought to {about.pixel_size_nm:g} nm by {how} interpolation. The package does "
            "not do this."
        )
    if about.background and not subtracted_inside(about):
        lines.append(
            f"- Subtract a background of {about.background:g} counts first, as the training did, "
            "and set what falls below 0 to 0: the package does not, as its programs take the "
            "percentiles before such a step."
        )
    elif about.background:
        lines.append(
            f"- The package subtracts a background of {about.background:g} counts, as the training "
            "did, and sets what falls below 0 to 0. Where yours is another, bring it to this "
            "number first; where it has been subtracted, add this number."
        )
    return lines


def _output_text(about: ModelFile) -> str:
    if about.percentiles_per_image is None:
        return (
            "An image of the same size and pixel size, float32, in the counts of the better "
            "microscope's images that it was trained on. Brightness can be compared from image to "
            "image."
        )
    low, high = about.percentiles_per_image
    return (
        "An image of the same size and pixel size, float32, **not in counts**: each image is "
        f"normalised by itself, 0 is percentile {low:g} of the input image and 1 its percentile "
        f"{high:g}, and the format has no step that undoes it. For counts of the input image "
        "multiply by the difference of these two percentiles and add the lower one. Brightness "
        "cannot be compared from image to image."
    )


def _origin(trained: Mapping[str, Any]) -> str:
    """Whether anything real was ever seen: what a reader must know first."""
    data = trained.get("data")
    if data == "simulated":
        return (
            "**Simulated images only.** Sample, optics and camera were computed; this network has "
            "never seen a real microscope. On measured images it shows how such a model is used, "
            "not what is in your sample."
        )
    if data == "measured":
        return "Measured images: pairs of the same fields, seen by two microscopes."
    return "Whether the images were simulated or measured is not recorded in the model file."


def _validation() -> str:
    return (
        "Before you believe it on images of your own, take a few fields with both microscopes, "
        "restore the inputs, and compare the restorations with the targets: SSIM, PSNR, and above "
        "all the sizes and distances that you want to measure. Compare with a deconvolution of the "
        "same inputs too. The workflow that trained this model does all of it on fields that no "
        "network has seen; its metrics.csv and figures hold the result."
    )


def _limits(about: ModelFile) -> str:
    lines = [
        "- It restores what its training pairs show. Another label, sample preparation, objective, "
        "pixel size or camera is another task.",
        "- What it adds is likely, not measured: structures below the resolution of the input are "
        "inferred from the training images.",
        "- Where the input holds nothing but noise, so does the restoration, however sharp it "
        "looks.",
        "- Near the edges of an image the restoration depends on how a program continues the image "
        "beyond them: crossres itself does not, others mirror it.",
    ]
    if takes_field(about.network) and about.settings.get("field_px") is None:
        lines.append(
            "- Its attention pools over all that it is given: a tile is restored differently from "
            "the image it was cut from. Give it whole images."
        )
    return "\n".join(lines)


def _table(facts: Mapping[str, Any]) -> str:
    """A table of plain facts; nested ones are named by both keys."""
    rows = ["| | |", "|---|---|"]
    for key, value in facts.items():
        nested = value.items() if isinstance(value, Mapping) else [(None, value)]
        for inner, fact in nested:
            name = str(key) if inner is None else f"{key}, {inner}"
            shown = f"{fact:.4g}" if isinstance(fact, float) else str(fact)
            rows.append(f"| {name.replace('_', ' ')} | {shown.replace('|', '/')} |")
    return "\n".join(rows)
