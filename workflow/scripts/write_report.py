"""Write the page that sums up the run: what was done, what came out, what to be careful about."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from crossres.images import read_field_table
from crossres.report import ChannelTables, render_page, summarise


def write_report(
    channels: Sequence[ChannelTables], claims: Path, template: Path, scale: str, page: Path
) -> None:
    """Write results/summary.html.

    Parameters
    ----------
    channels
        Tables of each channel.
    claims
        claims.csv.
    template
        workflow/templates/summary.html.
    scale
        Of this run.
    page
        Where to.
    """
    html = render_page(
        template.read_text(encoding="utf-8"),
        [summarise(channel) for channel in channels],
        pd.read_csv(claims, keep_default_na=False),
        scale,
    )
    page.write_text(html, encoding="utf-8")


def load_tables(channel: Mapping[str, Any]) -> ChannelTables:
    """Read one channel's tables."""
    errors = channel["registration_error"]
    return ChannelTables(
        experiment=channel["experiment"],
        channel=channel["channel"],
        title=channel["title"],
        simulated=channel["data"] == "simulated",
        guard_px=channel["cut"]["guard_px"] if channel["cut"] else None,
        registration=read_field_table(channel["registration"]),
        registration_error=read_field_table(errors[0]) if errors else None,
        parameters=tuple(json.loads(Path(path).read_text()) for path in channel["parameters"]),
        metrics=read_field_table(channel["metrics"]) if channel["metrics"] else None,
        structures=read_field_table(channel["structures"]) if channel["structures"] else None,
    )


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake
    run(
        write_report,
        job.log[0],
        channels=[load_tables(channel) for channel in job.params.channels],
        claims=Path(str(job.input.claims)),
        template=Path(job.input.template),
        scale=job.params.scale,
        page=Path(job.output[0]),
    )
