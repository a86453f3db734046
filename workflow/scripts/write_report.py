"""Write the page that sums up the run: what was done, what came out, what to be careful about."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

METRICS = {
    "fwhm_nm": "FWHM (nm)",
    "snr": "SNR",
    "psnr_db": "PSNR (dB)",
    "ssim": "SSIM",
    "nrmse": "NRMSE",
    "pearson_r": "Pearson r",
    "registration_error_nm": "registration error (nm)",
}

STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: 0.25em 0.8em; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
.data { background: #fff4d6; padding: 0.4em 0.8em; }
"""


def write_report(
    channels: Sequence[Mapping[str, Any]], claims: Path, scale: str, page: Path
) -> None:
    """Write results/summary.html.

    Parameters
    ----------
    channels
        Of each channel: ``experiment``, ``channel``, ``title``, ``data``, ``cut`` and the paths
        ``metrics``, ``registration`` and ``parameters`` (a list).
    claims
        claims.csv.
    scale
        Of this run.
    page
        Where to.
    """
    parts = [f"<h1>crossres: what this run found</h1><p>Scale: <b>{escape(scale)}</b>.</p>"]
    parts += [channel_section(channel) for channel in channels]
    parts.append("<h2>Published results</h2>")
    parts.append(pd.read_csv(claims).to_html(index=False, border=0))
    html = "\n".join(parts)
    page.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>crossres</title>'
        f"<style>{STYLE}</style><body>{html}</body></html>\n",
        encoding="utf-8",
    )


def channel_section(channel: Mapping[str, Any]) -> str:
    """Return the section of one channel."""
    registration = pd.read_csv(channel["registration"])
    split = registration.batch.str.rsplit("_", n=1).str[0]
    counts = ", ".join(f"{n} {name}" for name, n in split.value_counts().items())
    simulated = channel["data"] == "simulated"
    what = "simulated microscopes with a known truth" if simulated else "measured images"
    lines = [
        f"<h2>{escape(channel['experiment'])}, {escape(channel['channel'])}</h2>",
        f"<p>{escape(channel['title'])}</p>",
        f'<p class="data">These are <b>{what}</b>. Fields: {counts}.</p>',
    ]
    if channel["cut"]:
        lines.append(
            "<p>There are too few images to split whole. Each was cut into vertical strips for "
            f"training, validation and test, {channel['cut']['guard_px']} unused pixels apart. "
            "Fields of one image share its sample, staining and noise: how the network does on "
            "another sample is not shown.</p>"
        )
    rejected = registration[~registration.accepted]
    if len(rejected):
        lines.append("<p>Left out by the registration:</p>")
        lines.append(rejected[["field", "reason", "correlation"]].to_html(index=False, border=0))
    for path in channel["parameters"]:
        chosen = json.loads(Path(path).read_text())
        method = chosen.pop("method")
        text = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in chosen.items())
        lines.append(f"<p>{escape(method)} at its best on the validation fields: {text}.</p>")
    lines.append(metrics_table(pd.read_csv(channel["metrics"])))
    return "\n".join(lines)


def metrics_table(metrics: pd.DataFrame) -> str:
    """Return mean ± standard deviation over the test fields, and over seeds, as HTML."""
    metrics = metrics[metrics.metric.isin(METRICS)]
    order = list(dict.fromkeys(["input", *metrics.method]))
    grouped = metrics.groupby(["method", "metric"]).value

    def cell(values: pd.Series) -> str:
        known = values[values.notna()]
        return f"{known.mean():.3g} ± {known.std():.2g}" if len(known) else "not measurable"

    table = grouped.apply(cell).unstack("metric").reindex(order)
    table = table[[metric for metric in METRICS if metric in table]].rename(columns=METRICS)
    return table.fillna("").rename_axis(None, axis=1).to_html(border=0)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        write_report,
        job.log[0],
        channels=job.params.channels,
        claims=Path(str(job.input.claims)),
        scale=job.params.scale,
        page=Path(job.output[0]),
    )
