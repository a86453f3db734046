"""Networks by the name that the configuration calls them."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crossres.jobs import InputError
from crossres.networks.care import CARE
from crossres.networks.dfcan import DFCAN
from crossres.networks.esrgan import ESRGAN
from crossres.networks.image_network import ImageNetwork
from crossres.networks.rcan import RCAN
from crossres.networks.slices import SliceBySlice
from crossres.networks.srresnet import SRResNet
from crossres.networks.tcan import TCAN
from crossres.networks.unet import UNet


@dataclass(frozen=True)
class Registered:
    """How a network is built, and for what.

    Parameters
    ----------
    constructor
        Returns the network; takes ``dims`` where it has several.
    dims
        Dimensions of the images it works on.
    slice_by_slice
        It is a network of images, applied to volumes slice by slice.
    """

    constructor: Callable[..., ImageNetwork]
    dims: tuple[int, ...] = (2,)
    slice_by_slice: bool = False

    def settings(self) -> set[str]:
        """Return the names of the keyword arguments that a user may set."""
        return set(inspect.signature(self.constructor).parameters) - {"dims"}


NETWORKS: dict[str, Registered] = {
    "gan": Registered(UNet),
    "cnn": Registered(UNet),
    "rcan": Registered(RCAN, dims=(2, 3)),
    "tcan": Registered(TCAN),
    "dfcan": Registered(DFCAN),
    "care": Registered(CARE, dims=(2, 3)),
    "srresnet": Registered(SRResNet, dims=(2, 3), slice_by_slice=True),
    "esrgan": Registered(ESRGAN, dims=(2, 3), slice_by_slice=True),
}
"""``cnn`` is ``gan`` without its discriminator (Wang 2019, Supplementary Fig. 4): the networks
are the same, their training differs."""


def build(name: str, dims: int = 2, **settings: Any) -> ImageNetwork:
    """Build a network, at the paper's size unless ``settings`` say otherwise.

    Parameters
    ----------
    name
        A key of :data:`NETWORKS`.
    dims
        2 for images, 3 for volumes.
    settings
        Keyword arguments of the network, such as ``width``.

    Returns
    -------
    ImageNetwork
        Maps (N, 1, [Z, ]Y, X) to the same, of any size.

    Raises
    ------
    InputError
        An unknown name or setting, or dimensions the network does not work in.
    """
    known = _registered(name)
    if dims not in known.dims:
        works_on = " and ".join(f"{d}D" for d in known.dims)
        raise InputError(f"network {name!r} works on {works_on} images; dims is {dims}")
    unknown = sorted(set(settings) - known.settings())
    if unknown:
        raise InputError(
            f"network {name!r} has no setting {', '.join(unknown)}; its settings are "
            f"{', '.join(sorted(known.settings()))}"
        )
    if known.slice_by_slice:
        network = known.constructor(**settings)
        return network if dims == 2 else SliceBySlice(network)
    if len(known.dims) > 1:
        settings["dims"] = dims
    return known.constructor(**settings)


def architecture(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a network's settings that its constructor takes.

    Parameters
    ----------
    name
        A key of :data:`NETWORKS`.
    settings
        Of this network in the configuration: also how it is trained.

    Raises
    ------
    InputError
        An unknown name.
    """
    own = _registered(name).settings()
    return {key: value for key, value in settings.items() if key in own}


def takes_field(name: str) -> bool:
    """Tell whether a network's attention pools over a field, the size of training patches."""
    return "field_px" in _registered(name).settings()


def _registered(name: str) -> Registered:
    if name not in NETWORKS:
        raise InputError(f"network {name!r} is unknown; known are {', '.join(sorted(NETWORKS))}")
    return NETWORKS[name]
