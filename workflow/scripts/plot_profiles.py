"""Draw line profiles through close pairs of spots in every method."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from crossres.figures import save_figure
from crossres.figures.profiles import PairView
from crossres.figures.profiles import plot_profiles as draw
from crossres.images import field_name, load_field, read_field_table
from crossres.measure.pairs import ANGLE, DISTANCE, PROFILE_BEYOND_PX, pair_profile

PAIRS = 4
HALF_CROP_PX = 15


def plot_profiles(
    structures: Path, fields: Mapping[Path, Mapping[str, Path]], figures: list[Path]
) -> None:
    """Write the figure of pairs evenly spread over the distances that the target shows.

    Parameters
    ----------
    structures
        structures.csv.
    fields
        Registered test fields, with the folder of each method's restored one.
    figures
        Where to.
    """
    by_name = {field_name(path): path for path in fields}
    chosen = choose_pairs(read_field_table(structures))
    views = []
    for _, rows in chosen:
        pair = by_name[rows.field.iloc[0]]
        images, size_nm = load_field(pair, fields[pair])
        view = view_pair(rows, images, size_nm)
        if view is not None:
            views.append(view)
    save_figure(draw(views), *figures)


def choose_pairs(table: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Return the rows of a few pairs, from the closest that the target resolves to the furthest."""
    table = table[table.structure.astype(str).str.startswith("pair")]
    groups = []
    for key, rows in table.groupby(["field", "structure"]):
        shown = rows[(rows.method == "target") & (rows.metric == DISTANCE.name)].value
        if len(shown) and np.isfinite(shown.iloc[0]):
            groups.append((shown.iloc[0], key, rows))
    groups.sort(key=lambda group: (group[0], group[1]))
    spread = np.linspace(0, len(groups) - 1, PAIRS).round() if groups else np.empty(0)
    return [groups[i][1:] for i in sorted(set(spread.astype(int)))]


def view_pair(
    rows: pd.DataFrame, images: Mapping[str, np.ndarray], size_nm: float
) -> PairView | None:
    """Cut a pair's surroundings and profiles out of every method's image."""
    first = rows.iloc[0]
    middle = np.array([first.y_nm, first.x_nm]) / size_nm - 0.5
    angle = np.radians(rows.value[rows.metric == ANGLE.name].iloc[0])
    along = np.array([np.sin(angle), np.cos(angle)])
    distances = rows[rows.metric == DISTANCE.name].drop_duplicates("method")
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
            image, middle - half_px * along, middle + half_px * along, PROFILE_BEYOND_PX
        )
        profiles[method] = (distance * size_nm, value)
    reach = along * (half_px + PROFILE_BEYOND_PX)
    ends = tuple(tuple(middle + sign * reach - corner) for sign in (-1, 1))
    return PairView(
        title=f"{first.field}\n{first.structure}",
        crops={method: image[window] for method, image in images.items()},
        profiles=profiles,
        ends_px=ends,  # type: ignore[arg-type]
        peak_to_peak_nm={method: distances.get(method, np.nan) for method in images},
    )


if __name__ == "__main__":
    from crossres.images.batches import restored_fields
    from crossres.jobs import run

    job = snakemake
    run(
        plot_profiles,
        job.log[0],
        structures=Path(job.input.structures),
        fields=restored_fields(job.input.pairs, job.params.restorations),
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
