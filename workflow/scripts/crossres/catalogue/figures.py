"""Figures and tables of the report: what each is called, what it says, what it is drawn from.

A figure has three places: crossres/figures/<name>.py draws it, plot_<name>.py reads its files, and
the entry here. Captions are reStructuredText; whoever reads them sees the figure, not the code.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Need = Literal[
    "registration",
    "registration_error",
    "metrics",
    "structures",
    "pairs",
    "displacements",
    "restored",
    "histories",
    "grids",
]
"""What a figure may be drawn from, by the name of the input of its script."""


class Illustrated(Protocol):
    """What decides whether an experiment has a figure."""

    @property
    def dims(self) -> int:
        """2 for images, 3 for volumes."""
        ...

    @property
    def restores(self) -> bool:
        """False where pairs are only registered."""
        ...

    @property
    def networks(self) -> Collection[str]:
        """Names of the networks that are trained."""
        ...

    @property
    def baselines(self) -> Collection[str]:
        """Names of the classical methods."""
        ...

    @property
    def settings(self) -> Any:
        """Settings of the experiment; ``measure.spots`` is looked at."""
        ...


def restores(experiment: Illustrated) -> bool:
    """Whether anything is restored."""
    return experiment.restores


def has_spots(experiment: Illustrated) -> bool:
    """Whether spots are measured in what is restored."""
    return experiment.restores and experiment.settings.measure.spots is not None


@dataclass(frozen=True)
class Figure:
    """An entry of the catalogue.

    Parameters
    ----------
    title
        What the report calls it.
    caption
        What it shows and how its numbers were made.
    needs
        Inputs of its script.
    shown
        Whether an experiment has it.
    splits
        Splits whose fields ``pairs`` and ``displacements`` hold.
    """

    title: str
    caption: str
    needs: tuple[Need, ...]
    shown: Callable[[Illustrated], bool] = restores
    splits: tuple[str, ...] = ("test",)


@dataclass(frozen=True)
class Table:
    """A table that the report shows as it is: what it is called, and its caption."""

    title: str
    caption: str


FIGURES: dict[str, Figure] = {
    "registration": Figure(
        title="how the pairs were aligned",
        caption="""\
How the targets were aligned with their inputs. Left, the accepted field that was deformed most.
Arrows show what moved the target beyond the place where it was found, not to scale. Middle, the
window framed in cyan, before and after: input red, target green, yellow where both agree. For
"before" the registered target was moved back. Right, the residual of every accepted field.
*Estimated*: from the images alone, half the difference between the displacements that two halves
of the data ask for. *True*: known for simulated microscopes. Of a volume the middle slice is
shown.
""",
        needs=("registration", "registration_error", "pairs", "displacements"),
        shown=lambda experiment: True,
        splits=("train", "validation", "test"),
    ),
    "fwhm": Figure(
        title="FWHM histograms",
        caption="""\
Full width at half maximum of isolated spots, one panel a method. The spots were found in the
target alone. Every method was fitted at the same places with a Gaussian of its own, in crops of
the size given in the configuration; in volumes the Gaussian is 3D, and its lateral and axial
widths are shown side by side. The curve is a 1D Gaussian fitted to the main peak of the
histogram, with its centre ± standard deviation (as Wang et al. 2019, Fig. 4).
""",
        needs=("structures",),
        shown=has_spots,
    ),
    "snr": Figure(
        title="SNR and similarity, table",
        caption="""\
Mean ± standard deviation over the blind-test fields (and over seeds, where there are several).
FWHM is the median over each field's spots. SNR = \\|s − b\\| / σ\\ :sub:`b`: s is the mean peak
of the Gaussian fits, b and σ\\ :sub:`b` are the mean and standard deviation of the pixels far
from any spot (Huang et al. 2023, eq. 13). For PSNR, SSIM and NRMSE the reference was scaled to 1
between its percentiles 0.1 and 99.9, and every image was brought to it by the scale and offset of
least squares. The noise of the target limits the similarity to the target: the row *truth without
noise* is what a perfect restoration would reach. Scores above this ceiling come from smoothness,
not from better restoration. Simulated data are also compared with the truth itself, the target's
image without noise.
""",
        needs=("metrics",),
    ),
    "quality": Figure(
        title="similarity of every field",
        caption="""\
Similarity of each blind-test field to its target, one dot a field, a line at the median. The
target was scaled to 1 between its percentiles 0.1 and 99.9, and every image, the untouched input
included, was brought to it by the scale and offset of least squares. For simulated data the
dashed line is the ceiling: the similarity of the truth without noise to the noisy target, in the
median field. Scores above it come from smoothness, not from better restoration. The second row
compares the same images with that truth.
""",
        needs=("metrics",),
    ),
    "examples": Figure(
        title="example fields",
        caption="""\
Two fields of the blind test, those nearest the median SSIM: neither the best nor the worst.
Above, the whole field; below, the window framed in yellow, where the target varies most. Gray
runs from each image's 1st to its 99.95th percentile in the whole field (written below it), since
the methods count in different units; the inset has the same scale. Of a volume the middle slice
(xy) is shown, and below it the section (xz) along the dashed line, through the brightest row of
the target.
""",
        needs=("metrics", "pairs", "restored"),
    ),
    "losses": Figure(
        title="training curves",
        caption="""\
Training of every network. Left, the losses on the training patches, averaged between validations.
The dotted line is the loss of a discriminator that cannot tell target from restoration, 2 ln 2.
Middle, each term's share of the generator's loss. Right, the validation: the network with the
lowest score is kept (without a discriminator, that of the lowest MSE). The score is the MSE over
the target's variance plus the distance of the power spectra, because the lowest MSE alone goes to
the blurred mean of all plausible answers.
""",
        needs=("histories",),
        shown=lambda experiment: experiment.restores and bool(experiment.networks),
    ),
    "deconvolution": Figure(
        title="search for the best deconvolution",
        caption="""\
How the parameters of classical deconvolution were chosen: the highest mean correlation with the
target over the validation fields. After a fit of scale and offset the highest correlation is also
the lowest MSE. The circle marks the parameters with which the blind-test fields were restored.
""",
        needs=("grids",),
        shown=lambda experiment: experiment.restores and bool(experiment.baselines),
    ),
    "profiles": Figure(
        title="profiles through close pairs",
        caption="""\
Close pairs of spots, from the closest that the target resolves to the furthest (as Wang et al.
2019, Fig. 3). The profile along the yellow line is averaged over three pixels' width and scaled
from 0 to 1 for each method. Below each crop stands the distance of the two maxima, or *not
resolved*: after slight smoothing the dip between them must reach a fifth of the lower maximum.
Gray runs from each crop's least to its greatest value.
""",
        needs=("structures", "pairs", "restored"),
        shown=lambda experiment: has_spots(experiment) and experiment.dims == 2,
    ),
}
"""Figures by name, in the order in which the report lists them."""

TABLES: dict[str, Table] = {
    "metrics": Table(
        title="all metrics",
        caption="""\
Every measurement of every blind-test field: one row per field, method, seed and metric, with the
experiment, scale and code it comes from. Metrics that end in *_truth* compare with the target's
image without noise, which simulated data have; the others compare with the target as it was
recorded.
""",
    ),
    "registration": Table(
        title="registration of every field",
        caption="""\
How every field was registered. *shift* is the mean displacement that moves the target onto the
input, *deformation_px* the largest deviation from it. *residual_px* and *residual_p95_px*
estimate the error that is left, root mean square and 95th percentile, without knowing the truth.
*correlation* is Pearson's r before and after, with the target blurred as the input is. *texture*
is the part of the field's 64-px blocks that could be located to a pixel by themselves, *coverage*
the part of the input that the target shows. Pairs that were not accepted are left out of training
and of all measurements; the column *reason* says why.
""",
    ),
}
"""Tables of a channel that the report shows, by name."""
