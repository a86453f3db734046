# What the rules of each stage are given: input functions and params, stage by stage.

MEASURED_SPLITS = ("train", "validation", "test")
FIGURE = f"{CHANNEL}/figures"
RESTORED = f"{CHANNEL}/restored/{{restoration}}"


# simulate


def numbered_fields(wildcards):
    """Name each field of a batch with its number in the whole acquisition, which seeds it.

    Splits are numbered apart, so that more training fields leave the test fields as they are.
    """
    offset = {"train": 0, "validation": 10**6, "test": 2 * 10**6}
    split, _ = wildcards.batch.split("_")
    names = [
        f.name for f in experiment_of(wildcards).in_split(wildcards.channel, split)
    ]
    return [
        (name, offset[split] + names.index(name)) for name in field_names(wildcards)
    ]


def simulator_of(wildcards):
    """The number of fields is no setting of any one of them."""
    simulator = settings_of(wildcards, "source", "simulator")
    return {key: value for key, value in simulator.items() if key != "fields"}


# preprocess


def raw_images(wildcards):
    """A simulated batch's folder, or the files that a sheet names."""
    experiment = experiment_of(wildcards)
    if experiment.simulated:
        return f"{CHANNEL}/raw/{wildcards.role}/{{batch}}"
    batch = experiment.in_batch(wildcards.channel, wildcards.batch)
    return sorted({getattr(field, f"{wildcards.role}_path") for field in batch})


def rows_to_import(wildcards):
    """What import_images needs to know of each field of a batch."""
    experiment = experiment_of(wildcards)
    folder = f"{CHANNEL}/raw/{{role}}/{{batch}}".format(**wildcards)
    return [
        {
            "name": field.name,
            "path": getattr(field, f"{wildcards.role}_path")
            or f"{folder}/{field.name}.tif",
            "pixel_size_nm": getattr(field, f"{wildcards.role}_pixel_size_nm"),
            "cut_index": field.cut_index,
            "where": f"line {field.row}",
        }
        for field in experiment.in_batch(wildcards.channel, wildcards.batch)
    ]


def reference_names(wildcards):
    """Fields of the first batch of the training split, from which constants are taken."""
    batch = experiment_of(wildcards).in_batch(wildcards.channel, "train_000")
    return [field.name for field in batch]


def without_background(role, batch="{batch}"):
    """Return an input function for a batch as registration and restoration take it."""

    def folder(wildcards):
        method = settings_of(wildcards, "preprocess", "background", "method")
        stage = "imported" if method == "none" else "subtracted"
        return f"{CHANNEL}/{stage}/{role}/{batch}"

    return folder


# train


def network_settings(wildcards):
    """Settings of one network; how many seeds are trained concerns none of them."""
    network = settings_of(wildcards, "networks", wildcards.network)
    return {key: value for key, value in network.items() if key != "seeds"}


# restore


def model_of(wildcards):
    """The model behind the name of a restoration: <network>, or <network>.seed_<n>."""
    restorations = experiment_of(wildcards).restorations()
    network, seed = {name: run for name, *run in restorations}[wildcards.restoration]
    return f"{CHANNEL}/models/{network}/seed_{seed}/model.safetensors"


# measure


def restored_folders(wildcards):
    """Folders of every restoration of a channel."""
    names = [name for name, _, _ in experiment_of(wildcards).restorations()]
    return expand(RESTORED, restoration=names, allow_missing=True)


def shown_folders(wildcards):
    """Folders of one restoration a method: what figures of images show."""
    experiment = experiment_of(wildcards)
    names = [name for name, method, _ in experiment.restorations() if name == method]
    return expand(RESTORED, restoration=names, allow_missing=True)


def truth_folders(wildcards):
    """The simulator's truth of the test fields; real images have none."""
    if not experiment_of(wildcards).simulated:
        return []
    return batch_folders(f"{CHANNEL}/truth/{{batch}}", "test")(wildcards)


def evidence_paths():
    """Tables by experiment that claims are judged by: those of its first channel."""
    found = {}
    for name, experiment in EXPERIMENTS.items():
        folder = CHANNEL.format(experiment=name, channel=experiment.channels[0])
        found[name] = {
            "metrics": f"{folder}/metrics.csv",
            "structures": f"{folder}/structures.csv",
            "histories": {
                network: f"{folder}/models/{network}/seed_{settings['seeds'][0]}/history.csv"
                for network, settings in experiment.settings["networks"].items()
            },
        }
    return found


def flattened(evidence):
    return [
        path
        for tables in evidence.values()
        for path in (
            tables["metrics"],
            tables["structures"],
            *tables["histories"].values(),
        )
    ]


def report_channels():
    """What the summary says of each channel, beside its tables."""
    found = []
    for name, experiment in EXPERIMENTS.items():
        for channel in experiment.channels:
            folder = CHANNEL.format(experiment=name, channel=channel)
            found.append(
                {
                    "experiment": name,
                    "channel": channel,
                    "title": experiment.settings["title"],
                    "data": "simulated" if experiment.simulated else "measured",
                    "cut": experiment.settings["source"].get("cut"),
                    "metrics": f"{folder}/metrics.csv",
                    "structures": f"{folder}/structures.csv",
                    "registration": f"{folder}/registration.csv",
                    "parameters": [
                        f"{folder}/deconvolution/{method}/parameters.json"
                        for method in experiment.baselines
                    ],
                }
            )
    return found


# plot and report


def history_tables(wildcards):
    """Histories of every network and seed of a channel."""
    return [
        f"{CHANNEL}/models/{network}/seed_{seed}/history.csv"
        for _, network, seed in experiment_of(wildcards).restorations()
        if seed is not None
    ]


def figures_of(experiment):
    """Names of the figures that an experiment has something to show in."""
    names = ["snr", "quality", "examples"]
    names += ["losses"] if experiment.networks else []
    names += ["deconvolution"] if experiment.baselines else []
    names += ["fwhm", "profiles"] if "spots" in experiment.settings["measure"] else []
    return names


def all_results():
    """Everything that `snakemake --cores all` makes."""
    results = ["results/claims.csv", "results/summary.html"]
    results += per_channel([f"{CHANNEL}/registration.csv", f"{CHANNEL}/metrics.csv"])
    for name, experiment in EXPERIMENTS.items():
        results += [
            f"{FIGURE}/{figure}.png".format(experiment=name, channel=channel)
            for channel in experiment.channels
            for figure in figures_of(experiment)
        ]
    return results
