"""Every method by the name that tables have for it: its label, its colour, its place."""

from collections.abc import Iterable

from crossres.catalogue.classical import CLASSICAL
from crossres.catalogue.networks import NETWORKS

INPUT, TARGET, TRUTH = "input", "target", "truth"
ENSEMBLE, BLEND = "_ensemble", "_blend"
AVERAGES = {ENSEMBLE: "mean of seeds", BLEND: f"blended with {NETWORKS['cnn'].label}"}
"""What a network's name ends in where several models are averaged, and what that is called."""

LABELS = {
    INPUT: "input",
    **{name: method.label for name, method in CLASSICAL.items()},
    **{name: network.label for name, network in NETWORKS.items()},
    TARGET: "target",
    TRUTH: "truth without noise",
}
"""Methods in the order in which figures show them; others follow under their own name."""

COLOURS = {
    INPUT: "#999999",
    **{name: method.colour for name, method in CLASSICAL.items()},
    **{name: network.colour for name, network in NETWORKS.items()},
    TARGET: "#000000",
    TRUTH: "#5B3A8C",
}
"""Okabe and Ito's palette, distinguishable with any colour vision; comparators in muted tones."""


def in_order(methods: Iterable[str]) -> list[str]:
    """Return methods in the order of :data:`LABELS`, unknown ones before the target."""
    known = list(LABELS)
    before_target = known.index(TARGET) - 0.5
    return sorted(
        dict.fromkeys(methods), key=lambda m: (known.index(m) if m in known else before_target, m)
    )


def label_of(method: str) -> str:
    """Return a method's name as figures write it."""
    network = network_of(method)
    label = LABELS.get(network, network.upper())
    average = AVERAGES.get(method.removeprefix(network))
    return f"{label}, {average}" if average else label


def network_of(method: str) -> str:
    """Return the network whose models are averaged, or the method itself."""
    for ending in AVERAGES:
        method = method.removesuffix(ending)
    return method


def colour_of(method: str) -> str:
    """Return a method's colour."""
    return COLOURS.get(method, "#777777")
