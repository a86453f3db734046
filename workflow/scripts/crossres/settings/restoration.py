"""How networks are applied to the blind-test fields."""

from typing import Annotated

from pydantic import Field

from crossres.section import Section


class Restoration(Section):
    """How networks are applied to the blind-test fields."""

    memory_gb: Annotated[float, Field(ge=1)] = 4.0
    """Memory that restoring may take on the CPU, in 10^9 bytes, whatever the size of the fields;
    on a GPU the tiles follow the memory that is free there."""
    tile_px: Annotated[int, Field(ge=16)] | None = None
    """Side of the tiles, in pixels of the target; null makes them as large as the memory
    allows."""
    self_ensemble: bool = False
    """Restore in all eight orientations of the square and average; the standard deviation lies
    under spread/. Takes eight times as long."""
    seed_ensemble: bool = False
    """Average the restorations by all seeds of a network as one more method,
    `<network>_ensemble`; the standard deviation lies under spread/."""
    blend: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Average each network that has a discriminator with `cnn`, which has none, as one more method,
    `<network>_blend`: the network's share, near 0 faithful, near 1 sharp."""
