"""Stitching side by side with what multiview-stitcher and ashlar give by themselves.

    python benchmarks/stitching.py [--scans 3] [--side 384]

Simulated scans of 3 x 3 tiles in zigzag order: spots and filaments of known place, Poisson noise,
16 bits, and a stage that errs by 3 px (standard deviation) at every tile. The error is the rms
distance of the positions from the true ones, after taking out what moves all tiles alike; tiles
without content count for the time alone, as no method can place them. ashlar is not among our
dependencies and needs Java; where it does not load, its columns say so.
"""

import argparse
import contextlib
import io
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from crossres.stitching import Tile, locate_tiles

Positions = Mapping[Tile, tuple[float, float]]
CASES = [(0.2, ()), (0.1, ()), (0.2, ((0, 1), (2, 2))), (0.1, ((0, 1), (2, 2)))]
"""Overlap and blank tiles."""

STAGE_SD_PX = 3.0
BACKGROUND = 100.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=3)
    parser.add_argument("--side", type=int, default=384)
    options = parser.parse_args()
    methods: dict[str, Callable[[dict, float], Positions] | None] = {
        "ours": lambda tiles, overlap: locate_tiles(tiles, overlap).positions_px,
        "ours, unknown": lambda tiles, overlap: locate_tiles(tiles, None).positions_px,
        "multiview-st.": loaded(prepare_multiview_stitcher),
        "ashlar": loaded(lambda: prepare_ashlar(0.0)),
        "ashlar, sigma 1": loaded(lambda: prepare_ashlar(1.0)),
    }
    print(f"3 x 3 tiles of {options.side} px, {options.scans} scans: rms error px, s a scan")
    print(f"{'overlap':>8}{'blank':>6}" + "".join(f"{name:>18}" for name in methods))
    for overlap, blank in CASES:
        scans = [simulate(seed, options.side, overlap, blank) for seed in range(options.scans)]
        cells = [report(method, scans, overlap, blank) for method in methods.values()]
        print(f"{overlap:8.0%}{len(blank):6d}" + "".join(f"{cell:>18}" for cell in cells))


def loaded(prepare: Callable[[], Callable[[dict, float], Positions]]) -> Callable | None:
    try:
        return prepare()
    except Exception as error:  # what a missing Java raises is of no common class
        lines = str(error).strip().splitlines() or [type(error).__name__]
        print(f"not compared: {lines[0]}")
        return None


def report(method: Callable | None, scans: list, overlap: float, blank: tuple) -> str:
    if method is None:
        return "-"
    squares, seconds = [], 0.0
    for tiles, corners in scans:
        began = time.perf_counter()
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            found = method(tiles, overlap)
        seconds += time.perf_counter() - began
        away = np.array([np.subtract(found[t], corners[t]) for t in tiles if t not in blank])
        squares.append(np.sum((away - away.mean(axis=0)) ** 2, axis=1).mean())
    return f"{np.sqrt(np.mean(squares)):.3f} {seconds / len(scans):6.2f}"


def simulate(
    seed: int, side: int, overlap: float, blank: tuple[Tile, ...]
) -> tuple[dict[Tile, np.ndarray], dict[Tile, np.ndarray]]:
    """Tiles and the true places of their top-left pixels."""
    rng = np.random.default_rng(seed)
    step = side * (1 - overlap)
    beads = draw_beads(rng, int(2 * step + side + 60))
    tiles, corners = {}, {}
    for row in range(3):
        for column in range(3) if row % 2 == 0 else (2, 1, 0):
            tile = (row, column)
            corners[tile] = 30 + step * np.array(tile) + rng.normal(0, STAGE_SD_PX, 2)
            seen = np.zeros((side, side)) if tile in blank else render(beads, corners[tile], side)
            tiles[tile] = rng.poisson(seen + BACKGROUND).astype(np.uint16)
    return tiles, corners


def draw_beads(rng: np.random.Generator, side: int) -> np.ndarray:
    """(N, 4): y, x, counts and sigma of spots, and of the beads that make up filaments."""
    count = side**2 // 900
    columns = (rng.uniform(0, side, (count, 2)), rng.uniform(100, 600, count))
    beads = [np.column_stack([*columns, rng.uniform(1.8, 3.5, count)])]
    for _ in range(side**2 // 12000):
        length = int(rng.uniform(50, 150))
        angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.03, length))
        places = rng.uniform(0, side, 2) + 2 * np.cumsum(
            np.column_stack([np.sin(angle), np.cos(angle)]), axis=0
        )
        beads.append(np.column_stack([places, np.full(length, 150.0), np.full(length, 2.0)]))
    return np.concatenate(beads)


def render(beads: np.ndarray, corner: np.ndarray, side: int) -> np.ndarray:
    """The beads as Gaussians, exact at every fraction of a pixel."""
    near = np.all(np.abs(beads[:, :2] - corner - side / 2) < side / 2 + 20, axis=1)
    places, counts, sigmas = beads[near, :2], beads[near, 2], beads[near, 3]
    along_y, along_x = (
        np.exp(-((np.arange(side)[:, None] + corner[a] - places[:, a]) ** 2) / (2 * sigmas**2))
        for a in (0, 1)
    )
    return (along_y * counts) @ along_x.T


def prepare_multiview_stitcher() -> Callable[[dict, float], Positions]:
    import dask
    from multiview_stitcher import msi_utils, registration, spatial_image_utils

    def stitch(tiles: dict, overlap: float) -> Positions:
        grid = nominal(tiles, overlap)
        views = [
            spatial_image_utils.get_sim_from_array(
                tiles[tile],
                dims=["y", "x"],
                scale={"y": 1.0, "x": 1.0},
                translation=dict(zip("yx", map(float, grid[tile]), strict=True)),
                transform_key="stage",
            )
            for tile in tiles
        ]
        with dask.config.set(scheduler="synchronous"):
            transforms = registration.register(
                [msi_utils.get_msim_from_sim(view, scale_factors=[]) for view in views],
                transform_key="stage",
                reg_channel_index=0,
            )
        moved = (np.asarray(transform).reshape(3, 3)[:2, 2] for transform in transforms)
        return {tile: tuple(grid[tile] + d) for tile, d in zip(tiles, moved, strict=True)}

    return stitch


def prepare_ashlar(sigma: float) -> Callable[[dict, float], Positions]:
    from ashlar import reg

    class Metadata(reg.Metadata):
        num_channels, pixel_size, pixel_dtype = 1, 1.0, np.dtype(np.uint16)

        def __init__(self, tiles: list[np.ndarray], grid: list[np.ndarray]):
            self.tiles, self.grid = tiles, grid

        @property
        def _num_images(self) -> int:
            return len(self.tiles)

        def tile_position(self, i: int) -> np.ndarray:
            return self.grid[i]

        def tile_size(self, i: int) -> np.ndarray:
            return np.array(self.tiles[i].shape)

    class Reader(reg.Reader):
        def __init__(self, metadata: Metadata):
            self.metadata = metadata

        def read(self, series: int, c: int) -> np.ndarray:
            return self.metadata.tiles[series]

    def stitch(tiles: dict, overlap: float) -> Positions:
        grid = nominal(tiles, overlap)
        metadata = Metadata(list(tiles.values()), [grid[tile] for tile in tiles])
        aligner = reg.EdgeAligner(
            Reader(metadata), max_shift=30, filter_sigma=sigma, do_make_thumbnail=False
        )
        aligner.run()
        return {tile: tuple(p) for tile, p in zip(tiles, aligner.positions, strict=True)}

    return stitch


def nominal(tiles: dict[Tile, np.ndarray], overlap: float) -> dict[Tile, np.ndarray]:
    return {t: np.array(t) * np.array(tiles[t].shape) * (1 - overlap) for t in tiles}


if __name__ == "__main__":
    main()
