"""Loading the experiments that are asked for, and those whose models they begin from."""

from pathlib import Path

from crossres.experiments.experiment import Experiment
from crossres.experiments.fields import MEASURED, Field, Tile
from crossres.experiments.scans import (
    fields_of_scenes,
    scenes_of_tiles,
    simulated_scenes,
    simulated_tiles,
)
from crossres.experiments.sheets import read_sheet
from crossres.experiments.transfer import check_initial_models, experiments_needed
from crossres.jobs import InputError
from crossres.settings import (
    Config,
    Source,
    StageAcquisition,
    find_experiment,
    load_experiment_settings,
)
from crossres.settings.acquisition import Splits


def load_experiments(config: Config, folder: Path) -> dict[str, Experiment]:
    """Return the experiments of a configuration, by name, and those that they need.

    Experiments whose models another one begins from are loaded too, with ``asked`` False. Each is
    looked for among the experiments asked for, beside the file that names it, and in ``folder``.

    Raises
    ------
    InputError
        A fault in a file or sheet, two experiments of one name, or an initial model that is missing
        or does not fit.
    """
    files: dict[str, Path] = {}
    for entry in config.experiments:
        path = find_experiment(entry, [folder])
        if path.stem in files:
            raise InputError(
                f"experiments: two experiments are called {path.stem!r}; rename a file"
            )
        files[path.stem] = path
    asked = set(files)
    experiments: dict[str, Experiment] = {}
    waiting = list(files)
    while waiting:
        name = waiting.pop(0)
        experiment = _load(files[name], config, folder, name in asked)
        experiments[name] = experiment
        for key, needed in experiments_needed(experiment.settings).items():
            if needed not in files:
                files[needed] = find_experiment(
                    needed, [files[name].parent, folder], f"{name}: {key}"
                )
                waiting.append(needed)
    check_initial_models(experiments)
    return experiments


def _load(path: Path, config: Config, folder: Path, asked: bool) -> Experiment:
    """Load and check one experiment."""
    settings = load_experiment_settings(str(path), config.scale, folder)
    fields, tiles = _fields_of(settings.source)
    experiment = Experiment(
        path.stem, settings, tuple(fields), config.fields_per_job, tuple(tiles), asked
    )
    _check_splits(experiment)
    _check_channels(experiment)
    return experiment


def _fields_of(source: Source) -> tuple[list[Field], list[Tile]]:
    """Return the fields of a source, and the tiles that they are cut from."""
    simulator = source.simulator
    if simulator is None:
        fields, tiles = read_sheet(source)
        scenes = scenes_of_tiles(tiles)
    elif isinstance(simulator.acquisition, StageAcquisition):
        scenes = simulated_scenes(simulator.acquisition, simulator.channels)
        fields, tiles = [], simulated_tiles(simulator.acquisition, scenes)
    else:
        return _simulated(simulator.channel, simulator.acquisition.fields), []
    return (fields_of_scenes(scenes, source.stitch.fields) if source.stitch else fields), tiles


def _check_channels(experiment: Experiment) -> None:
    """Check that settings name channels that exist."""
    known = ", ".join(experiment.channels)
    for role in ("input", "target"):
        wavelength = getattr(experiment.settings.modalities, role).wavelength_nm
        if isinstance(wavelength, dict) and set(wavelength) != set(experiment.channels):
            raise InputError(
                f"{experiment.name}: modalities.{role}.wavelength_nm names the channels "
                f"{', '.join(wavelength)}; the experiment has {known}: give one for each"
            )
    by = experiment.placing_channel
    if by is not None and by not in experiment.channels:
        raise InputError(
            f"{experiment.name}: source.stitch.channel is {by!r}; the experiment has {known}"
        )
    taken = {
        (tile.scene, tile.channel, role)
        for tile in experiment.tiles
        for role in ("input", "target")
        if getattr(tile, role) is not None
    }
    for field in experiment.fields if experiment.stitched else ():
        for role in ("input", "target") if field.split != "apply" else ("input",):
            if (field.scene, field.channel, role) not in taken:
                raise InputError(
                    f"{experiment.name}: scene {field.scene!r} of channel {field.channel!r} has no "
                    f"{role} tiles; add them to the sheet"
                )


def _simulated(channel: str, counts: Splits) -> list[Field]:
    return [
        Field(f"{split}_{number:04d}", channel, split)
        for split in MEASURED
        for number in range(getattr(counts, split))
    ]


def _check_splits(experiment: Experiment) -> None:
    needed = MEASURED if experiment.restores else ("train",)
    for channel in experiment.channels:
        for split in needed:
            if not experiment.in_split(channel, split):
                raise InputError(
                    f"{experiment.name}: the {split} split of channel {channel!r} is empty; "
                    "assign it a field in the sheet, or add fields so that each split gets a group"
                )
