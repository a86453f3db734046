"""What stitch.smk takes."""

from typing import Any

from crossres.experiments import Layout, Tile
from crossres.planning.preprocess import Preparing
from crossres.planning.stage import Function, Wildcards
from crossres.settings import Stitch


class Stitching(Preparing):
    """Tiles of stage scans, the mosaics that they make, and the fields these are cut into."""

    def tiles(self, wildcards: Wildcards) -> list[tuple[str, int, int]]:
        """Return (scene, row, column) of every tile of a batch."""
        tiles = self.preparation(wildcards).images(wildcards.role)
        return [(tile.scene, *tile.place) for tile in tiles if isinstance(tile, Tile)]

    def overlap(self, wildcards: Wildcards) -> float | None:
        """Return the nominal overlap of neighbouring tiles."""
        found: float | None = getattr(self._stitch(wildcards).overlap, wildcards.role)
        return found

    def positions(self, role: str = "{role}") -> Function:
        """Return an input function for where tiles lie, in the channel that places them."""
        return lambda wildcards: Layout.fill(
            Layout.tiles,
            channel=self.experiment(wildcards).placing_channel or wildcards.channel,
            role=role,
        )

    def grid(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the grid of fields that a mosaic is cut into."""
        return self._stitch(wildcards).fields.as_params()

    def _stitch(self, wildcards: Wildcards) -> Stitch:
        stitch = self.experiment(wildcards).settings.source.stitch
        assert stitch is not None
        return stitch
