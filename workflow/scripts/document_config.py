"""Print config/README.md: every key of the configuration, from the schemas themselves.

python workflow/scripts/document_config.py > config/README.md
"""

from collections.abc import Iterator, Mapping
from typing import Any

from crossres.experiments.configuration import load_schema, resolve

INTRODUCTION = """# Configuration

This page is written by `make config/README.md` from the schemas in workflow/schemas. A key that is
not listed here is refused, with the nearest known one named.

Three kinds of files say what is run:

- `config/config.yaml`: which experiments, and at which scale;
- `config/experiments/<name>.yaml`: one pair of modalities;
- `config/sheets/<name>.tsv`: the images of a measured pair.

`--config "experiments=[confocal_sted_real]"` or `--configfile my.yaml` change the first without
editing it.
"""


def document() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    for name in ("config", "experiment"):
        schema = load_schema(name)
        parts.append(f"## {schema['title']}\n\n{schema['description']}\n")
        parts.append(table(rows_of(schema, schema)))
    sheet = load_schema("sheet")
    parts.append(f"## {sheet['title']}\n\n{sheet['description'].strip()}\n")
    lines = ["| column | required | meaning |", "|---|---|---|"]
    for column, meaning in sheet["columns"].items():
        required = "yes" if column in sheet["required"] else ""
        lines.append(f"| `{column}` | {required} | {meaning.strip()} |")
    parts.append("\n".join(lines))
    return "\n".join(parts)


def rows_of(
    schema: Mapping[str, Any], root: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str, str, str]]:
    """Yield (key, type, default, meaning) of every key, in the order of the schema."""
    for key, part in schema.get("properties", {}).items():
        part = resolve(part, root)
        name = f"{prefix}{key}"
        required = key in schema.get("required", [])
        yield name, type_of(part), default_of(part, required), meaning_of(part)
        # what all networks have in common is listed once, after them
        own = schema["properties"][key] if "recipe" in part else part
        yield from rows_of(own, root, f"{name}.")
        if "shared" in part:
            yield from rows_of(resolve(part["shared"], root), root, f"{name}.<name>.")
        others = part.get("additionalProperties")
        if isinstance(others, dict) and "$ref" in others:
            yield from rows_of(resolve(others, root), root, f"{name}.<name>.")


def meaning_of(part: Mapping[str, Any]) -> str:
    """Return the description, with the defaults of a network that are its own."""
    meaning = part["description"].strip()
    if not part.get("recipe"):
        return meaning
    own = ", ".join(f"{key} {value}" for key, value in flattened(part["recipe"]))
    return f"{meaning} Its own defaults: {own}."


def flattened(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of settings within settings."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"`{prefix}{key}`", as_written(value)


def as_written(value: Any) -> str:
    """Return a value as one writes it in YAML."""
    if value is None or isinstance(value, bool):
        return {None: "`null`", True: "`true`", False: "`false`"}[value]
    return f"`{value}`"


def type_of(part: Mapping[str, Any]) -> str:
    """Return what a key takes, as a person would say it."""
    if "enum" in part:
        return " · ".join(f"`{value}`" for value in part["enum"])
    names = {"object": "section", "array": "list", "string": "text", "boolean": "true or false"}
    kinds = [part["type"]] if isinstance(part["type"], str) else part["type"]
    name = " or ".join(names.get(kind, kind) for kind in kinds)
    bounds = [
        f"{sign} {part[key]:g}"
        for key, sign in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        )
        if key in part
    ]
    return ", ".join([name, *bounds])


def default_of(part: Mapping[str, Any], required: bool) -> str:
    """Return the default, or that there is none."""
    if required:
        return "required"
    if part.get("type") == "object":
        return ", ".join(f"{key} {value}" for key, value in flattened(part.get("default", {})))
    return as_written(part["default"]) if "default" in part else ""


def table(rows: Iterator[tuple[str, str, str, str]]) -> str:
    """Return rows as a Markdown table."""
    lines = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    lines += [f"| `{key}` | {kind} | {default} | {text} |" for key, kind, default, text in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(document())
