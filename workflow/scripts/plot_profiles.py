"""Draw line profiles through close pairs of spots in every method."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from crossres.figures import save_figure
from crossres.figures.profiles import PairView
from crossres.figures.profiles import plot_profiles as draw
from crossres.images import field_name, fields_in, load_field, read_field_table
from crossres.measure.pairs import pair_profile

PAIRS = 4
HALF_CROP_PX = 15
BEYOND_PX = 8.0


def plot_profiles(
    structures: Path,
    pairs: Sequence[Path],
    restored: Mapping[str, Path],
    figures: list[Path],
) -> None:
    """Write the figure of pairs evenly spread over the distances that the target shows.

    Parameters
    ----------
    structures
        structures.csv.
    pairs
        Registered test fields.
    restored
        Folder of each method's fields.
    figures
        Where to.
    """
    by_name = {field_name(path): path for path in pairs}
    chosen = choose_pairs(read_field_table(structures))
    views = []
    for _, rows in chosen:
        images, size_nm = load_field(by_name[rows.field.iloc[0]], restored)
        view = view_pair(rows, images, size_nm)
        if view is not None:
            views.append(view)
    save_figure(draw(views), *figures)


def choose_pairs(table: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Return the rows of a few pairs, from the closest that the target resolves to the furthest."""
    table = table[table.structure.astype(str).str.startswith("pair")]
    groups = []
    for key, rows in table.groupby(["field", "structure"]):
        shown = rows[(rows.method == "target") & (rows.metric == "peak_to_peak_nm")].value
        if len(shown) and np.isfinite(shown.iloc[0]):
            groups.append((shown.iloc[0], key, rows))
    groups.sort(key=lambda group: (group[0], group[1]))
    picks = np.unique(np.linspace(0, len(groups) - 1, PAIRS).round().astype(int)) if groups else []
    return [(groups[i][1], groups[i][2]) for i in picks]


def view_pair(
    rows: pd.DataFrame, images: Mapping[str, np.ndarray], size_nm: float
) -> PairView | None:
    """Cut a pair's surroundings and profiles out of every method's image."""
    first = rows.iloc[0]
    middle = np.array([first.y_nm, first.x_nm]) / size_nm - 0.5
    angle = np.radians(rows.value[rows.metric == "angle_degree"].iloc[0])
    along = np.array([np.sin(angle), np.cos(angle)])
    distances = rows[rows.metric == "peak_to_peak_nm"].drop_duplicates("method")
    distances = distances.set_index("method").value.to_dict()
    half_px = distances["target"] / size_nm / 2
    corner = np.round(middle).astype(int) - HALF_CROP_PX
    shape = images["target"].shape
    if (corner < 0).any() or (corner + 2 * HALF_CROP_PX + 1 > shape).any():
        return None
    window = tuple(slice(c, c + 2 * HALF_CROP_PX + 1) for c in corner)
    profiles = {}
    for method, image in images.items():
        distance, value = pair_profile(
            image, middle - half_px * along, middle + half_px * along, BEYOND_PX
        )
        profiles[method] = (distance * size_nm, value)
    reach = along * (half_px + BEYOND_PX)
    ends = tuple(tuple(middle + sign * reach - corner) for sign in (-1, 1))
    return PairView(
        title=f"{first.field}\n{first.structure}",
        crops={method: image[window] for method, image in images.items()},
        profiles=profiles,
        ends_px=ends,  # type: ignore[arg-type]
        peak_to_peak_nm={method: distances.get(method, np.nan) for method in images},
    )


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        plot_profiles,
        job.log[0],
        structures=Path(job.input.structures),
        pairs=fields_in(job.input.pairs),
        restored={Path(folder).name: Path(folder) for folder in job.input.restored},
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
