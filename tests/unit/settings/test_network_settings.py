"""Settings of the networks: each has defaults of its own, and keys that depend on each other."""

import pytest

from crossres.jobs import InputError
from crossres.settings import load_experiment_settings

EVERY = ["gan", "cnn", "rcan", "tcan", "dfcan", "care", "srresnet", "esrgan"]
BALANCED = ["gan", "tcan"]
RECIPES = {
    # Wang 2019: Adam at 1e-4 and 1e-5, twelve patches on each GPU, the MSE 1-10 % of the loss
    "gan": {"learning_rate": 1e-4, "batch": 12, "loss": {"mse": 1}, "schedule": "constant",
            "adversarial": {"kind": "standard", "learning_rate": 1e-5, "shares": {"mse": 0.05},
                            "downsample": False, "fully_connected": 2, "blocks": 5}},
    "cnn": {"learning_rate": 1e-4, "batch": 12, "loss": {"mse": 1}, "adversarial": None},
    # Chen 2021: MAE, Adam at 1e-4, halved four times over the run
    "rcan": {"learning_rate": 1e-4, "loss": {"mae": 1}, "schedule": "halving", "halvings": 4,
             "augment": True, "groups": 5, "blocks": 3, "width": 32, "reduction": 8,
             "adversarial": None},
    # Huang 2023, eq. 10-12 and Training
    "tcan": {"learning_rate": 1e-4, "batch": 2, "augment": True, "loss": {"mse": 1, "ssim": 1},
             "adversarial": {"kind": "relativistic", "learning_rate": 5e-5, "weight": 1,
                             "downsample": True, "fully_connected": 3, "blocks": 5, "shares": {}}},
    "dfcan": {"learning_rate": 1e-4, "loss": {"mse": 1, "ssim": 0.1}, "adversarial": None},
    # Chen 2021's comparators
    "care": {"learning_rate": 2e-4, "loss": {"mae": 1}, "depth": 2, "width": 32,
             "adversarial": None},
    "srresnet": {"learning_rate": 2e-4, "betas": (0.9, 0.99), "loss": {"mse": 1}, "blocks": 16,
                 "width": 64, "adversarial": None},
    "esrgan": {"learning_rate": 1e-4, "schedule": "halving", "halvings": 9, "loss": {"mae": 1},
               "adversarial": {"kind": "relativistic_average", "blocks": 4, "learning_rate": 1e-4,
                               "width": 64, "leading_convolution": False}},
}  # fmt: skip


@pytest.fixture
def load(settings, write_experiment):
    """Load one network's settings, with what is given of it, and of all networks at demo scale."""

    def load_network(name, given=None, scale="paper", demo=None, **patches):
        settings["networks"] = {name: {"iterations": 10, **(given or {})}}
        settings["patches"] = patches
        if demo is not None:
            settings["demo"] = {"networks": {name: demo}}
        found = load_experiment_settings("beads", scale, write_experiment(settings))
        return getattr(found.networks, name)

    return load_network


@pytest.fixture
def refusal(load):
    def refusal_of(name, given, **patches):
        with pytest.raises(InputError) as fault:
            load(name, given, **patches)
        assert "beads.yaml" in str(fault.value)
        return str(fault.value)

    return refusal_of


def only(settings, recipe):
    """The settings that a recipe names, those of the discriminator likewise."""
    found = {key: getattr(settings, key) for key in recipe}
    if recipe.get("adversarial"):
        found["adversarial"] = only(settings.adversarial, recipe["adversarial"])
    return found


@pytest.mark.parametrize("name", EVERY)
def test_every_network_has_the_recipe_of_its_paper(load, name):
    given = {"adversarial": {"recipe": "published"}} if name in BALANCED else {}
    assert only(load(name, given), RECIPES[name]) == RECIPES[name]


@pytest.mark.parametrize("name", BALANCED)
def test_a_discriminator_whose_printed_loss_paints_noise_is_balanced(load, name):
    found = load(name, {"iterations": 1000, "learning_rate": 3e-4})
    assert found.adversarial.kind == "relativistic"
    assert found.adversarial.gradient_share == 0.3
    assert found.adversarial.camera_noise
    assert found.adversarial.gradient_penalty == 0.1
    assert found.adversarial.shares == {}
    # half of the iterations without it, a tenth of them for it alone, and the generator's rate
    assert found.joining == (500, 100, 3e-4)
    assert load(name, {"iterations": 10**5}).joining == (50000, 150, 1e-4)


@pytest.mark.parametrize("name", BALANCED)
def test_what_is_given_beside_a_recipe_comes_before_it(load, name):
    given = {"recipe": "published", "learning_rate": 2e-5, "camera_noise": True}
    found = load(name, {"adversarial": given})
    assert (found.joining.learning_rate, found.adversarial.camera_noise) == (2e-5, True)
    again = type(found)(**found.as_params())
    assert again == found


def test_shares_of_the_loss_take_the_place_of_that_of_the_gradient(load):
    found = load("gan", {"adversarial": {"shares": {"mse": 0.9}}}).adversarial
    assert (found.gradient_share, found.shares) == (None, {"mse": 0.9})


@pytest.mark.parametrize("name", EVERY)
def test_every_network_has_what_all_have(load, name):
    found = load(name)
    assert found.seeds == (0,)
    assert found.precision == "auto"
    assert found.crop_px is None
    assert found.initialise_from is None
    assert found.rate_warm_up_iterations == 0
    assert found.validate_every == 1000


def test_what_is_given_comes_before_the_recipe(load):
    found = load("rcan", {"batch": 3, "schedule": "constant"})
    assert (found.batch, found.schedule, found.augment) == (3, "constant", True)


def test_a_loss_given_replaces_the_recipes_whole(load):
    assert load("tcan", {"loss": {"mae": 2}}).loss == {"mae": 2}


def test_shares_given_replace_the_recipes_whole(load):
    given = {"loss": {"log_ssim": 1}, "adversarial": {"shares": {"log_ssim": 0.1}}}
    assert load("gan", given).adversarial.shares == {"log_ssim": 0.1}
    assert load("gan", {"adversarial": {"shares": {}}}).adversarial.shares == {}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 0),
        ({"initialise_from": "confocal_sted_beads"}, 100),
        ({"initialise_from": "confocal_sted_beads", "rate_warm_up_iterations": 0}, 0),
        ({"rate_warm_up_iterations": 7}, 7),
    ],
)
def test_a_model_that_is_fine_tuned_begins_slowly(load, given, expected):
    assert load("cnn", given).rate_warm_up_iterations == expected


def test_a_loss_of_the_demo_replaces_the_other_one_whole(load):
    given = {"loss": {"mse": 1, "ssim": 0.2}}
    assert load("rcan", given, "demo", demo={"loss": {"mae": 3}}).loss == {"mae": 3}
    assert load("rcan", given, "demo", demo={"batch": 3}).loss == given["loss"]


def test_of_a_discriminator_what_is_not_given_stays_the_recipes(load):
    found = load("tcan", {"adversarial": {"width": 8}}).adversarial
    assert found.width == 8
    assert (found.kind, found.fully_connected) == ("relativistic", 3)


@pytest.mark.parametrize("name", ["gan", "tcan", "esrgan"])
def test_null_trains_without_the_discriminator(load, name):
    assert load(name, {"adversarial": None}).adversarial is None


def test_an_empty_section_gives_a_network_the_usual_discriminator(load):
    found = load("rcan", {"adversarial": {}}).adversarial
    assert (found.kind, found.width, found.shares) == ("standard", 32, {})


def test_a_network_without_discriminator_takes_none(refusal):
    message = refusal("cnn", {"adversarial": {"width": 8}})
    assert "networks.cnn.adversarial does not belong there" in message


@pytest.mark.parametrize(
    ("name", "key", "nearest"),
    [
        ("rcan", "group", "groups"),
        ("rcan", "learning_rat", "learning_rate"),
        ("tcan", "gama", "gamma"),
        ("care", "dept", "depth"),
    ],
)
def test_an_unknown_key_of_a_network_is_named_with_its_nearest(refusal, name, key, nearest):
    message = refusal(name, {key: 1})
    assert f"networks.{name}.{key}: unknown key" in message
    assert f"did you mean {nearest}?" in message
    assert "known: adversarial, augment, batch" in message


def test_a_key_of_another_network_is_named_with_it(refusal):
    message = refusal("gan", {"reduction": 1})
    assert "networks.gan.reduction: unknown key here; it is known as networks.rcan.red" in message


def test_an_unknown_term_of_a_loss_is_named_with_its_nearest(refusal):
    message = refusal("rcan", {"loss": {"logssim": 1}})
    assert "networks.rcan.loss.logssim: unknown key (did you mean log_ssim?" in message


def test_a_wrong_value_is_named_beside_keys_that_are_right(refusal):
    message = refusal("rcan", {"groups": 2, "batch": 0, "seeds": [1]})
    assert "networks.rcan.batch" in message
    assert "known" not in message


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("cnn", {"crop_px": 65}, ["networks.cnn.crop_px is 65", "patches.size_px (64)"]),
        ("cnn", {"loss": {"mse": 0, "mae": 0}}, ["networks.cnn.loss has no term above 0"]),
        ("cnn", {"loss": {}}, ["networks.cnn.loss"]),
        ("cnn", {"loss": {"mse": -1}}, ["networks.cnn.loss.mse"]),
        ("gan", {"adversarial": {"shares": {"mse": 0.6, "log_ssim": 0.4}}},
         ["networks.gan.adversarial.shares sum to 1", "less than 1"]),
        ("gan", {"adversarial": {"shares": {"mse": 1}}}, ["networks.gan.adversarial.shares.mse"]),
        ("gan", {"loss": {"mae": 1, "mse": 1, "ssim": 0.5}, "adversarial": {"recipe": "published"}},
         ["networks.gan.loss has mae and ssim", "adversarial.shares lacks"]),
        ("gan", {"adversarial": {"warm_up_iterations": 4, "alone_iterations": 6}},
         ["would never meet its discriminator", "4 iterations of warm-up and 6 of"]),
        ("gan", {"adversarial": {"warm_up_iterations": 10}},
         ["networks.gan.adversarial.warm_up_iterations is 10", "below iterations (10)"]),
        ("tcan", {"adversarial": {"kind": "wasserstein"}},
         ["networks.tcan.adversarial.kind is 'wasserstein'",
          "standard, relativistic, relativistic_average"]),
        ("rcan", {"precision": "float16"}, ["precision is 'float16'", "auto, float32, bfloat16"]),
        ("rcan", {"betas": [0.9, 1]}, ["networks.rcan.betas"]),
    ],
)  # fmt: skip
def test_keys_of_a_network_that_contradict_each_other_are_named(refusal, name, given, words):
    message = refusal(name, given)
    for word in words:
        assert word in message


def test_a_crop_as_large_as_the_patch_is_allowed(load):
    assert load("cnn", {"crop_px": 48}, size_px=48).crop_px == 48


def test_shares_just_below_the_whole_are_allowed(load):
    shares = {"mse": 0.9, "log_ssim": 0.09}
    assert load("gan", {"adversarial": {"shares": shares}}).adversarial.shares == shares


def test_a_wrong_crop_of_the_demo_is_refused_at_paper_scale_too(load):
    with pytest.raises(InputError, match=r"networks\.cnn\.crop_px is 128"):
        load("cnn", scale="paper", demo={"crop_px": 128})
