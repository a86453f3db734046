"""Networks by the names of the catalogue: each is built by the module named there."""

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from crossres.catalogue.networks import NETWORKS, Network
from crossres.jobs import InputError
from crossres.networks.image_network import ImageNetwork
from crossres.networks.slices import SliceBySlice

POOLING = "pooling_px"
"""Setting of attention networks that training gives and no configuration has."""


def build(name: str, dims: int = 2, **settings: Any) -> ImageNetwork:
    """Build a network, at the paper's size unless ``settings`` say otherwise.

    Parameters
    ----------
    name
        A key of :data:`crossres.catalogue.networks.NETWORKS`.
    dims
        2 for images, 3 for volumes.
    settings
        Settings of the network's own in the catalogue, such as ``width``; and ``pooling_px`` of
        networks with attention, the field that it pools over.

    Returns
    -------
    ImageNetwork
        Maps (N, 1, [Z, ]Y, X) to the same, of any size.

    Raises
    ------
    InputError
        An unknown name or setting, a value that the setting does not take, or dimensions that the
        network does not work in.
    """
    entry = _entry(name)
    if dims not in entry.dims:
        works_on = " and ".join(f"{d}D" for d in entry.dims)
        raise InputError(f"network {name!r} works on {works_on} images; dims is {dims}")
    constructor = _constructor(entry)
    given = POOLING in settings and takes_pooling(name)
    pooling = {POOLING: settings.pop(POOLING)} if given else {}
    arguments = {**_checked(name, settings), **pooling}
    if entry.slice_by_slice:
        network = constructor(**arguments)
        return network if dims == 2 else SliceBySlice(network)
    if len(entry.dims) > 1:
        arguments["dims"] = dims
    return constructor(**arguments)


def takes_pooling(name: str) -> bool:
    """Tell whether a network's attention pools over a field, the size of training patches."""
    return POOLING in inspect.signature(_constructor(_entry(name))).parameters


def _entry(name: str) -> type[Network]:
    if name not in NETWORKS:
        raise InputError(f"network {name!r} is unknown; known are {', '.join(sorted(NETWORKS))}")
    return NETWORKS[name]


def _constructor(entry: type[Network]) -> Callable[..., ImageNetwork]:
    """Return the class that builds a network; its module is imported only now."""
    module, constructor = entry.module.split(":")
    found: Callable[..., ImageNetwork] = getattr(
        import_module(f"crossres.networks.{module}"), constructor
    )
    return found


def _checked(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return all of a network's own settings, those not given as the catalogue has them."""
    entry = NETWORKS[name]
    unknown = sorted(set(settings) - entry.own())
    if unknown:
        raise InputError(
            f"network {name!r} has no setting {', '.join(unknown)}; its settings are "
            f"{', '.join(sorted(entry.own()))}"
        )
    try:
        # the one setting of training that has no default
        return entry(iterations=1, **settings).architecture
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise InputError(
            f"network {name!r}: {key} is {fault['input']!r}; {fault['msg'].lower()}"
        ) from error
