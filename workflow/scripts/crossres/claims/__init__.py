"""The papers' figures against ours."""

from crossres.claims.judge import JUDGES, Evidence, judge_claim

__all__ = ["JUDGES", "Evidence", "judge_claim"]
