"""Draw example fields of the blind test in every method."""

from collections.abc import Mapping
from pathlib import Path

from crossres.figures import save_figure
from crossres.figures.examples import Example
from crossres.figures.examples import plot_examples as draw
from crossres.images import field_name, load_field, read_field_table, read_image

EXAMPLES = 2
CHOSEN_BY = ("gan", "cnn", "input")
"""The first of these methods that was measured decides which fields are typical."""


def plot_examples(
    metrics: Path, fields: Mapping[Path, Mapping[str, Path]], figures: list[Path]
) -> None:
    """Write the figure of the fields nearest the median SSIM.

    Median fields are drawn, not the best: they show what a user may expect.

    Parameters
    ----------
    metrics
        metrics.csv.
    fields
        Registered test fields, with the folder of each method's restored one.
    figures
        Where to.
    """
    table = read_field_table(metrics)
    table = table[table.metric == "ssim"]
    method = next(name for name in CHOSEN_BY if name in set(table.method))
    ssim = table[table.method == method].groupby("field").value.mean()
    nearest = (ssim - ssim.median()).abs().sort_values(kind="stable").index[:EXAMPLES]
    by_name = {field_name(path): path for path in fields}
    examples = []
    for name in nearest:
        pair = by_name[name]
        images, pixel_size_nm = load_field(pair, fields[pair])
        examples.append(Example(name, images, pixel_size_nm, read_image(pair).z_step_nm))
    save_figure(draw(examples), *figures)


if __name__ == "__main__":
    from crossres.images.batches import restored_fields
    from crossres.jobs import run

    job = snakemake
    run(
        plot_examples,
        job.log[0],
        metrics=Path(job.input.metrics),
        fields=restored_fields(job.input.pairs, job.params.restorations),
        figures=[Path(job.output.png), Path(job.output.svg)],
    )
