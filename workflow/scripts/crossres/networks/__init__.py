"""One file a network, built by its name in the catalogue; model files."""

from crossres.networks.devices import (
    choose_device,
    gpu_failure,
    is_out_of_memory,
    precision_of,
    takes_bfloat16,
)
from crossres.networks.discriminator import PatchDiscriminator
from crossres.networks.files import ModelFile, initial_weights, load_model, save_model
from crossres.networks.image_network import ImageNetwork
from crossres.networks.layers import last_convolution
from crossres.networks.registry import build, takes_pooling

__all__ = [
    "ImageNetwork",
    "ModelFile",
    "PatchDiscriminator",
    "build",
    "choose_device",
    "gpu_failure",
    "initial_weights",
    "is_out_of_memory",
    "last_convolution",
    "load_model",
    "precision_of",
    "save_model",
    "takes_bfloat16",
    "takes_pooling",
]
