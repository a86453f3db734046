"""What register.smk takes."""

from crossres.experiments import Layout
from crossres.planning.preprocess import Preparing
from crossres.planning.stage import Wildcards


class Registering(Preparing):
    """Targets moved onto their inputs."""

    def places_of_fields(self, wildcards: Wildcards) -> dict[str, str]:
        """Return what tells where each target lies in its input.

        The images that fields are part of, and where they were cut from these.
        """
        experiment = self.experiment(wildcards)
        if experiment.stitched:
            within = Layout.before("cut", experiment, "input")
            return {"within": within, "cut": Layout.stages["cut"]}
        if experiment.settings.registration.locate:
            return {"within": Layout.before("resampled", experiment, "input")}
        return {}
