"""What measure.smk takes."""

from typing import Any

from crossres.catalogue.figures import TABLES
from crossres.experiments import Layout
from crossres.planning.stage import Wildcards
from crossres.planning.stitch import Stitching


class Measuring(Stitching):
    """Tables of everything that was restored, and of how well pairs are registered."""

    def restored(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the images of a restoration; the registered pairs hold input and target."""
        names = [one.name for one in self.experiment(wildcards).restorations]
        return {"restored": Layout.restored_batch} if wildcards.restoration in names else {}

    def noiseless(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what the target's microscope would have given, and its further scans."""
        experiment = self.experiment(wildcards)
        truth = Layout.noiseless(experiment)
        found = {"truth": truth} if truth else {}
        return found | ({"scans": Layout.truth} if experiment.repeated else {})

    def method(self, wildcards: Wildcards) -> str:
        """Return the method of what is measured."""
        measured = self.experiment(wildcards).measured
        return next(one.method for one in measured if one.name == wildcards.restoration)

    def truth_of_registration(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what tells, of stage scans, where each pixel of a registered pair looked."""
        if not self.experiment(wildcards).stitched:
            return {}
        return {
            "registered": Layout.stages["registered"],
            "displacements": Layout.displacement,
            "cut": Layout.stages["cut"],
            "input_tiles": self.positions("input")(wildcards),
            "target_tiles": self.positions("target")(wildcards),
        }

    def stitched(self, wildcards: Wildcards) -> bool:
        """Whether fields are cut from stage scans."""
        return self.experiment(wildcards).stitched

    def parts(self, wildcards: Wildcards) -> list[str]:
        """Return the tables that one is joined of."""
        return [path for path, _ in self.results(wildcards).parts_of(wildcards.table)]

    def restorations(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Return the restoration that each of these tables measures; none measures pairs."""
        parts = self.results(wildcards).parts_of(wildcards.table)
        return [vars(one) for _, one in parts if one]

    def caption(self, wildcards: Wildcards) -> str:
        """Return what the report says of a table; nothing of those that it leaves out."""
        return TABLES[wildcards.table].caption if wildcards.table in TABLES else ""

    def labels(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what the report calls a table."""
        return {"result": TABLES[wildcards.table].title, "kind": "table"}
