"""Documentation of the settings: config/README.md and JSON schemas for editors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from crossres.catalogue.networks import NETWORKS, Network
from crossres.section import Section
from crossres.settings.config import Config
from crossres.settings.experiment import ExperimentFile, NetworkChoice
from crossres.settings.keys import (
    NAME,
    Key,
    is_section,
    kind_of,
    meaning_of,
    parts_of,
    sections_below,
    takes_null,
)
from crossres.settings.sheet import COLUMNS, REQUIRED

INTRODUCTION = """# Configuration

This page is written by `make config/README.md` from crossres.settings. A key that is not listed
here is refused, with the nearest known one named.

Three kinds of files say what is run:

- `config/config.yaml`: which experiments, and at which scale;
- `config/experiments/<name>.yaml`: one pair of modalities;
- `config/sheets/<name>.tsv`: the images of a measured pair.

`--config "experiments=[confocal_sted_real]"` or `--configfile my.yaml` change the first without
editing it. Paths in an experiment's file are looked for beside that file first, then in the folder
that Snakemake runs in.

Editors that know JSON schemas complete and check keys as you type, where a file begins with
`# yaml-language-server: $schema=../../workflow/schemas/experiment.schema.json`.
"""

DEMO = """### Networks at the scale of the demo

What `networks: {cnn: {}}` trains: a first look at your own pairs, in two to three minutes on two
cores. Where `demo` names the network, or a key below is given another value, these values do not
hold.
"""

SHEET = """## config/sheets/<name>.tsv

One row per field and channel, tab-separated, with a header line. Columns may come in any order.
"""

BOUNDS = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))

TYPES = {bool: "true or false", int: "integer", float: "number", str: "text"}

DIALECT = "https://json-schema.org/draft/2020-12/schema"

SHORT = 3
"""Sections with more keys than this do not repeat their defaults."""

Row = tuple[str, str, str, str]
"""Key, values, default, meaning."""


def page() -> str:
    """Return config/README.md."""
    parts = [INTRODUCTION]
    for title, root in (
        ("config.yaml", Config),
        ("config/experiments/<name>.yaml", ExperimentFile),
    ):
        parts.append(f"## {title}\n\n{root.__doc__}\n")
        rows = ((f"`{key}`", *rest) for key, *rest in rows_of(root))
        parts.append(_table("key | takes | default | meaning", rows))
    demos = (
        (f"`{name}`", ", ".join(f"`{key}` {_as_written(v)}" for key, v in _flat("", network.demo)))
        for name, network in NETWORKS.items()
        if network.demo
    )
    parts += [DEMO, _table("network | takes at `scale: demo`", demos)]
    columns = (
        (f"`{column}`", "yes" if column in REQUIRED else "", meaning)
        for column, meaning in COLUMNS.items()
    )
    parts += [SHEET, _table("column | required | meaning", columns)]
    return "\n".join(parts)


def _table(head: str, rows: Iterator[tuple[str, ...]]) -> str:
    """Return rows as a Markdown table."""
    lines = [f"| {head} |", "|" + "---|" * (head.count("|") + 1)]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def rows_of(section: type[Section], above: tuple[str, ...] = ()) -> Iterator[Row]:
    """Yield a row for every key of a section and of what is in it, in the order of the class."""
    first: dict[Any, str] = {}
    for name, field in section.model_fields.items():
        key = Key((*above, name), section, field)
        inner = list(sections_below(field.annotation, key.path))
        path = ".".join(key.path)
        # both microscopes and both scans have the same keys
        twin = first.setdefault(tuple(part for part, _ in inner), path) if inner else path
        as_twin = f" Keys as of `{twin}`." if twin != path else ""
        yield path, takes(field), _default(field), meaning_of(key) + _own_defaults(inner) + as_twin
        if len(inner) > 1 and not as_twin:
            yield from _rows_by_kind(inner)
        elif inner and not as_twin:
            yield from _rows_below(*inner[0])
    if issubclass(section, NetworkChoice):
        yield from rows_of(Network, (*above, NAME))


def _rows_below(section: type[Section], path: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of a section; for a network, those of its own keys and of keys it lacks."""
    shared = Network.model_fields if issubclass(section, Network) else ()
    for row in rows_of(section, path):
        if row[0].split(".")[len(path)] not in shared or row[1] == "null":
            yield row


def _rows_by_kind(inner: Sequence[tuple[type[Section], tuple[str, ...]]]) -> Iterator[Row]:
    """Yield the rows of a section with several kinds: shared keys first."""
    place = ".".join(inner[0][1])
    kind_key, _ = kind_of(inner[0][0])
    kinds_of: dict[Row, list[str]] = {}
    meanings = {}
    for section, path in inner:
        kind = str(kind_of(section)[1])
        meanings[f"`{kind}`"] = meaning_of(
            Key((str(kind_key),), section, section.model_fields[str(kind_key)])
        )
        for row in rows_of(section, path):
            if row[0] != f"{place}.{kind_key}":
                kinds_of.setdefault(row, []).append(f"`{kind}`")
    listed = " ".join(f"{kind}: {meaning}" for kind, meaning in meanings.items())
    yield f"{place}.{kind_key}", " · ".join(meanings), "required", listed
    for kinds in dict.fromkeys(map(tuple, kinds_of.values())):
        only = f"Of {kind_key} {', '.join(kinds)}: " if len(kinds) < len(inner) else ""
        for row, has in kinds_of.items():
            inside = "." in row[0].removeprefix(f"{place}.")
            if tuple(has) == kinds:
                yield (*row[:3], row[3] if inside else only + row[3])


def _own_defaults(inner: list[tuple[type[Section], tuple[str, ...]]]) -> str:
    """Return a network's own defaults for keys that all networks have."""
    for section, _ in inner:
        if issubclass(section, Network):
            own = ", ".join(f"`{key}` {_as_written(value)}" for key, value in _recipe(section))
            return f" Its own defaults: {own}." if own else ""
    return ""


def _recipe(network: type[Network]) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of a network's defaults that differ from the common ones."""
    for key, common in Network.model_fields.items():
        default = network.model_fields[key].default
        if default == common.default:
            continue
        if isinstance(default, Section):
            usual = next(part for part in parts_of(common.annotation) if is_section(part))
            for name, field in usual.model_fields.items():
                if (value := getattr(default, name)) != field.default:
                    yield from _flat(f"{key}.{name}", value)
        else:
            yield from _flat(key, default)


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of nested settings."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}" if path else key, inner)
    else:
        yield path, value


def _as_written(value: Any) -> str:
    """Return a value as YAML; round numbers without a decimal point."""
    if value is None or isinstance(value, bool):
        return {None: "`null`", True: "`true`", False: "`false`"}[value]
    if isinstance(value, list | tuple):
        return f"`[{', '.join(_as_written(entry).strip('`') for entry in value)}]`"
    if isinstance(value, float):
        # YAML would read 1e-05 as a string
        number, e, power = f"{value:g}".partition("e")
        return f"`{number}.0e{int(power)}`" if e and "." not in number else f"`{value:g}`"
    return f"`{value}`"


def takes(field: FieldInfo) -> str:
    """Return the values that a key takes, in words."""
    names: list[str] = []
    for part in parts_of(field.annotation):
        if get_origin(part) is Literal:
            names.append(_choices(part))
        elif is_section(part) or get_origin(part) is dict:
            names.append("section" + _fixed_names(part))
        else:
            names.append("list" if get_origin(part) is tuple else TYPES[part])
    if takes_null(field.annotation):
        names.append("null")
    bounds = [
        f"{sign} {getattr(data, name):g}"
        for data in _metadata_of(field)
        for name, sign in BOUNDS
        if getattr(data, name, None) is not None
    ]
    return ", ".join(dict.fromkeys([" or ".join(dict.fromkeys(names)), *bounds]))


def _fixed_names(part: Any) -> str:
    """Return the keys of a section whose names are a fixed list, such as terms of a loss."""
    names = parts_of(get_args(part)[0])[0] if get_origin(part) is dict else None
    return f" of {_choices(names)}" if get_origin(names) is Literal else ""


def _choices(literal: Any) -> str:
    return " · ".join(f"`{value}`" for value in get_args(literal))


def _metadata_of(field: FieldInfo) -> list[Any]:
    """Return the bounds of a number or nullable number."""
    found = list(field.metadata)
    for member in get_args(field.annotation):
        for data in getattr(member, "__metadata__", ()):
            found += getattr(data, "metadata", [data])
    return found


def _default(field: FieldInfo) -> str:
    """Return the default, or that there is none; large sections state it with each key."""
    if field.is_required():
        return "required"
    if not isinstance(field.default, Section | Mapping):
        return _as_written(field.default)
    values = dict(field.default)
    plain = all(isinstance(value, int | float | str | tuple) for value in values.values())
    if not plain or len(values) > SHORT:
        return ""
    return ", ".join(f"`{key}` {_as_written(value)}" for key, value in values.items())


class _Described(GenerateJsonSchema):
    """Takes descriptions from the strings below keys, else from the parent class."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        section = schema["cls"]
        for name, part in made.get("properties", {}).items():
            meaning = meaning_of(Key((name,), section, section.model_fields[name]))
            if meaning:
                part["description"] = meaning
        return made


def json_schema(root: type[Section]) -> dict[str, Any]:
    """Return the JSON schema of a file, for editors: which keys there are, and their values.

    No key is required there: ``based_on`` and ``demo`` override single keys. The workflow reports
    missing keys when it starts.
    """
    schema = root.model_json_schema(schema_generator=_Described)
    if root is ExperimentFile:
        meaning = schema["properties"]["demo"]["description"]
        schema["properties"]["demo"] = {"$ref": "#", "description": meaning}
        _require_nothing(schema)
    return {"$schema": DIALECT, **schema}


def _require_nothing(part: Any) -> None:
    """Make every key optional; without its ``kind``, a section may be of any kind."""
    if isinstance(part, dict):
        if isinstance(part.get("required"), list):
            del part["required"]
        part.pop("discriminator", None)
        if "oneOf" in part:
            part["anyOf"] = part.pop("oneOf")
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, dict | list):
            _require_nothing(inner)
