"""What simulate.smk takes."""

from typing import Any

from crossres.experiments import code_hash
from crossres.planning.stage import Stage, Wildcards
from crossres.settings import Simulator


class Simulating(Stage):
    """Raw images of a sample by both microscopes."""

    def fields(self, wildcards: Wildcards) -> list[tuple[str, int]]:
        """Return the fields, or scenes, of a batch with the numbers that seed them."""
        return self.experiment(wildcards).numbered(wildcards.channel, wildcards.batch)

    def simulator(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what simulates one channel, whatever else there is."""
        return self._simulator(wildcards).in_channel(wildcards.channel).as_params()

    def microscopes(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return both microscopes as they are in one channel."""
        return self.modalities(wildcards).as_params()

    def code(self, wildcards: Wildcards) -> str:
        """Return the hash of what simulates this kind of sample by this kind of acquisition."""
        simulator = self._simulator(wildcards)
        sample = f"crossres/samples/{simulator.sample.kind}.py"
        acquisition = f"crossres/simulate/acquisition/{simulator.acquisition.kind}.py"
        return code_hash("simulate_acquisition.py", sample, acquisition)

    def _simulator(self, wildcards: Wildcards) -> Simulator:
        simulator = self.experiment(wildcards).simulator
        assert simulator is not None
        return simulator
