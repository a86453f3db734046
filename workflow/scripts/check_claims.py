"""Hold the papers' published results against what this run measured."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from crossres.claims import JUDGES, Evidence, judge_claim
from crossres.jobs import logger


def check_claims(
    published: Path,
    evidence: Mapping[str, Mapping[str, Evidence]],
    about: Mapping[str, str],
    table: Path,
) -> None:
    """Write claims.csv: id, published, measured, verdict, scale, data.

    Parameters
    ----------
    published
        resources/claims.tsv.
    evidence
        Tables by experiment and channel.
    about
        ``scale`` of this run.
    table
        Where to.
    """
    claims = pd.read_csv(published, sep="\t").set_index("id")
    rows = []
    for claim, (experiments, _) in JUDGES.items():
        measured, verdict = judge_claim(claim, evidence)
        judged = next(iter(evidence.get(experiments[0], {}).values()), None)
        data = judged.metrics.data.iloc[0] if judged else ""
        row = claims.loc[claim]
        rows.append(
            {
                "id": claim,
                "published": f"{row.claim}: {row.published}",
                "measured": measured,
                "verdict": verdict,
                "scale": about["scale"],
                "data": data,
            }
        )
        logger.info("%s: %s (%s)", claim, verdict, measured)
    pd.DataFrame(rows).to_csv(table, index=False)


def load_evidence(paths: Mapping[str, Any]) -> Evidence:
    """Read one channel's tables."""
    errors = paths["registration_error"]
    return Evidence(
        pd.read_csv(paths["metrics"]),
        pd.read_csv(paths["structures"]),
        {network: [pd.read_csv(p) for p in seeds] for network, seeds in paths["histories"].items()},
        {method: json.loads(Path(p).read_text()) for method, p in paths["parameters"].items()},
        pd.read_csv(errors[0]) if errors else None,
    )


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]
    run(
        check_claims,
        job.log[0],
        published=Path(job.input.published),
        evidence={
            experiment: {channel: load_evidence(paths) for channel, paths in channels.items()}
            for experiment, channels in job.params.evidence.items()
        },
        about=job.params.about,
        table=Path(job.output[0]),
    )
