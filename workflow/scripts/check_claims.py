"""Hold the papers' published results against what this run measured."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from crossres.claims import Evidence, judge_claim, registered_claims
from crossres.jobs import logger


def check_claims(
    published: Path,
    evidence: Mapping[str, Mapping[str, Evidence]],
    scale: str,
    table: Path,
) -> None:
    """Write claims.csv: id, published, measured, verdict, scale, data.

    Parameters
    ----------
    published
        resources/claims.tsv; its order is kept.
    evidence
        Tables by experiment and channel.
    scale
        Of this run.
    table
        Where to.
    """
    claims = pd.read_csv(published, sep="\t").set_index("id")
    rows = []
    for name in sorted(registered_claims(), key=claims.index.get_loc):
        measured, verdict = judge_claim(name, evidence)
        judged_on = registered_claims()[name].experiments[0]
        first = next(iter(evidence.get(judged_on, {}).values()), None)
        row = claims.loc[name]
        rows.append(
            {
                "id": name,
                "published": f"{row.claim}: {row.published}",
                "measured": measured,
                "verdict": verdict,
                "scale": scale,
                "data": first.metrics.data.iloc[0] if first else "",
            }
        )
        logger.info("%s: %s (%s)", name, verdict, measured)
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

    job = snakemake
    run(
        check_claims,
        job.log[0],
        published=Path(job.input.published),
        evidence={
            experiment: {channel: load_evidence(paths) for channel, paths in channels.items()}
            for experiment, channels in job.params.evidence.items()
        },
        scale=job.params.scale,
        table=Path(job.output[0]),
    )
