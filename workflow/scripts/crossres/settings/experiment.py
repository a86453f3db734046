"""config/experiments/<name>.yaml: one pair of modalities, from its raw images to its figures."""

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import create_model, model_validator

from crossres.catalogue.networks import NETWORKS, Network
from crossres.section import Section
from crossres.settings.deconvolution import Deconvolution
from crossres.settings.measure import Measure
from crossres.settings.optics import Modalities
from crossres.settings.patches import Patches
from crossres.settings.preprocess import Preprocess
from crossres.settings.registration import Registration
from crossres.settings.restoration import Restoration
from crossres.settings.source import Source


class NetworkChoice(Section):
    """Networks to train, by name; docs/networks.md says what each is for."""

    @property
    def trained(self) -> dict[str, Network]:
        """The networks that the experiment trains, by name."""
        asked = {name: getattr(self, name) for name in NETWORKS}
        return {name: network for name, network in asked.items() if network is not None}


if TYPE_CHECKING:
    Networks = NetworkChoice
else:
    Networks = create_model(
        "Networks",
        __base__=NetworkChoice,
        __doc__=NetworkChoice.__doc__,
        **{name: (network | None, None) for name, network in NETWORKS.items()},
    )


class ExperimentSettings(Section):
    """One pair of modalities, from its raw images to its figures."""

    title: str
    """One line for the report."""
    dims: Literal[2, 3] = 2
    """2 for images, 3 for volumes."""
    source: Source
    """Where the raw images come from: one of `simulator`, and `sheet` with `data_root`."""
    modalities: Modalities
    """The optics and the pixel grid of both images."""
    preprocess: Preprocess = Preprocess()
    """Steps between import and registration."""
    registration: Registration = Registration()
    """How the target is moved onto the input."""
    patches: Patches = Patches()
    """Training patches; every network of the experiment sees the same."""
    networks: Networks
    """Networks to train, by name; docs/networks.md says what each is for. Keys that all networks
    share are listed after them as `networks.<name>`."""
    restoration: Restoration = Restoration()
    """How networks are applied to the blind-test fields."""
    deconvolution: Deconvolution = Deconvolution()
    """Classical baselines. Each is used at the iteration (and damping) that is best on the
    validation split, by the mean Pearson correlation with the target."""
    measure: Measure = Measure()
    """What is measured on the blind test fields."""

    @model_validator(mode="after")
    def _blend_needs_both(self) -> Self:
        """Refuse a blend where there is nothing to blend, or nothing to blend it with."""
        trained = self.networks.trained
        both = "cnn" in trained and any(network.adversarial for network in trained.values())
        if self.restoration.blend is not None and not both:
            raise ValueError(
                "restoration.blend averages a network that has a discriminator with cnn; train "
                "both, or leave it out"
            )
        return self


class ExperimentFile(ExperimentSettings):
    """One pair of modalities, from its raw images to its figures."""

    based_on: str | None = None
    """Another experiment whose settings and `demo` apply here, except for the keys given here. Set
    a network or classical method to null to leave it out."""
    demo: dict[str, Any] = {}
    """Overrides, by the same keys, for `scale: demo`. Other keys keep their values; `loss` and
    `shares` are replaced as a whole."""
