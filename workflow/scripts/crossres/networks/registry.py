"""Networks by the name that the configuration calls them."""

from collections.abc import Callable
from typing import Any

from torch import nn

from crossres.jobs import InputError
from crossres.networks.unet import UNet

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "gan": UNet,
    "cnn": UNet,
}
"""``cnn`` is ``gan`` without its discriminator (Wang 2019, Supplementary Fig. 4): the networks
are the same, their training differs."""


def build(name: str, dims: int = 2, **settings: Any) -> nn.Module:
    """Build a network, at the paper's size unless ``settings`` say otherwise.

    Parameters
    ----------
    name
        A key of :data:`NETWORKS`.
    dims
        2 for images; no registered network works on volumes yet.
    settings
        Keyword arguments of the network, such as ``width``.

    Returns
    -------
    torch.nn.Module
        Maps (N, 1, Y, X) to (N, 1, Y, X), any Y and X.

    Raises
    ------
    InputError
        An unknown name or setting, or dimensions the network does not work in.
    """
    if name not in NETWORKS:
        raise InputError(f"network {name!r} is unknown; known are {', '.join(sorted(NETWORKS))}")
    if dims != 2:
        raise InputError(f"network {name!r} works on 2D images; dims is {dims}")
    try:
        return NETWORKS[name](**settings)
    except TypeError as error:
        raise InputError(f"network {name!r} cannot be built from {settings}: {error}") from error
