"""Reading and checking the configuration: unknown keys, wrong values, missing files."""

import copy
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from crossres.experiments.files import (
    find_experiment,
    merged,
    nearest,
    read_experiment,
    without_null_methods,
)
from crossres.jobs import InputError

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return one of the schemas under workflow/schemas, by its name without ending."""
    return yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text())


FINE_TUNING = 100
"""Iterations over which the learning rate of a fine-tuned model grows, unless the file says."""


def load_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the workflow's configuration, checked, with defaults filled in.

    Raises
    ------
    InputError
        Naming the key, what was found, and what is allowed.
    """
    schema = load_schema("config")
    given = {
        key: _as_typed(value, schema["properties"].get(key, {}).get("type", ()))
        for key, value in config.items()
    }
    return _checked(given, schema, "configuration")


def _as_typed(value: Any, types: str | Sequence[str]) -> Any:
    """Return a value of the command line as the schema wants it.

    Snakemake takes true and false for texts, and a file called 20240115 for a number.
    """
    if types == "boolean":
        return {"true": True, "false": False}.get(str(value), value)
    if "string" not in types or "integer" in types or "number" in types:
        return value
    if isinstance(value, list):
        return [_as_typed(entry, types) for entry in value]
    return str(value) if type(value) in (int, float, date) else value


def load_experiment_settings(name: str, scale: str, folder: Path) -> dict[str, Any]:
    """Return one experiment's settings at a scale, checked, with defaults filled in.

    Parameters
    ----------
    name
        Name of a file in ``folder``, or a path of a YAML file.
    scale
        "demo" merges the file's ``demo`` section over the rest; "paper" leaves it out.
    folder
        config/experiments.

    Raises
    ------
    InputError
        No such file, not YAML, or a key or value that the schema does not allow.
    """
    path = find_experiment(name, [folder])
    settings, demo = read_experiment(path, folder)
    # both scales are checked: a wrong key should not wait for the day the other one is run
    at_scale = {}
    for name_of_scale, whole in (("paper", settings), ("demo", merged(settings, demo))):
        whole = without_null_methods(whole)
        checked = _checked(whole, load_schema("experiment"), str(path))
        for network in checked["networks"].values():
            if network["rate_warm_up_iterations"] is None:
                network["rate_warm_up_iterations"] = (
                    FINE_TUNING if network["initialise_from"] else 0
                )
        _check_across(checked, str(path))
        at_scale[name_of_scale] = checked
    return at_scale[scale]


def _checked(settings: dict[str, Any], schema: dict[str, Any], where: str) -> dict[str, Any]:
    validator = jsonschema.Draft202012Validator(schema)
    # keys of a network with a wrong value are not evaluated either, as jsonschema has it
    faults = [fault for fault in validator.iter_errors(settings) if _unknown_keys(fault) != []]
    error = jsonschema.exceptions.best_match(faults)
    if error is not None:
        raise InputError(f"{where}: {_sentence(error)}; config/README.md lists every key")
    return with_defaults(settings, schema)


def with_defaults(settings: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the schema's defaults filled in, each network's own ones first."""
    return _with_defaults(settings, schema, schema)


def _with_defaults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    schema = resolve(schema, root)
    if not isinstance(value, dict):
        return value
    filled = merged(copy.deepcopy(schema.get("recipe", {})), value)
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        return {key: _with_defaults(part, others, root) for key, part in filled.items()}
    for key, part in schema.get("properties", {}).items():
        part = resolve(part, root)
        if key not in filled and "default" in part:
            filled[key] = copy.deepcopy(part["default"])
        if key in filled:
            filled[key] = _with_defaults(filled[key], part, root)
    return filled


def resolve(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with its reference into ``$defs`` merged in, properties key by key."""
    merged = dict(schema)
    for reference in [schema, *schema.get("allOf", [])]:
        if "$ref" in reference:
            found = root["$defs"][reference["$ref"].removeprefix("#/$defs/")]
            properties = {**found.get("properties", {}), **merged.get("properties", {})}
            merged = {**found, **merged}
            if properties:
                merged["properties"] = properties
    return merged


def _sentence(error: jsonschema.ValidationError) -> str:
    """Say in one sentence which key is wrong, what was found and what is expected."""
    key = ".".join(str(part) for part in error.absolute_path)
    if unknown := _unknown_keys(error):
        full = f"{key}.{unknown[0]}" if key else unknown[0]
        noun = "network" if key == "networks" else "key"
        return f"{full} is no known {noun} ({nearest(unknown[0], _known_keys(error))})"
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"{key + '.' if key else ''}{missing[0]} is missing"
    if error.validator == "not" and "required" in error.validator_value:
        return f"{key}.{error.validator_value['required'][0]} does not belong there"
    if error.validator == "type" and error.validator_value == "null":
        return f"{key} does not belong there"
    if error.validator == "enum":
        allowed = ", ".join(str(value) for value in error.validator_value)
        return f"{key} is {error.instance!r}; it can be {allowed}"
    return f"{key or 'the file'}: {error.message}"


def _known_keys(error: jsonschema.ValidationError) -> list[str]:
    """Return the keys that the section of an error may have."""
    return sorted(resolve(error.schema, load_schema("experiment")).get("properties", {}))


def _unknown_keys(error: jsonschema.ValidationError) -> list[str] | None:
    """Return the unknown keys that an error is about, None where it is about something else."""
    if error.validator not in ("additionalProperties", "unevaluatedProperties"):
        return None
    known = _known_keys(error)
    return [str(name) for name in error.instance if name not in known]


def _check_across(settings: Mapping[str, Any], where: str) -> None:
    """Check what one key says against another."""
    source = settings["source"]
    given = [key for key in ("simulator", "scan_simulator", "sheet") if key in source]
    if len(given) != 1:
        raise InputError(
            f"{where}: source needs one of `simulator`, `scan_simulator` and `sheet`; it has "
            f"{' and '.join(given) or 'none'}"
        )
    simulated = given[0] != "sheet"
    if given[0] == "simulator" and "stitch" in source:
        raise InputError(f"{where}: source.stitch has no tiles to stitch; delete it")
    if given[0] == "scan_simulator" and "stitch" not in source:
        raise InputError(f"{where}: source.stitch is missing; a stage scan needs it")
    if "stitch" in source and "cut" in source:
        raise InputError(f"{where}: source.cut and source.stitch both cut fields; delete one")
    for role, modality in settings["modalities"].items():
        if modality["na"] >= modality["refractive_index"]:
            raise InputError(
                f"{where}: modalities.{role}.na is {modality['na']}; it must lie below the "
                f"refractive_index of {modality['refractive_index']}"
            )
        needed = ["pixel_size_nm", "camera"] if simulated else []
        needed += ["excitation_nm", "pinhole_airy_units"] if modality["kind"] != "widefield" else []
        needed += ["depletion_nm", "saturation_factor"] if modality["kind"] == "sted" else []
        # the target's PSF is never computed for real images
        if not simulated and role == "target":
            needed = []
        for key in needed:
            if key not in modality:
                raise InputError(
                    f"{where}: modalities.{role}.{key} is missing; a {modality['kind']} "
                    "microscope needs it here"
                )
    background = settings["preprocess"]["background"]
    if background["method"] == "region" and "region" not in background:
        raise InputError(f"{where}: preprocess.background.region is missing; give it or use find")
    low, high = settings["patches"]["percentiles"]
    if low >= high:
        raise InputError(f"{where}: patches.percentiles are {low} and {high}; give low, then high")
    _check_simulated_sizes(settings, where)
    for name, network in settings["networks"].items():
        _check_network(f"{where}: networks.{name}", network, settings["patches"]["size_px"])


def _check_network(where: str, network: Mapping[str, Any], patch_px: int) -> None:
    """Check what a network's keys say against each other."""
    crop_px = network["crop_px"]
    if crop_px is not None and crop_px > patch_px:
        raise InputError(
            f"{where}.crop_px is {crop_px}; it cannot exceed patches.size_px ({patch_px})"
        )
    if not any(network["loss"].values()):
        raise InputError(f"{where}.loss has no term above 0; give one, such as {{mse: 1}}")
    adversarial = network["adversarial"]
    if adversarial is None:
        return
    if adversarial["warm_up_iterations"] >= network["iterations"]:
        raise InputError(
            f"{where}.adversarial.warm_up_iterations is {adversarial['warm_up_iterations']}; it "
            f"must lie below iterations ({network['iterations']})"
        )
    if any(adversarial["shares"].values()) and adversarial["weight"] != 1:
        raise InputError(
            f"{where}.adversarial.weight is {adversarial['weight']:g} beside shares, which already "
            "say how much each term counts; leave one of them out"
        )
    shares = {term for term, share in adversarial["shares"].items() if share > 0}
    unheard = {term for term, weight in network["loss"].items() if weight > 0} - shares
    if shares and unheard:
        raise InputError(
            f"{where}.loss has {' and '.join(sorted(unheard))}, which adversarial.shares lacks, so "
            "that it would not count beside the discriminator; give it a share, or set "
            "adversarial.shares: {} for the weights of loss to hold"
        )
    if sum(adversarial["shares"].values()) >= 1:
        raise InputError(
            f"{where}.adversarial.shares sum to {sum(adversarial['shares'].values()):g}; they must "
            "sum to less than 1, the rest being the adversarial term"
        )


def _check_simulated_sizes(settings: Mapping[str, Any], where: str) -> None:
    _check_smallest(settings, where)
    simulator = settings["source"].get("simulator")
    if simulator is None:
        return
    for split, count in simulator["fields"].items():
        if count == 0:
            raise InputError(
                f"{where}: source.simulator.fields.{split} is 0; every split needs a field"
            )


def _check_smallest(settings: Mapping[str, Any], where: str) -> None:
    """Check that a patch fits into a field, where the field's size is known."""
    source = settings["source"]
    if "simulator" in source:
        side_px = source["simulator"]["field_px"]
    elif "stitch" in source:
        side_px = source["stitch"]["fields"]["size_px"]
    else:
        return
    left_px = side_px - 2 * settings["registration"]["crop_px"]
    if settings["patches"]["size_px"] > left_px:
        raise InputError(
            f"{where}: patches.size_px is {settings['patches']['size_px']}, but a field of "
            f"{side_px} px has {left_px} px left after registration.crop_px; make patches "
            "smaller or fields larger"
        )
