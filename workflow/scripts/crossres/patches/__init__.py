"""Where to cut training patches and what to reject."""

from crossres.patches.positions import cut_patches, draw_positions
from crossres.patches.store import Patches, load_patches, save_patches

__all__ = ["Patches", "cut_patches", "draw_positions", "load_patches", "save_patches"]
