"""One file a network, found here by its configuration name; model files."""

from crossres.networks.devices import (
    choose_device,
    is_out_of_memory,
    precision_of,
    takes_bfloat16,
)
from crossres.networks.discriminator import PatchDiscriminator
from crossres.networks.files import ModelFile, load_model, save_model
from crossres.networks.image_network import ImageNetwork
from crossres.networks.registry import NETWORKS, architecture, build, takes_field

__all__ = [
    "NETWORKS",
    "ImageNetwork",
    "ModelFile",
    "PatchDiscriminator",
    "architecture",
    "build",
    "choose_device",
    "is_out_of_memory",
    "load_model",
    "precision_of",
    "save_model",
    "takes_bfloat16",
    "takes_field",
]
