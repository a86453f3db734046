"""Write the page that sums up the run: what was done, what came out, what to be careful about."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from crossres.figures.style import in_order, label_of

METRICS = {
    "fwhm_nm": "FWHM (nm)",
    "snr": "SNR",
    "psnr_db": "PSNR (dB)",
    "ssim": "SSIM",
    "nrmse": "NRMSE",
    "pearson_r": "Pearson r",
}

STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: 0.25em 0.8em; text-align: right; border-bottom: 1px solid #ddd; }
th, td { white-space: nowrap; }
th:first-child, td:first-child, .text th, .text td { text-align: left; }
.text td { white-space: normal; vertical-align: top; }
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
        ``metrics``, ``structures``, ``registration``, ``registration_error`` and ``parameters``
        (lists).
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
    parts.append(pd.read_csv(claims).to_html(index=False, border=0, classes="text"))
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
    lines += [parameters_sentence(json.loads(Path(p).read_text())) for p in channel["parameters"]]
    lines.append(registration_sentence(registration, channel["registration_error"]))
    if channel["metrics"] is not None:
        resolved = pairs_resolved(pd.read_csv(channel["structures"]))
        metrics = pd.read_csv(channel["metrics"])
        lines.append(metrics_table(metrics, resolved))
        lines.append(seeds_table(metrics))
    return "\n".join(lines)


def registration_sentence(registration: pd.DataFrame, errors: Sequence[str]) -> str:
    """Say how well the accepted fields are aligned, by their own estimate and by the truth."""
    accepted = registration[registration.accepted]
    text = (
        f"<p>{len(accepted)} of {len(registration)} fields are accepted by the registration; its "
        f"own estimate of what is left is {accepted.residual_px.median():.2g} px rms in the "
        f"median field, {accepted.residual_px.max():.2g} px in the worst."
    )
    for path in errors:
        error = pd.read_csv(path)
        text += (
            f" Against the simulator's truth it is off by {error.error_rms_px.median():.2g} px rms "
            f"({error.error_rms_nm.median():.2g} nm) in the median field, "
            f"{error.error_rms_px.max():.2g} px in the worst."
        )
    return f"{text}</p>"


def parameters_sentence(chosen: Mapping[str, Any]) -> str:
    """Say at which parameters a baseline was best."""
    name = "damping" if "damping" in chosen else "step"
    text = (
        f"<p>{label_of(chosen['method'])} is best on the validation fields at "
        f"{chosen['iterations']} iterations and a {name} of {chosen[name]:g} "
        f"(Pearson r {chosen['validation_pearson_r']:.3f})"
    )
    if chosen["at_limit_of_grid"]:
        text += ", the last iteration searched: more of them might serve it better"
    return f"{text}.</p>"


def pairs_resolved(structures: pd.DataFrame) -> pd.Series:
    """Return, by method, how many of the close pairs that the target resolves it resolves too."""
    pairs = structures[structures.metric == "peak_to_peak_nm"]
    if pairs.empty:
        return pd.Series(dtype=str)
    place = ["field", "structure"]
    by_target = pairs[(pairs.method == "target") & pairs.value.notna()][place]
    shown = pairs.merge(by_target, on=place).groupby("method").value
    return shown.agg(lambda values: f"{values.notna().sum()} of {len(values)}")


def metrics_table(metrics: pd.DataFrame, resolved: pd.Series) -> str:
    """Return mean ± standard deviation over the test fields, and over seeds, as HTML."""
    table = cells_of(metrics)
    if len(resolved):
        table["close pairs resolved"] = resolved
    return as_html(table)


def seeds_table(metrics: pd.DataFrame) -> str:
    """Return, of networks trained with several seeds, mean ± standard deviation over the seeds.

    Of each seed the mean over the test fields is taken first: what is left is what chance in
    training does. Nothing where every network has one seed.
    """
    means = metrics.groupby(["method", "seed", "metric"], as_index=False).value.mean()
    counts = means.groupby("method").seed.nunique()
    several = means[means.method.isin(counts[counts > 1].index)]
    if several.empty:
        return ""
    table = cells_of(several)
    table.insert(0, "seeds", counts)
    return "<p>Spread over seeds, of the means over the test fields:</p>" + as_html(table)


def cells_of(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return mean ± standard deviation in words, a row a method, a column a metric."""
    metrics = metrics[metrics.metric.isin(METRICS)]

    def cell(values: pd.Series) -> str:
        known = values[values.notna()]
        return f"{known.mean():.3g} ± {known.std():.2g}" if len(known) else "not measurable"

    table = metrics.groupby(["method", "metric"]).value.apply(cell).unstack("metric")
    table = table.reindex(in_order(metrics.method))
    return table[[metric for metric in METRICS if metric in table]].rename(columns=METRICS)


def as_html(table: pd.DataFrame) -> str:
    """Return a table by method as HTML."""
    table = table.rename(index=label_of).rename_axis(None, axis=0).rename_axis(None, axis=1)
    return table.fillna("").to_html(border=0)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]
    run(
        write_report,
        job.log[0],
        channels=job.params.channels,
        claims=Path(str(job.input.claims)),
        scale=job.params.scale,
        page=Path(job.output[0]),
    )
