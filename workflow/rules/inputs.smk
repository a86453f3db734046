# What the rules of each stage are given: input functions and params, stage by stage.

MEASURED_SPLITS = ("train", "validation", "test")
FIGURE = f"{CHANNEL}/figures"
RESTORED = f"{CHANNEL}/restored/{{restoration}}"


# simulate


def numbered_fields(wildcards):
    """Name each field of a batch with its number in the whole acquisition, which seeds it.

    Splits are numbered apart, so that more training fields leave the test fields as they are. Of
    stage scans the scenes are named and numbered.
    """
    offset = {"train": 0, "validation": 10**6, "test": 2 * 10**6}
    split, _ = wildcards.batch.split("_")
    experiment = experiment_of(wildcards)
    key = "scene" if experiment.stitched else "name"
    everything, here = (
        list(dict.fromkeys(getattr(field, key) for field in fields))
        for fields in (
            experiment.in_split(wildcards.channel, split),
            experiment.in_batch(wildcards.channel, wildcards.batch),
        )
    )
    return [(name, offset[split] + everything.index(name)) for name in here]


def simulator_of(wildcards):
    """The number of fields or scenes is no setting of any one of them.

    Nor does another channel's stain concern this one: only how far its filter shifts, as all
    channels have one sample.
    """
    source = settings_of(wildcards, "source")
    simulator = dict(source.get("simulator") or source["scan_simulator"])
    for key in ("fields", "scenes"):
        simulator.pop(key, None)
    if "channels" in simulator:
        simulator["channels"] = {
            name: (
                stain
                if name == wildcards.channel
                else {"filter_shift_px": stain["filter_shift_px"]}
            )
            for name, stain in simulator["channels"].items()
        }
    return simulator


def modality_of(role):
    """Return a params function for one modality, its wavelength that of the channel."""
    return lambda wildcards: modalities_of(wildcards)[role]


def modalities_of(wildcards):
    """Both modalities as they are in one channel."""
    found = {}
    for role, modality in settings_of(wildcards, "modalities").items():
        wavelength_nm = modality["wavelength_nm"]
        if isinstance(wavelength_nm, dict):
            wavelength_nm = wavelength_nm[wildcards.channel]
        found[role] = {**modality, "wavelength_nm": wavelength_nm}
    return found


# preprocess


def images_of(wildcards, batch, role):
    """What a microscope took of a batch: whole fields, or the tiles of its scene."""
    experiment = experiment_of(wildcards)
    if experiment.stitched:
        return experiment.tiles_in_batch(wildcards.channel, batch, role)
    return experiment.in_batch(wildcards.channel, batch)


def name_of(image):
    """Name of an imported image: the field's, or the tile's."""
    return image.name if image.tile is None else tile_name(image.scene, *image.tile)


def image_names(wildcards):
    return [name_of(i) for i in images_of(wildcards, wildcards.batch, wildcards.role)]


def raw_images(wildcards):
    """A simulated batch's folder, or the files that a sheet names."""
    if experiment_of(wildcards).simulated:
        return f"{CHANNEL}/raw/{wildcards.role}/{{batch}}"
    images = images_of(wildcards, wildcards.batch, wildcards.role)
    return sorted({getattr(image, f"{wildcards.role}_path") for image in images})


def rows_to_import(wildcards):
    """What import_images needs to know of each image of a batch."""
    simulated = experiment_of(wildcards).simulated
    folder = f"{CHANNEL}/raw/{{role}}/{{batch}}".format(**wildcards)
    return [
        {
            "name": name_of(image),
            "path": (
                f"{folder}/{name_of(image)}.tif"
                if simulated
                else getattr(image, f"{wildcards.role}_path")
            ),
            "pixel_size_nm": getattr(image, f"{wildcards.role}_pixel_size_nm"),
            "cut_index": image.cut_index,
            "where": f"line {image.row}",
        }
        for image in images_of(wildcards, wildcards.batch, wildcards.role)
    ]


def reference_names(role=None):
    """Return a params function for the images of the first training batch, which give constants."""

    def names(wildcards):
        images = images_of(wildcards, "train_000", role or wildcards.role)
        return [name_of(image) for image in images]

    return names


def without_background(role, batch="{batch}"):
    """Return an input function for a batch as registration and restoration take it."""

    def folder(wildcards):
        method = settings_of(wildcards, "preprocess", "background", "method")
        stage = "imported" if method == "none" else "subtracted"
        return f"{CHANNEL}/{stage}/{role}/{batch}"

    return folder


# stitch and register


def tiles_of_scenes(wildcards):
    """(scene, row, column) of every tile of a batch."""
    tiles = images_of(wildcards, wildcards.batch, wildcards.role)
    return [(tile.scene, *tile.tile) for tile in tiles]


def scenes_of_fields(wildcards):
    """The scene of each field of a batch, None where fields are not cut from scans."""
    batch = experiment_of(wildcards).in_batch(wildcards.channel, wildcards.batch)
    return {field.name: field.scene for field in batch}


def positions_of_tiles(wildcards):
    """Where a scene's tiles lie, as found in its own channel or in the one named for all."""
    channel = settings_of(wildcards, "source", "stitch", "channel") or wildcards.channel
    return f"{CHANNEL}/tiles/{{role}}/{{batch}}.csv".replace("{channel}", channel)


def fields_to_upsample(wildcards):
    if experiment_of(wildcards).stitched:
        return f"{CHANNEL}/cut/{{batch}}"
    return without_background("input")(wildcards)


def targets_to_register(wildcards):
    """The target fields of a batch, or the mosaic that they are part of."""
    if experiment_of(wildcards).stitched:
        return f"{CHANNEL}/stitched/target/{{batch}}"
    return without_background("target")(wildcards)


def places_of_fields(wildcards):
    """What tells where each target lies: the images it is part of, and where fields were cut."""
    if experiment_of(wildcards).stitched:
        return {
            "within": f"{CHANNEL}/stitched/input/{{batch}}",
            "cut": f"{CHANNEL}/cut/{{batch}}",
        }
    if settings_of(wildcards, "registration", "locate"):
        return {"within": without_background("input")(wildcards)}
    return {}


# train


def network_settings(wildcards):
    """Settings of one network, and what shows something in a patch.

    How many seeds are trained concerns none of them; what it begins from is an input.
    """
    elsewhere = ("seeds", "initialise_from")
    network = settings_of(wildcards, "networks", wildcards.network)
    patches = settings_of(wildcards, "patches")
    return {
        **{key: network[key] for key in network if key not in elsewhere},
        **{key: patches[key] for key in ("foreground_level", "foreground_fraction")},
    }


def initial_models(wildcards):
    """The model of another experiment that a training begins from, if any."""
    found = initial_model(
        EXPERIMENTS,
        wildcards.experiment,
        wildcards.channel,
        wildcards.network,
        int(wildcards.seed),
    )
    if isinstance(found, InitialModel):
        channel = CHANNEL.format(experiment=found.experiment, channel=found.channel)
        return [f"{channel}/models/{found.network}/seed_{found.seed}/model.safetensors"]
    return [] if found is None else [str(found)]


# restore

try:
    NEW_FOLDER = new_folder(CONFIG)
    NEW = (
        {"models": new_models(CONFIG), "images": new_images(CONFIG)}
        if CONFIG["model"] is not None
        else {}
    )
except InputError as error:
    raise WorkflowError(str(error)) from None

if NEW and (skipped := skipped_files(CONFIG)):
    print(
        f"crossres: skipped: {len(skipped)} files that are no TIFF, such as {skipped[0]}",
        file=sys.stderr,
    )


def models_of(wildcards):
    """The models behind a restoration: <network>, <network>.seed_<n> or <network>_ensemble."""
    runs = {
        name: (method, seed)
        for name, method, seed in experiment_of(wildcards).restorations()
    }
    network, seed = runs[wildcards.restoration]
    seeds = [seed]
    if seed is None:
        network = network.removesuffix("_ensemble")
        seeds = settings_of(wildcards, "networks", network, "seeds")
    return [f"{CHANNEL}/models/{network}/seed_{n}/model.safetensors" for n in seeds]


def without_spread():
    """Pattern of the experiments whose fields are restored in one orientation."""
    names = [
        re.escape(name)
        for name, experiment in EXPERIMENTS.items()
        if not experiment.settings["restoration"]["self_ensemble"]
    ]
    return "|".join(names) or "none"


def new_files(kind):
    """Return an input function for the files that restore_new is asked for, by their kind.

    Snakemake would take braces in their names for wildcards, and has no way to write them.
    """

    def files(wildcards):
        if CONFIG["model"] is None:
            raise WorkflowError(f"restore_new: model is missing, as in `{USAGE}`")
        return [str(path) for path in NEW[kind] if not has_braces(str(path))]

    return files


def new_paths(kind):
    """Return a params function for all of them, with the time of those that are no input."""

    def paths(wildcards):
        return {
            str(path): path.stat().st_mtime_ns if has_braces(str(path)) else None
            for path in NEW.get(kind, [])
        }

    return paths


def new_settings(wildcards):
    """How new images are restored, and what is said of them."""
    keys = (
        "memory_gb",
        "self_ensemble",
        "pixel_size_nm",
        "z_step_nm",
        "axes",
        "channel",
        "background",
    )
    return {key: CONFIG[key] for key in keys}


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


def further_scans(wildcards):
    """Where the target's microscope scanned more than once, folders with the scans after the first.

    They are truth: what is restored and what is trained on know of the first alone.
    """
    simulator = settings_of(wildcards, "source").get("simulator", {})
    if simulator.get("nuclei", {}).get("scans", 1) == 1:
        return []
    return batch_folders(f"{CHANNEL}/truth/{{batch}}", "test")(wildcards)


def registration_truth(wildcards):
    """What tells how far the registration of every field is off the simulator's truth."""
    patterns = {
        "truth": f"{CHANNEL}/truth/{{batch}}",
        "registration": f"{CHANNEL}/registration/{{batch}}.csv",
    }
    if experiment_of(wildcards).stitched:
        channel = settings_of(wildcards, "source", "stitch", "channel")
        tiles = f"{CHANNEL}/tiles".replace("{channel}", channel or "{channel}")
        patterns |= {
            "registered": f"{CHANNEL}/registered/{{batch}}",
            "displacements": f"{CHANNEL}/displacement/{{batch}}",
            "cut": f"{CHANNEL}/cut/{{batch}}",
            "input_tiles": f"{tiles}/input/{{batch}}.csv",
            "target_tiles": f"{tiles}/target/{{batch}}.csv",
        }
    return {
        name: batch_folders(pattern, *MEASURED_SPLITS)(wildcards)
        for name, pattern in patterns.items()
    }


def registration_errors(experiment, channel):
    """The table of registration errors against the truth, which real images lack."""
    if not experiment.simulated:
        return []
    folder = CHANNEL.format(experiment=experiment.name, channel=channel)
    return [f"{folder}/registration_error.csv"]


def evidence_paths():
    """Tables by experiment and channel that claims are judged by."""
    found = {}
    for name, experiment in ASKED.items():
        for channel in experiment.channels if experiment.restores else []:
            folder = CHANNEL.format(experiment=name, channel=channel)
            found.setdefault(name, {})[channel] = {
                "metrics": f"{folder}/metrics.csv",
                "structures": f"{folder}/structures.csv",
                "registration_error": registration_errors(experiment, channel),
                "parameters": {
                    method: f"{folder}/deconvolution/{method}/parameters.json"
                    for method in experiment.baselines
                },
                "histories": {
                    network: [
                        f"{folder}/models/{network}/seed_{seed}/history.csv"
                        for seed in settings["seeds"]
                    ]
                    for network, settings in experiment.settings["networks"].items()
                },
            }
    return found


def evidence_files():
    return [
        path
        for channels in evidence_paths().values()
        for tables in channels.values()
        for path in (
            tables["metrics"],
            tables["structures"],
            *tables["registration_error"],
            *tables["parameters"].values(),
            *chain.from_iterable(tables["histories"].values()),
        )
    ]


def report_channels():
    """What the summary says of each channel, beside its tables."""
    found = []
    for name, experiment in ASKED.items():
        for channel in experiment.channels:
            folder = CHANNEL.format(experiment=name, channel=channel)
            found.append(
                {
                    "experiment": name,
                    "channel": channel,
                    "title": experiment.settings["title"],
                    "data": "simulated" if experiment.simulated else "measured",
                    "cut": experiment.settings["source"].get("cut"),
                    "metrics": (
                        f"{folder}/metrics.csv" if experiment.restores else None
                    ),
                    "structures": (
                        f"{folder}/structures.csv" if experiment.restores else None
                    ),
                    "registration": f"{folder}/registration.csv",
                    "registration_error": registration_errors(experiment, channel),
                    "parameters": [
                        f"{folder}/deconvolution/{method}/parameters.json"
                        for method in experiment.baselines
                    ],
                }
            )
    return found


def report_tables():
    """The tables that the summary is written from."""
    keys = ("metrics", "structures", "registration")
    found = [channel[key] for channel in report_channels() for key in keys]
    for channel in report_channels():
        found += channel["registration_error"] + channel["parameters"]
    return [path for path in found if path is not None]


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
    names = ["registration"]
    if not experiment.restores:
        return names
    names += ["snr", "quality", "examples"]
    names += ["losses"] if experiment.networks else []
    names += ["deconvolution"] if experiment.baselines else []
    names += ["fwhm", "profiles"] if "spots" in experiment.settings["measure"] else []
    return names


def packages_of(experiment):
    """Packages for other programs: of every trained model."""
    return [
        f"{CHANNEL}/models/{network}/seed_{seed}/model.bioimageio.zip".format(
            experiment=experiment.name, channel=channel
        )
        for channel in experiment.channels
        for network, settings in experiment.settings["networks"].items()
        for seed in settings["seeds"]
    ]


def all_results():
    """Everything that `snakemake --cores all` makes."""
    if CONFIG["model"] is not None:
        return rules.restore_new.output
    results = ["results/claims.csv", "results/summary.html"]
    results += report_tables()
    for name, experiment in ASKED.items():
        results += [
            f"{FIGURE}/{figure}.png".format(experiment=name, channel=channel)
            for channel in experiment.channels
            for figure in figures_of(experiment)
        ]
        results += packages_of(experiment)
    return results
