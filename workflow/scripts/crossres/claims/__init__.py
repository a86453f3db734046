"""The papers' figures against ours."""

from crossres.claims.evidence import Evidence
from crossres.claims.judge import JUDGES, judge_claim

__all__ = ["JUDGES", "Evidence", "judge_claim"]
