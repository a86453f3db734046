"""Networks: what each is built from and trained by, and what tables and figures call it.

An entry is a class: its fields are the keys of ``networks.<name>``, their defaults the recipe of
the paper it is from. ``module`` names what builds it, so that nothing here loads torch.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, Strict, model_validator

from crossres.catalogue.adversarial import Adversarial, Joining, Share, Term
from crossres.section import Blocks, Channels, Count, Length, Levels, NotNegative, Positive, Section

Beta = Annotated[float, Field(ge=0, lt=1)]
CropSide = Annotated[int, Field(ge=16)]


def _all_different(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) < len(values):
        raise ValueError("must all be different: one model is trained for each")
    return values


Seeds = Annotated[
    tuple[Count, ...], Strict(False), Field(min_length=1), AfterValidator(_all_different)
]
Weights = Annotated[dict[Term, NotNegative], Field(min_length=1)]

FIRST_RUN: dict[str, Any] = {
    "batch": 4,
    "augment": True,
    "schedule": "cosine",
    "learning_rate": 2.0e-3,
    "loss": {"mse": 1.0, "ssim": 0.05},
    "validate_every": 200,
}
"""What the networks' ``demo`` have in common."""

FINE_TUNING = 100
"""Default iterations over which the learning rate grows when fine-tuning."""


class Network(Section):
    """What all networks have in common: how they are trained."""

    label: ClassVar[str]
    colour: ClassVar[str]
    paper: ClassVar[str]
    citation: ClassVar[str]
    """The paper in full, for those who cite the network; ``doi`` beside it."""
    doi: ClassVar[str]
    module: ClassVar[str]
    """Where it is built: a module under crossres.networks, and the class in it."""
    dims: ClassVar[tuple[int, ...]] = (2,)
    """Dimensions of the images it works on."""
    slice_by_slice: ClassVar[bool] = False
    """A network of images, applied to volumes slice by slice."""
    demo: ClassVar[dict[str, Any]] = {}
    """Its keys at ``scale: demo``, where the experiment's ``demo`` says nothing of the network: a
    first look at anybody's pairs, in two to three minutes on two cores (docs/benchmarks.md)."""

    iterations: Positive = 50000
    """Updates of the generator."""
    batch: Positive = 12
    """Patches in an iteration."""
    crop_px: CropSide | None = None
    """Side of a random crop of every patch, in pixels of the target; null takes the patch whole."""
    learning_rate: Length = 1.0e-4
    """Learning rate of Adam."""
    betas: Annotated[tuple[Beta, Beta], Strict(False)] = (0.9, 0.999)
    """Decay rates of Adam's moments."""
    schedule: Literal["constant", "cosine", "halving"] = "constant"
    """Schedule of the learning rates: `halving` halves them at equal distances."""
    halvings: Positive = 4
    """How often `halving` halves them over the run."""
    rate_warm_up_iterations: Count | None = None
    """Iterations over which the learning rate grows from 0; null is 100 with `initialise_from`,
    else 0."""
    augment: bool = False
    """Turn and mirror patches."""
    loss: Weights = {"mse": 1.0}
    """Weights of the terms that compare with the target: `mse`, `mae`, `ssim` (1 - SSIM),
    `log_ssim` (-log of (1 + SSIM) / 2; Wang 2019, eq. 1)."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the convolutions; `auto` is bfloat16 on a GPU that computes it natively, else
    float32. Losses and the last convolution are float32."""
    compile: bool = False
    """Let torch compile the network first; takes a minute and needs a compiler."""
    initialise_from: str | None = None
    """Fine-tunes another experiment's model of the same network, such as `confocal_sted_beads`,
    `confocal_sted_beads/beads` or the path of a .safetensors file; null begins at random."""
    validate_every: Positive = 1000
    """Iterations between validations and saved states."""
    seeds: Seeds = (0,)
    """One model is trained for each."""
    adversarial: Adversarial | None = None
    """The discriminator and its part in the loss; null trains without one."""

    @model_validator(mode="before")
    @classmethod
    def _grow_the_rate_when_fine_tuning(cls, given: Any) -> Any:
        """Fill in ``rate_warm_up_iterations`` where it is null."""
        if not isinstance(given, dict) or given.get("rate_warm_up_iterations") is not None:
            return given
        growing = FINE_TUNING if given.get("initialise_from") else 0
        return {**given, "rate_warm_up_iterations": growing}

    @property
    def joining(self) -> Joining | None:
        """When its discriminator joins in, and how fast it learns; None without one."""
        found = self.adversarial
        if found is None:
            return None
        warm_up, alone, rate = (
            found.warm_up_iterations, found.alone_iterations, found.learning_rate
        )  # fmt: skip
        return Joining(
            self.iterations // 2 if warm_up is None else warm_up,
            min(150, self.iterations // 10) if alone is None else alone,
            self.learning_rate if rate is None else rate,
        )

    @classmethod
    def own(cls) -> set[str]:
        """Return the keys that only this network has: what it is built from."""
        return set(cls.model_fields) - set(Network.model_fields)

    @property
    def architecture(self) -> dict[str, Any]:
        """The values of those keys."""
        return {key: getattr(self, key) for key in type(self).model_fields if key in self.own()}


class GanAdversarial(Adversarial):
    """Built as by Wang et al. 2019."""

    recipe: Literal["published", "balanced"] = "balanced"
    shares: dict[Term, Share] = {"mse": 0.05}


class UNetwork(Network):
    """Networks built as the U-Net of Wang et al. 2019."""

    citation = (
        "Wang et al., Deep learning enables cross-modality super-resolution in fluorescence "
        "microscopy, Nature Methods 16, 103-110 (2019)"
    )
    doi = "10.1038/s41592-018-0239-0"
    module = "unet:UNet"
    demo: ClassVar[dict[str, Any]] = {
        **FIRST_RUN,
        "width": 8,
        "depth": 3,
        "iterations": 5000,
    }

    width: Channels = 32
    """Channels of the first block."""
    depth: Levels = 4
    """Levels of the U-Net."""
    upsampling: Literal["bilinear", "nearest"] = "bilinear"
    """Within the U-Net."""
    batch: Positive = 12


class GAN(UNetwork):
    """U-Net generator with a discriminator, as Wang et al. 2019; 2D."""

    label = "GAN"
    colour = "#D55E00"
    paper = "Wang et al. 2019"
    demo = {
        **UNetwork.demo,
        "iterations": 3000,
        "adversarial": {"width": 8, "downsample": True},
    }

    adversarial: GanAdversarial | None = GanAdversarial()


class CNN(UNetwork):
    """The same generator without a discriminator, trained on the MSE; 2D."""

    label = "CNN"
    colour = "#009E73"
    paper = "Wang et al. 2019, Supplementary Fig. 4"

    adversarial: None = None
    """cnn has none."""


class RCAN(Network):
    """Residual channel attention network, as Chen et al. 2021; 2D and 3D."""

    label = "RCAN"
    colour = "#0072B2"
    paper = "Chen et al. 2021"
    citation = (
        "Chen et al., Three-dimensional residual channel attention networks denoise and sharpen "
        "fluorescence microscopy image volumes, Nature Methods 18, 678-687 (2021)"
    )
    doi = "10.1038/s41592-021-01155-x"
    module = "rcan:RCAN"
    dims = (2, 3)
    demo = {
        **FIRST_RUN,
        "width": 16,
        "groups": 2,
        "blocks": 2,
        "iterations": 4200,
    }

    width: Channels = 32
    """Channels throughout."""
    groups: Blocks = 5
    """Residual groups."""
    blocks: Blocks = 3
    """Channel attention blocks in a group."""
    reduction: Channels = 8
    """By how much the attention narrows the channels."""
    batch: Positive = 8
    loss: Weights = {"mae": 1.0}
    schedule: Literal["constant", "cosine", "halving"] = "halving"
    augment: bool = True


class TcanAdversarial(Adversarial):
    """Built as by Huang et al. 2023."""

    recipe: Literal["published", "balanced"] = "balanced"
    kind: Literal["standard", "relativistic", "relativistic_average"] = "relativistic"
    learning_rate: Length | None = 5.0e-5
    downsample: bool = True
    fully_connected: Blocks = 3


class TCAN(Network):
    """U-Net and Fourier channel attention side by side, with a discriminator, as Huang et al. 2023;
    2D.
    """

    label = "TCAN"
    colour = "#CC79A7"
    paper = "Huang et al. 2023"
    citation = (
        "Huang et al., Enhancing image resolution of confocal fluorescence microscopy with deep "
        "learning, PhotoniX 4, 2 (2023)"
    )
    doi = "10.1186/s43074-022-00077-x"
    module = "tcan:TCAN"
    demo = {
        **FIRST_RUN,
        "width": 8,
        "depth": 3,
        "groups": 2,
        "blocks": 1,
        "fourier_width": 12,
        "joined": 8,
        "iterations": 2000,
        "adversarial": {"width": 8},
    }

    width: Channels = 32
    """Channels of the U-Net's first block."""
    groups: Blocks = 5
    """Residual groups of the Fourier channel attention."""
    blocks: Blocks = 2
    """Fourier channel attention blocks in a group."""
    depth: Levels = 4
    """Levels of the U-Net."""
    upsampling: Literal["bilinear", "nearest"] = "nearest"
    """Within the U-Net."""
    fourier_width: Channels | None = None
    """Channels of the Fourier channel attention; null is twice `width`."""
    gamma: Length = 0.8
    """Exponent of the spectrum; the paper does not print it."""
    sigmoid: bool = True
    """End the attention with a sigmoid; the paper prints none."""
    joined: Channels = 1
    """Channels of the two outputs that are summed."""
    last_activation: bool = True
    """End in a leaky ReLU, as printed."""
    batch: Positive = 2
    augment: bool = True
    loss: Weights = {"mse": 1.0, "ssim": 1.0}
    adversarial: TcanAdversarial | None = TcanAdversarial()


class DFCAN(Network):
    """Fourier channel attention network alone, as Qiao et al. 2021 without upscaling; 2D."""

    label = "DFCAN"
    colour = "#6B6ECF"
    paper = "Qiao et al. 2021"
    citation = (
        "Qiao et al., Evaluation and development of deep neural networks for image "
        "super-resolution in optical microscopy, Nature Methods 18, 194-202 (2021)"
    )
    doi = "10.1038/s41592-020-01048-5"
    module = "dfcan:DFCAN"
    demo = {
        **FIRST_RUN,
        "width": 12,
        "groups": 2,
        "blocks": 2,
        "iterations": 2000,
    }

    width: Channels = 64
    """Channels throughout."""
    groups: Blocks = 4
    """Residual groups."""
    blocks: Blocks = 4
    """Fourier channel attention blocks in a group."""
    gamma: Length = 0.8
    """Exponent of the spectrum."""
    sigmoid: bool = True
    """End the attention with a sigmoid."""
    batch: Positive = 4
    augment: bool = True
    loss: Weights = {"mse": 1.0, "ssim": 0.1}


class CARE(Network):
    """The U-Net of content-aware restoration, as Chen et al. 2021 use it; 2D and 3D."""

    label = "CARE"
    colour = "#8C6D31"
    paper = "Weigert et al. 2018, as Chen et al. 2021 use it"
    citation = (
        "Weigert et al., Content-aware image restoration: pushing the limits of fluorescence "
        "microscopy, Nature Methods 15, 1090-1097 (2018)"
    )
    doi = "10.1038/s41592-018-0216-7"
    module = "care:CARE"
    dims = (2, 3)
    demo = {
        **FIRST_RUN,
        "width": 16,
        "kernel": 3,
        "iterations": 4000,
    }

    width: Channels = 32
    """Channels of the first level."""
    depth: Levels = 2
    """Levels of the U-Net."""
    kernel: Annotated[int, Field(ge=1, le=15)] | None = None
    """Side of its convolutions, in pixels; null is 5 in 2D and 3 in 3D."""
    batch: Positive = 16
    learning_rate: Length = 2.0e-4
    augment: bool = True
    loss: Weights = {"mae": 1.0}


class SRResNet(Network):
    """Residual network with batch normalisation, as Chen et al. 2021 use it; 2D, volumes slice by
    slice.
    """

    label = "SRResNet"
    colour = "#637939"
    paper = "Ledig et al. 2017, as Chen et al. 2021 use it"
    citation = (
        "Ledig et al., Photo-realistic single image super-resolution using a generative "
        "adversarial network, CVPR 2017, 105-114"
    )
    doi = "10.1109/CVPR.2017.19"
    module = "srresnet:SRResNet"
    dims = (2, 3)
    slice_by_slice = True
    demo = {
        **FIRST_RUN,
        "width": 16,
        "blocks": 4,
        "iterations": 3000,
    }

    width: Channels = 64
    """Channels throughout."""
    blocks: Blocks = 16
    """Residual blocks."""
    batch: Positive = 16
    learning_rate: Length = 2.0e-4
    betas: Annotated[tuple[Beta, Beta], Strict(False)] = (0.9, 0.99)
    augment: bool = True


class EsrganAdversarial(Adversarial):
    """As Chen et al. 2021 use it."""

    kind: Literal["standard", "relativistic", "relativistic_average"] = "relativistic_average"
    weight: Length = 0.5
    width: Channels = 64
    learning_rate: Length | None = 1.0e-4
    downsample: bool = True
    blocks: Levels = 4
    leading_convolution: bool = False


class ESRGAN(Network):
    """Residual dense network with a relativistic average discriminator, as Chen et al. 2021 use it;
    2D, volumes slice by slice.
    """

    label = "ESRGAN"
    colour = "#AD494A"
    paper = "Wang, X. et al. 2018, as Chen et al. 2021 use it"
    citation = (
        "Wang et al., ESRGAN: enhanced super-resolution generative adversarial networks, ECCV 2018 "
        "Workshops, LNCS 11133, 63-79 (2019)"
    )
    doi = "10.1007/978-3-030-11021-5_5"
    module = "esrgan:ESRGAN"
    dims = (2, 3)
    slice_by_slice = True
    demo = {
        **FIRST_RUN,
        "width": 16,
        "growth": 8,
        "blocks": 2,
        "iterations": 1000,
        "adversarial": {"width": 8},
    }

    width: Channels = 64
    """Channels throughout."""
    growth: Channels = 32
    """Channels that each dense convolution adds."""
    blocks: Blocks = 16
    """Residual in residual dense blocks."""
    batch: Positive = 16
    betas: Annotated[tuple[Beta, Beta], Strict(False)] = (0.9, 0.99)
    schedule: Literal["constant", "cosine", "halving"] = "halving"
    halvings: Positive = 9
    augment: bool = True
    loss: Weights = {"mae": 1.0}
    adversarial: EsrganAdversarial | None = EsrganAdversarial()


NETWORKS: dict[str, type[Network]] = {
    "care": CARE,
    "srresnet": SRResNet,
    "esrgan": ESRGAN,
    "dfcan": DFCAN,
    "cnn": CNN,
    "gan": GAN,
    "rcan": RCAN,
    "tcan": TCAN,
}
"""Networks by name, in the order in which figures show them."""


def module_of(name: str) -> str:
    """Return the file that builds a network, below workflow/scripts; the jobs that use it depend
    on it and on no other network's.
    """
    return f"crossres/networks/{NETWORKS[name].module.split(':')[0]}.py"
