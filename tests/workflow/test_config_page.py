"""The page on the configuration says what the schemas say, and the schemas what the code does."""

import subprocess
import sys

import pytest
from workflow_runs import REPOSITORY

from crossres.experiments.configuration import load_schema, resolve
from crossres.networks import NETWORKS, architecture
from document_config import rows_of


def properties(schema, root, path=""):
    """Every key of a schema with its part of it, however deep."""
    for key, part in schema.get("properties", {}).items():
        part = resolve(part, root)
        yield f"{path}{key}", part
        yield from properties(part, root, f"{path}{key}.")
        named = part.get("additionalProperties")
        if isinstance(named, dict):
            # a section of sections whose names are the user's
            yield from properties(resolve(named, root), root, f"{path}{key}.<name>.")


def closed(part, root):
    """Whether a section refuses unknown keys, or what is under any key does."""
    others = part.get("additionalProperties")
    if isinstance(others, dict):
        others = resolve(others, root).get("additionalProperties")
    # a network's own keys and those that all have are known only together
    return others is False or part.get("unevaluatedProperties") is False


def test_the_page_is_what_the_schemas_give():
    page = subprocess.run(
        [sys.executable, "workflow/scripts/document_config.py"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout
    written = (REPOSITORY / "config" / "README.md").read_text(encoding="utf-8")
    assert written == page, "config/README.md is out of date: make config/README.md"


@pytest.mark.parametrize("name", ["config", "experiment"])
def test_every_key_is_described(name):
    schema = load_schema(name)
    found = dict(properties(schema, schema))
    assert len(found) > 3
    assert [key for key, part in found.items() if not part.get("description", "").strip()] == []


def test_every_column_of_the_sheet_is_described():
    sheet = load_schema("sheet")
    assert set(sheet["required"]) <= set(sheet["columns"])
    assert all(meaning.strip() for meaning in sheet["columns"].values())


@pytest.mark.parametrize("name", ["config", "experiment"])
def test_every_section_refuses_unknown_keys(name):
    schema = load_schema(name)
    sections = {"": schema, **dict(properties(schema, schema))}
    # `demo` repeats the whole schema, and is checked once it is merged
    open_to_all = {
        key
        for key, part in sections.items()
        if part.get("type") == "object" and not closed(part, schema)
    }
    assert open_to_all <= {"demo"}


@pytest.mark.parametrize("name", ["config", "experiment"])
def test_every_length_says_its_unit(name):
    schema = load_schema(name)
    keys = {key: part["description"] for key, part in properties(schema, schema)}
    silent = {key for key, text in keys.items() if key.endswith("_nm") and "nm" not in text}
    assert not silent


def rows():
    schema = load_schema("experiment")
    return {row[0]: row[1:] for row in rows_of(schema, schema)}


def test_what_all_networks_have_is_listed_once():
    names = [key for key in rows() if key.endswith(".learning_rate")]
    assert names == ["networks.<name>.learning_rate", "networks.<name>.adversarial.learning_rate"]
    assert "networks.<name>.loss.log_ssim" in rows()


def test_a_network_is_listed_with_what_is_its_own():
    assert "networks.rcan.groups" in rows()
    meaning = rows()["networks.rcan"][-1]
    assert "Its own defaults: `loss.mae` `1`, `schedule` `halving`, `augment` `true`" in meaning


def test_defaults_are_written_as_in_yaml():
    found = {key: default for key, (_, default, _) in rows().items()}
    assert found["networks.<name>.crop_px"] == "`null`"
    assert found["networks.<name>.augment"] == "`false`"
    assert found["networks.<name>.loss"] == "`mse` `1`"
    assert found["networks.<name>.iterations"] == "required"
    assert found["deconvolution"] == ""


def test_the_networks_of_the_schema_are_those_that_can_be_built():
    networks = load_schema("experiment")["properties"]["networks"]["properties"]
    assert set(networks) == set(NETWORKS)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_networks_own_keys_are_those_that_it_is_built_with(name):
    networks = load_schema("experiment")["properties"]["networks"]["properties"]
    own = networks[name]["properties"].keys() - {"adversarial"}
    assert architecture(name, dict.fromkeys(own)).keys() == own
