"""Transfer: the model of another experiment that a training begins from."""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from crossres.experiments.experiment import Experiment
from crossres.jobs import InputError
from crossres.settings import ExperimentSettings, nearest

MODEL_ENDING = ".safetensors"

FURTHEST_SCALE = 1.4
"""Largest ratio of pixel sizes at which structures still look alike to a network."""


@dataclass(frozen=True)
class InitialModel:
    """A model of another experiment that the training of a network begins from."""

    experiment: str
    channel: str
    network: str
    seed: int


def experiments_needed(settings: ExperimentSettings) -> dict[str, str]:
    """Return the names of the experiments that an experiment's networks begin from.

    The keys are those that name them, such as ``networks.gan.initialise_from``.
    """
    return {
        f"networks.{network}.initialise_from": source.split("/")[0]
        for network, source in _sources(settings)
        if not source.endswith(MODEL_ENDING)
    }


def initial_model(
    experiments: Mapping[str, Experiment], name: str, channel: str, network: str, seed: int
) -> InitialModel | Path | None:
    """Return the model that a training begins from, None where it begins at random.

    Parameters
    ----------
    experiments
        All that were loaded.
    name, channel, network, seed
        What is trained.

    Returns
    -------
    InitialModel, Path or None
        From another experiment: the channel of the same name, else its only one, and the network of
        the same name, unless ``initialise_from`` names others. The seed is the same where that
        experiment trains it, else its first. A path is returned as given.

    Raises
    ------
    InputError
        The channel, network or file does not exist.
    """
    source = experiments[name].networks[network].initialise_from
    if source is None:
        return None
    where = f"{name}: networks.{network}.initialise_from is {source!r}"
    if source.endswith(MODEL_ENDING):
        if not Path(source).is_file():
            raise InputError(f"{where}: there is no such file; correct the path")
        return Path(source)
    parts = source.split("/")
    if len(parts) > 3:
        raise InputError(
            f"{where}; give an experiment, experiment/channel, experiment/channel/network or the "
            f"path of a {MODEL_ENDING} file"
        )
    other = experiments[parts[0]]
    if len(parts) > 1:
        other_channel = _known(parts[1], other.channels, f"{where}: channel")
    elif channel in other.channels:
        other_channel = channel
    elif len(other.channels) == 1:
        other_channel = other.channels[0]
    else:
        raise InputError(
            f"{where}, which has the channels {', '.join(other.channels)} and none called "
            f"{channel!r}; name one, such as {other.name}/{other.channels[0]}"
        )
    wanted = parts[2] if len(parts) > 2 else network
    other_network = _known(wanted, list(other.networks), f"{where}: network")
    seeds = other.networks[other_network].seeds
    return InitialModel(
        other.name, other_channel, other_network, seed if seed in seeds else seeds[0]
    )


def check_initial_models(experiments: Mapping[str, Experiment]) -> None:
    """Check that every model to begin from is there and fits.

    Raises
    ------
    InputError
        A circle of experiments; a channel, network or file that is not there; another architecture
        or number of dimensions; pixels too far apart; or a model trained on fields that are
        blind-test fields here.
    """
    _check_circles(experiments)
    for experiment in experiments.values():
        for network, _ in _sources(experiment.settings):
            where = f"{experiment.name}: networks.{network}.initialise_from"
            for channel in experiment.channels:
                seed = experiment.networks[network].seeds[0]
                model = initial_model(experiments, experiment.name, channel, network, seed)
                if isinstance(model, InitialModel):
                    _check_fit(experiment, network, experiments[model.experiment], model, where)
                while isinstance(model, InitialModel):
                    _check_blind(experiment, channel, experiments[model.experiment], model, where)
                    # that model may itself have begun from another
                    model = initial_model(experiments, *astuple(model))


def _check_circles(experiments: Mapping[str, Experiment]) -> None:
    needed = {
        name: list(dict.fromkeys(experiments_needed(experiment.settings).values()))
        for name, experiment in experiments.items()
    }

    def follow(path: list[str]) -> None:
        for other in needed[path[-1]]:
            if other in path:
                circle = " -> ".join([*path[path.index(other) :], other])
                raise InputError(
                    f"{path[-1]}: networks.*.initialise_from goes in a circle, {circle}; delete "
                    "one of these"
                )
            follow([*path, other])

    for name in needed:
        follow([name])


def _check_fit(
    experiment: Experiment, network: str, other: Experiment, model: InitialModel, where: str
) -> None:
    """Check that the other model's weights fit into the network, and its pixels to the images."""
    if model.network != network:
        raise InputError(
            f"{where}: {model.network} of {other.name} is another network; {network} can begin "
            f"from a {network} alone"
        )
    if experiment.dims != other.dims:
        raise InputError(
            f"{where}: {other.name} has dims {other.dims}, {experiment.name} "
            f"{experiment.dims}; both must have the same"
        )
    here, there = (
        e.networks[name].architecture for e, name in ((experiment, network), (other, model.network))
    )
    for key in here.keys() | there.keys():
        if here.get(key) != there.get(key):
            raise InputError(
                f"{where}: {key} is {here.get(key)} here and {there.get(key)} in {other.name}; "
                "give both networks the same"
            )
    sizes_nm = [e.settings.modalities.target.pixel_size_nm for e in (experiment, other)]
    here_nm, there_nm = sizes_nm
    if here_nm and there_nm and max(here_nm / there_nm, there_nm / here_nm) > FURTHEST_SCALE:
        raise InputError(
            f"{where}: {experiment.name} has pixels of {here_nm:g} nm, {other.name} of "
            f"{there_nm:g} nm; a model helps where they differ by less than {FURTHEST_SCALE:g} x"
        )


def _check_blind(
    experiment: Experiment, channel: str, other: Experiment, model: InitialModel, where: str
) -> None:
    """Check that the other model has not seen this experiment's blind-test fields."""
    if experiment.simulated or other.simulated:
        return
    # the number identifies a part of an image only if both experiments cut it alike
    same_cut = experiment.settings.source.cut == other.settings.source.cut
    blind = _images(experiment, channel, ("test",), same_cut)
    seen = _images(other, model.channel, ("train", "validation"), same_cut)
    for image in sorted(blind.keys() & seen.keys()):
        raise InputError(
            f"{where}: {other.name} trains on {image[0]}, which is in the blind test of "
            f"{experiment.name} (field {blind[image]}); give it the same split in both sheets"
        )


def _images(
    experiment: Experiment, channel: str, splits: tuple[str, ...], by_part: bool
) -> dict[tuple[Path, int | None], str]:
    """Return the fields of some splits by (file, number of the part that is cut from it)."""
    return {
        (Path(file.path).resolve(), field.cut_index if by_part else None): field.name
        for field in (experiment.tiles if experiment.stitched else experiment.fields)
        if field.channel == channel and field.split in splits
        for file in (field.input, field.target)
        if file is not None
    }


def _known(name: str, names: list[str], where: str) -> str:
    if name not in names:
        raise InputError(f"{where} {name!r} is not there ({nearest(name, names)})")
    return name


def _sources(settings: ExperimentSettings) -> Iterator[tuple[str, str]]:
    """Yield (network, ``initialise_from``) where that is given."""
    for name, network in settings.networks.trained.items():
        if network.initialise_from is not None:
            yield name, network.initialise_from
