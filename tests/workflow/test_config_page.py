"""The page on the configuration and the schemas for editors say what the code does."""

import json

import jsonschema
import pytest
import yaml
from workflow_runs import REPOSITORY

from crossres.settings.config import Config
from crossres.settings.document import json_schema, rows_of
from crossres.settings.experiment import ExperimentFile
from crossres.settings.keys import NAME, keys_of, meaning_of
from crossres.settings.sheet import COLUMNS, REQUIRED
from document_config import documents

FILES = [Config, ExperimentFile]
EXPERIMENTS = sorted((REPOSITORY / "config" / "experiments").glob("*.yaml"))


@pytest.mark.parametrize("path", documents())
def test_what_is_written_of_the_settings_is_up_to_date(path):
    written = (REPOSITORY / path).read_text(encoding="utf-8")
    # pytest shows the lines that differ
    assert written.splitlines() == documents()[path].splitlines(), "make config/README.md"


@pytest.mark.parametrize("root", FILES)
def test_every_key_is_described(root):
    keys = list(keys_of(root))
    assert len(keys) > 3
    assert [key.path for key in keys if not meaning_of(key)] == []


def test_every_column_of_the_sheet_is_described():
    assert set(REQUIRED) <= set(COLUMNS)
    assert all(meaning.strip() for meaning in COLUMNS.values())


@pytest.mark.parametrize("root", FILES)
def test_every_length_says_its_unit(root):
    silent = [key.path for key in keys_of(root)
              if key.path[-1].endswith("_nm") and "nm" not in meaning_of(key)]  # fmt: skip
    assert not silent


def rows():
    return {key: rest for key, *rest in rows_of(ExperimentFile)}


def test_every_key_is_listed_once():
    listed = [key for key, *_ in rows_of(ExperimentFile)]
    for key in keys_of(ExperimentFile):
        path = ".".join(key.path)
        # both microscopes and both scans have the same keys, and networks share most of theirs
        for role in ("modalities", "scan"):
            path = path.replace(f"{role}.target.", f"{role}.input.")
        if key.path[0] == "networks" and len(key.path) > 2:
            path = path if path in listed else ".".join(("networks", NAME, *key.path[2:]))
        assert path in listed


def test_what_all_networks_have_is_listed_once():
    names = [key for key in rows() if key.endswith(".learning_rate")]
    assert names == ["networks.<name>.learning_rate", "networks.<name>.adversarial.learning_rate"]
    assert "`log_ssim`" in rows()["networks.<name>.loss"][0]


def test_a_network_is_listed_with_what_is_its_own():
    assert "networks.rcan.groups" in rows()
    meaning = rows()["networks.rcan"][-1]
    for own in ("`loss.mae` `1`", "`schedule` `halving`", "`augment` `true`"):
        assert own in meaning.partition("Its own defaults: ")[2]


def test_a_default_of_a_parents_key_keeps_the_parents_description():
    keys = {key.path: meaning_of(key) for key in keys_of(ExperimentFile)}
    assert keys["networks", "rcan", "batch"] == "Patches in an iteration."
    assert keys["networks", "tcan", "adversarial", "kind"].startswith("`standard` as Wang")


def test_kinds_of_a_section_are_told_apart():
    assert rows()["modalities.input.kind"][0] == "`widefield` · `confocal` · `sted`"
    assert rows()["modalities.input.depletion_nm"][-1].startswith("Of kind `sted`: Depletion")
    assert rows()["modalities.input.na"][-1] == "Numerical aperture."


def test_defaults_are_written_as_in_yaml():
    found = {key: default for key, (_, default, _) in rows().items()}
    assert found["networks.<name>.crop_px"] == "`null`"
    assert found["networks.<name>.augment"] == "`false`"
    assert found["networks.<name>.loss"] == "`mse` `1`"
    assert found["networks.<name>.iterations"] == "`50000`"
    assert found["title"] == "required"
    assert found["deconvolution"] == ""
    rate = found["networks.<name>.adversarial.learning_rate"]
    assert yaml.safe_load(rate.strip("`")) == 1e-5


@pytest.fixture(scope="module")
def validator():
    return jsonschema.Draft202012Validator(json_schema(ExperimentFile))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_editors_accept_the_experiments_of_the_repository(validator, path):
    assert [
        error.message for error in validator.iter_errors(yaml.safe_load(path.read_text()))
    ] == []


@pytest.mark.parametrize(
    "spoilt",
    [
        {"patchs": {}},
        {"patches": {"size_px": "64"}},
        {"demo": {"networks": {"cnn": {"iteratons": 3}}}},
        {"modalities": {"input": {"kind": "two-photon"}}},
        {"source": {"simulator": {"sample": {"kind": "beads", "haze": 0.5}}}},
    ],
)
def test_editors_mark_what_the_workflow_refuses(validator, spoilt):
    assert not validator.is_valid(spoilt)


def test_the_schemas_are_schemas():
    for root in FILES:
        schema = json.loads(json.dumps(json_schema(root)))
        jsonschema.Draft202012Validator.check_schema(schema)
