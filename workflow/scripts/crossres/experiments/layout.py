"""Every path of the workflow's results, in one place."""

from typing import ClassVar

from crossres.experiments.experiment import Experiment, Restoration

_CHANNEL = "results/{experiment}/{channel}"


class Layout:
    """Where everything lies.

    Each path is a Snakemake pattern with wildcards in braces: ``{experiment}``, ``{channel}``,
    ``{batch}``, ``{role}`` (input or target), ``{restoration}`` (the name of a
    :class:`crossres.experiments.Restoration`), ``{network}``, ``{seed}``, ``{method}`` (a classical
    one), ``{split}``, ``{figure}`` and ``{table}``.
    """

    channel = _CHANNEL

    raw = f"{_CHANNEL}/raw/{{role}}/{{batch}}"
    truth = f"{_CHANNEL}/truth/{{batch}}"
    placed_truth = f"{_CHANNEL}/placed_truth/{{batch}}"

    stages: ClassVar[dict[str, str]] = {
        "imported": f"{_CHANNEL}/imported/{{role}}/{{batch}}",
        "subtracted": f"{_CHANNEL}/subtracted/{{role}}/{{batch}}",
        "stitched": f"{_CHANNEL}/stitched/{{role}}/{{batch}}",
        "cut": f"{_CHANNEL}/cut/{{batch}}",
        "resampled": f"{_CHANNEL}/resampled/{{batch}}",
        "registered": f"{_CHANNEL}/registered/{{batch}}",
    }
    constants = f"{_CHANNEL}/constants.json"
    tiles = f"{_CHANNEL}/tiles/{{role}}/{{batch}}.csv"
    displacement = f"{_CHANNEL}/displacement/{{batch}}"

    patches = f"{_CHANNEL}/patches/{{split}}.safetensors"
    patch_positions = f"{_CHANNEL}/patches/positions.csv"

    model = f"{_CHANNEL}/models/{{network}}/seed_{{seed}}/model.safetensors"
    history = f"{_CHANNEL}/models/{{network}}/seed_{{seed}}/history.csv"
    package = f"{_CHANNEL}/models/{{network}}/seed_{{seed}}/model.bioimageio.zip"

    scores = f"{_CHANNEL}/deconvolution/{{method}}/scores/{{batch}}.csv"
    grid = f"{_CHANNEL}/deconvolution/{{method}}/grid.csv"
    parameters = f"{_CHANNEL}/deconvolution/{{method}}/parameters.json"

    restored_batch = f"{_CHANNEL}/restored_batches/{{restoration}}/{{batch}}"
    restored = f"{_CHANNEL}/restored/{{restoration}}"

    batch_tables: ClassVar[dict[str, str]] = {
        "registration": f"{_CHANNEL}/registration/{{batch}}.csv",
        "registration_error": f"{_CHANNEL}/registration_error/{{batch}}.csv",
        "metrics": f"{_CHANNEL}/measured/{{restoration}}/{{batch}}.metrics.csv",
        "structures": f"{_CHANNEL}/measured/{{restoration}}/{{batch}}.structures.csv",
    }
    table = f"{_CHANNEL}/{{table}}.csv"
    figure = f"{_CHANNEL}/figures/{{figure}}.png"
    figure_for_print = f"{_CHANNEL}/figures/{{figure}}.svg"

    claims = "results/claims.csv"
    summary = "results/summary.html"

    @staticmethod
    def fill(pattern: str, **wildcards: str | int) -> str:
        """Return a path with some of its wildcards filled in; the others stay wildcards."""
        for name, value in wildcards.items():
            pattern = pattern.replace(f"{{{name}}}", str(value))
        return pattern

    @classmethod
    def in_channel(cls, pattern: str, experiment: Experiment, channel: str) -> str:
        """Return a path in one channel of an experiment."""
        return cls.fill(pattern, experiment=experiment.name, channel=channel)

    @classmethod
    def before(cls, stage: str, experiment: Experiment, role: str) -> str:
        """Return the folder of the images that a stage of the preparation takes."""
        return cls.fill(cls.stages[experiment.before(stage, role)], role=role)

    @classmethod
    def models(cls, restoration: Restoration) -> list[str]:
        """Return the model files behind a restoration, none behind a classical method."""
        return [cls.fill(cls.model, network=name, seed=seed) for name, seed in restoration.models]

    @classmethod
    def noiseless(cls, experiment: Experiment) -> str | None:
        """Return the folder of the noiseless images of simulated fields; None for measured ones."""
        if not experiment.simulated:
            return None
        return cls.placed_truth if experiment.scanned else cls.truth
