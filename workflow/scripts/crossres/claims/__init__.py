"""The papers' results against ours: a file a paper, a function a claim.

:mod:`crossres.claims.registry` finds them. A new claim is a new function here.
"""

from crossres.claims.evidence import Evidence
from crossres.claims.registry import judge_claim, registered_claims

__all__ = ["Evidence", "judge_claim", "registered_claims"]
