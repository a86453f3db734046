"""Classical baselines, each at the parameters that are best on the validation split."""

from typing import Literal

from crossres.catalogue.classical import CLASSICAL, NNLS, Classical, RichardsonLucy
from crossres.section import Section


class Deconvolution(Section):
    """Classical baselines.

    Each is used at the iteration (and damping) that is best on the validation split, by the mean
    Pearson correlation with the target.
    """

    background: Literal["find", "none"] = "find"
    """`find` first subtracts the mean of the darkest square region from each input, because both
    algorithms assume that all counts are light; `none` does not."""
    richardson_lucy: RichardsonLucy | None = None
    """Lucy-Richardson with damping."""
    nnls: NNLS | None = None
    """Non-negative least squares by projected Landweber iteration."""

    @property
    def methods(self) -> dict[str, Classical]:
        """The methods that the experiment runs, by name."""
        asked = {name: getattr(self, name) for name in CLASSICAL}
        return {name: method for name, method in asked.items() if method is not None}
