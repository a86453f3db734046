"""Where to cut training patches, how to scale them, and how they lie on disk."""

from crossres.patches.noise import TargetNoise, target_noise
from crossres.patches.positions import cut_patches, draw_positions, patch_shape
from crossres.patches.scaling import PER_IMAGE, ROLES, Pair, common_scale, normalised_pair
from crossres.patches.store import (
    PatchSet,
    Preparation,
    load_patches,
    patches_to_fill,
    save_patches,
    tensor_name,
)

__all__ = [
    "PER_IMAGE",
    "ROLES",
    "Pair",
    "PatchSet",
    "Preparation",
    "TargetNoise",
    "common_scale",
    "cut_patches",
    "draw_positions",
    "load_patches",
    "normalised_pair",
    "patch_shape",
    "patches_to_fill",
    "save_patches",
    "target_noise",
    "tensor_name",
]
