"""Hold the papers' published results against what this run measured."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from crossres.claims import JUDGED_ON, JUDGES, Evidence, judge_claim
from crossres.jobs import logger


def check_claims(
    published: Path, evidence: Mapping[str, Evidence], about: Mapping[str, str], table: Path
) -> None:
    """Write claims.csv: id, published, measured, verdict, scale, data.

    Parameters
    ----------
    published
        resources/claims.tsv.
    evidence
        Tables by experiment.
    about
        ``scale`` of this run.
    table
        Where to.
    """
    judged = evidence.get(JUDGED_ON)
    data = judged.metrics.data.iloc[0] if judged else ""
    claims = pd.read_csv(published, sep="\t").set_index("id")
    rows = []
    for claim in JUDGES:
        measured, verdict = judge_claim(claim, evidence)
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


def load_evidence(metrics: Path, structures: Path, histories: Mapping[str, Path]) -> Evidence:
    """Read one channel's tables."""
    return Evidence(
        pd.read_csv(metrics),
        pd.read_csv(structures),
        {network: pd.read_csv(path) for network, path in histories.items()},
    )


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        check_claims,
        job.log[0],
        published=Path(job.input.published),
        evidence={
            experiment: load_evidence(
                Path(paths["metrics"]),
                Path(paths["structures"]),
                {network: Path(path) for network, path in paths["histories"].items()},
            )
            for experiment, paths in job.params.evidence.items()
        },
        about=job.params.about,
        table=Path(job.output[0]),
    )
