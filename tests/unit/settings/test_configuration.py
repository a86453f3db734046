from pathlib import Path

import pytest
import yaml

from crossres.jobs import InputError
from crossres.settings import load_config, load_experiment_settings

EXPERIMENTS = Path(__file__).resolve().parents[3] / "config" / "experiments"


def put(settings, key, value):
    """Set a value by its dotted key; None takes the key out."""
    *path, last = key.split(".")
    for name in path:
        settings = settings.setdefault(name, {})
    if value is None:
        del settings[last]
    else:
        settings[last] = value


@pytest.fixture
def load(settings, write_experiment):
    """Load the small experiment with some keys changed."""

    def load_with(scale="paper", **changes):
        for key, value in changes.items():
            put(settings, key.replace("__", "."), value)
        return load_experiment_settings("beads", scale, write_experiment(settings))

    return load_with


@pytest.fixture
def refusal(load):
    def refusal_of(key, value, scale="paper"):
        with pytest.raises(InputError) as fault:
            load(scale, **{key: value})
        assert "beads.yaml" in str(fault.value)
        return str(fault.value)

    return refusal_of


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("dims", 2),
        ("source.simulator.channel", "beads"),
        ("source.simulator.sample.diameter_nm", 20),
        ("modalities.input.residual_blur_nm", 0),
        ("preprocess.background.method", "none"),
        ("preprocess.interpolation_order", 1),
        ("registration.method", "shift"),
        ("registration.locate", False),
        ("registration.scheme", "spline"),
        ("registration.spacing_px", 48),
        ("registration.crop_px", 10),
        ("patches.size_px", 64),
        ("networks.cnn.batch", 12),
        ("networks.cnn.learning_rate", 1e-4),
        ("networks.cnn.seeds", (0,)),
        ("networks.gan.adversarial.learning_rate", None),
        ("networks.gan.adversarial.gradient_share", 0.3),
        ("deconvolution.nnls.step", 0.5),
        ("measure.spots.crop_px", 19),
    ],
)
def test_defaults_are_filled_in_with_the_papers_values(load, path, default):
    value = load(
        networks__gan={"iterations": 10, "adversarial": {}},
        deconvolution={"nnls": {}},
        measure={"spots": {}},
    )
    for name in path.split("."):
        value = getattr(value, name)
    assert value == default


@pytest.mark.parametrize(
    "path", ["deconvolution.nnls", "measure.spots", "networks.gan", "source.sheet"]
)
def test_what_has_no_default_stays_out(load, path):
    value = load()
    for name in path.split("."):
        value = getattr(value, name)
    assert value is None


def test_values_given_are_kept(load):
    assert load(patches__size_px=32).patches.size_px == 32


def test_settings_cannot_be_changed_once_they_are_read(load):
    with pytest.raises(ValueError, match="frozen"):
        load().patches.size_px = 5


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("patchs", "patches"),
        ("registration.metod", "method"),
        ("modalities.input.wavelenght_nm", "wavelength_nm"),
        ("modalities.target.camera.gian", "gain"),
        ("source.simulator.acquisition.fields.vaildation", "validation"),
        ("networks.cnn.learing_rate", "learning_rate"),
        ("networks.gan.adversarial.shares.msee", "mse"),
        ("networks.gan.adversarial.widht", "width"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(settings, refusal, key, nearest):
    settings["networks"]["gan"] = {"iterations": 10, "adversarial": {}}
    message = refusal(key, 1)
    assert f"{key}: unknown key" in message
    assert f"did you mean {nearest}?" in message
    assert "config/README.md" in message


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("source.simulator.field_px", "source.simulator.acquisition.field_px (pair, repeats"),
        ("source.simulator.density_per_um2", "source.simulator.sample.density_per_um2 (beads)"),
        ("registration.size_px", "patches.size_px and source.stitch.fields.size_px"),
        ("fwhm_nm", "measure.spots.fwhm_nm"),
    ],
)
def test_a_key_that_is_known_elsewhere_is_named_with_its_place(refusal, key, place):
    message = refusal(key, 1)
    assert f"{key}: unknown key here; it is known as " in message
    for part in place.split(" and "):
        assert part in message


def test_a_key_of_the_other_file_is_named_with_it(refusal):
    assert "device: unknown key here; it is one of config/config.yaml" in refusal("device", "cpu")


def test_of_several_faults_the_most_telling_is_named(load):
    # the misspelt key is missing too, and what lies before it in the file is wrong
    with pytest.raises(InputError) as fault:
        load(dims=7, modalities__input__na=None, modalities__input__nna=1.4)
    assert "modalities.input.nna: unknown key (did you mean na?" in str(fault.value)
    with pytest.raises(InputError, match=r"modalities\.input\.na is missing"):
        load(modalities__input__nna=None)


def test_an_unknown_network_is_named_with_the_nearest_known_one(refusal):
    message = refusal("networks.gna", {"iterations": 10})
    assert "networks.gna: unknown network" in message
    assert "did you mean gan?" in message


def test_a_key_like_no_other_is_answered_with_the_known_ones(refusal):
    message = refusal("registration.xyzzy", 1)
    assert "did you mean" not in message
    assert "known: crop_px, locate, max_deformation_px, max_residual_px, max_shift_nm" in message


@pytest.mark.parametrize(
    "key",
    ["title", "modalities", "modalities.target", "modalities.input.na",
     "modalities.input.camera.gain", "source.simulator.acquisition.fields.test"],
)  # fmt: skip
def test_a_missing_key_is_named(refusal, key):
    assert f"{key} is missing" in refusal(key, None)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("modalities.input.kind", "two-photon", "widefield, confocal, sted"),
        ("registration.method", "rigid", "shift, affine, elastic, none"),
        ("registration.scheme", "pyramid", "spline, blocks"),
        ("networks.cnn.schedule", "linear", "constant, cosine, halving"),
        ("dims", 4, "2, 3"),
        ("preprocess.interpolation_order", 2, "1, 3"),
    ],
)
def test_a_value_that_cannot_be_is_answered_with_those_that_can(refusal, key, value, allowed):
    assert f"{key} is {value!r}; it can be {allowed}" in refusal(key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [("patches.size_px", "64"), ("patches.size_px", 8), ("networks.cnn.iterations", 0),
     ("networks.cnn.learning_rate", -1e-3), ("networks.cnn.seeds", []),
     ("networks.cnn.seeds", [1, 1]), ("measure.spots.crop_px", 18), ("title", 5),
     ("source.simulator.channel", "GFP/2"), ("patches.percentiles", [2]), ("networks", "gan")],
)  # fmt: skip
def test_a_value_out_of_range_or_of_the_wrong_type_is_named(refusal, key, value):
    assert key in refusal(key, value)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("modalities.input.na", 1.515, ["modalities.input.na", "below", "refractive_index"]),
        ("modalities.input.kind", "confocal", ["modalities.input.excitation_nm is missing"]),
        ("modalities.target.pixel_size_nm", None, ["modalities.target.pixel_size_nm is missing"]),
        ("modalities.target.camera", None, ["modalities.target.camera is missing"]),
        ("source.sheet", "a.tsv", ["source needs one of", "it has simulator and sheet"]),
        ("source.simulator", None, ["source needs one of", "`sheet`", "it has none"]),
        ("preprocess.background", {"method": "region"}, ["preprocess.background.region"]),
        ("patches.percentiles", [99, 1], ["patches.percentiles", "low, then high"]),
        (
            "source.simulator.acquisition.fields.test",
            0,
            ["fields.test is 0; it must be at least 1"],
        ),
        ("patches.size_px", 109, ["patches.size_px is 109", "108 px left"]),
    ],
)
def test_keys_that_contradict_each_other_are_named(refusal, key, value, words):
    message = refusal(key, value)
    for word in words:
        assert word in message


def test_the_largest_patch_that_fits_is_allowed(load):
    # 128 px less 10 on either side
    assert load(patches__size_px=108).patches.size_px == 108


def test_demo_lies_over_the_rest_key_by_key(load):
    found = load(
        "demo",
        networks__cnn={"iterations": 500, "batch": 3, "seeds": [1, 2, 3]},
        demo={"networks": {"cnn": {"iterations": 7, "seeds": [9]}}, "patches": {"per_field": 5}},
    )
    # what demo names is its own, lists as a whole; what it does not name stays
    assert found.networks.cnn.iterations == 7
    assert found.networks.cnn.seeds == (9,)
    assert found.networks.cnn.batch == 3
    assert found.patches.per_field == 5
    assert found.patches.size_px == 64


def test_paper_scale_leaves_demo_out(load):
    found = load("paper", demo={"networks": {"cnn": {"iterations": 7}}})
    assert found.networks.cnn.iterations == 10


def test_an_unknown_key_of_demo_is_refused(refusal):
    message = refusal("demo", {"networks": {"cnn": {"iteratons": 7}}}, scale="demo")
    assert "networks.cnn.iteratons: unknown key" in message


@pytest.mark.parametrize("scale", ["demo", "paper"])
@pytest.mark.parametrize("demo", ["5", "[1, 2]", "small"])
def test_a_demo_that_is_no_mapping_is_refused(settings, write_experiment, demo, scale):
    text = yaml.safe_dump(settings) + f"demo: {demo}\n"
    with pytest.raises(InputError, match=r"beads\.yaml: demo"):
        load_experiment_settings("beads", scale, write_experiment(text))


@pytest.mark.parametrize("scale", ["demo", "paper"])
def test_an_empty_demo_changes_nothing(settings, write_experiment, scale):
    folder = write_experiment(yaml.safe_dump(settings) + "demo:\n")
    assert load_experiment_settings("beads", scale, folder).networks.cnn.iterations == 10


def test_an_unknown_experiment_is_answered_with_the_nearest(settings, write_experiment):
    folder = write_experiment(settings, "confocal_sted_beads")
    with pytest.raises(InputError) as fault:
        load_experiment_settings("confocal_sted_bead", "demo", folder)
    assert "'confocal_sted_bead'" in str(fault.value)
    assert "did you mean confocal_sted_beads?" in str(fault.value)


def test_an_experiment_can_be_a_path(settings, write_experiment):
    path = write_experiment(settings, "mine") / "mine.yaml"
    found = load_experiment_settings(str(path), "demo", path.parent.parent)
    assert found.title == "Beads"


@pytest.mark.parametrize(
    ("text", "word"),
    [("title: [", "not valid YAML"), ("", "no settings"), ("- a\n", "no settings")],
)
def test_a_file_that_is_no_mapping_of_settings_is_refused(write_experiment, text, word):
    with pytest.raises(InputError) as fault:
        load_experiment_settings("beads", "demo", write_experiment(text))
    assert "beads.yaml" in str(fault.value)
    assert word in str(fault.value)


@pytest.mark.parametrize("scale", ["demo", "paper"])
@pytest.mark.parametrize("name", [path.stem for path in sorted(EXPERIMENTS.glob("*.yaml"))])
def test_experiments_of_the_repository_are_valid(name, scale):
    assert load_experiment_settings(name, scale, EXPERIMENTS).title


def test_configuration_has_its_defaults():
    defaults = {"experiments": ("beads",), "scale": "demo", "fields_per_job": 50,
                "device": "auto", "gpus_per_training": 1, "keep_stages": False}  # fmt: skip
    assert load_config({"experiments": ["beads"]}).as_params() == defaults


@pytest.mark.parametrize(
    ("given", "experiments"),
    [("beads", ("beads",)), ("beads, mine.yaml", ("beads", "mine.yaml")), (20240115, ("20240115",)),
     ([20240115, "beads"], ("20240115", "beads"))],
)  # fmt: skip
def test_the_command_line_may_name_experiments_without_brackets(given, experiments):
    assert load_config({"experiments": given}).experiments == experiments


@pytest.mark.parametrize(("given", "kept"), [("true", True), ("False", False), (True, True)])
def test_the_command_line_gives_true_and_false_as_texts(given, kept):
    assert load_config({"experiments": "beads", "keep_stages": given}).keep_stages is kept


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "experiments is missing"),
        ({"experiments": []}, "experiments"),
        ({"experiments": ["a", "a"]}, "experiments"),
        ({"experiments": None}, "experiments"),
        ({"experiments": ["a"], "networks": {}}, "is one of an experiment's file"),
        ({"experiments": "a,a"}, "experiments names a twice"),
        ({"experiments": ["a"], "scal": "demo"}, "did you mean scale?"),
        ({"experiments": ["a"], "scale": "full"}, "scale is 'full'; it can be demo, paper"),
        ({"experiments": ["a"], "device": "gpu"}, "device is 'gpu'; it can be auto, cpu, cuda"),
        ({"experiments": ["a"], "fields_per_job": 0}, "fields_per_job"),
        ({"experiments": ["a"], "gpus_per_training": 0}, "gpus_per_training"),
    ],
)
def test_faults_of_the_configuration_are_named(config, words):
    with pytest.raises(InputError) as fault:
        load_config(config)
    assert words in str(fault.value)
