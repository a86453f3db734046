"""The papers' figures against ours."""

from crossres.claims.judge import JUDGED_ON, JUDGES, Evidence, judge_claim

__all__ = ["JUDGED_ON", "JUDGES", "Evidence", "judge_claim"]
