"""Draw example fields of the blind test in every method."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from crossres.figures import save_figure
from crossres.figures.examples import plot_examples as draw
from crossres.images import field_name, fields_in, load_field, read_field_table

EXAMPLES = 2


def plot_examples(
    metrics: Path,
    pairs: Sequence[Path],
    restored: Mapping[str, Path],
    figures: list[Path],
) -> None:
    """Write the figure of the fields nearest the median SSIM of the first network.

    Median fields are drawn, not the best: they show what a user may expect.

    Parameters
    ----------
    metrics
        metrics.csv.
    pairs
        Registered test fields.
    restored
        Folder of each method's fields.
    figures
        Where to.
    """
    table = read_field_table(metrics)
    judge = next((name for name in ("gan", "cnn") if name in restored), "input")
    ssim = table[(table.metric == "ssim") & (table.method == judge)].groupby("field").value.mean()
    nearest = (ssim - ssim.median()).abs().sort_values(kind="stable").index[:EXAMPLES]
    by_name = {field_name(path): path for path in pairs}
    loaded = [(name, load_field(by_name[name], restored)) for name in nearest]
    fields = [(name, images) for name, (images, _) in loaded]
    save_figure(draw(fields, loaded[0][1][1]), *figures)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        plot_examples,
        job.log[0],
        metrics=Path(job.input.metrics),
        pairs=fields_in(job.input.pairs),
        restored={Path(folder).name: Path(folder) for folder in job.input.restored},
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
