"""Reading YAML files strictly: values that YAML would reinterpret are reported."""

from pathlib import Path
from typing import Any

import yaml

from crossres.jobs import InputError

TEXT, MERGED = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"

NAMED_BY_YAML = {
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "timestamp": "a date",
}
"""Types that YAML gives to keys that are not strings, by tag."""


def read_yaml(path: Path) -> Any:
    """Return the contents of a YAML file.

    Raises
    ------
    InputError
        Not UTF-8, not YAML, a duplicate key or one that is not a string; messages name the line.
    """
    text = _decoded(path)
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        _check_keys(node)
        return loader.construct_document(node) if node is not None else None
    except InputError as error:
        raise InputError(f"{path}, {error}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        tabs = "; indent with spaces, not with tabs" if "'\\t'" in str(error.problem) else ""
        raise InputError(f"{path}{where}: is not valid YAML: {error.problem}{tabs}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from error


def _decoded(path: Path) -> str:
    """Return the text of a UTF-8 file without its byte order mark."""
    content = path.read_bytes()
    if b"\0" in content:
        raise InputError(f"{path}: is no text in UTF-8, but perhaps UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: is no text in UTF-8 (byte {content[error.start]:#x}); save the "
            "file as UTF-8"
        ) from error


def _check_keys(node: yaml.Node | None) -> None:
    """Refuse duplicate keys, and keys that YAML does not read as strings, such as 488 or NO."""
    lines: dict[str, int] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        line = key.start_mark.line + 1
        if key.tag not in (TEXT, MERGED):
            kind = NAMED_BY_YAML.get(key.tag.rpartition(":")[2], "a list or a section")
            written = key.value if isinstance(key, yaml.ScalarNode) else "here"
            raise InputError(
                f"line {line}: YAML reads the key {written} as {kind}; put it in quotes: "
                f"'{written}'"
            )
        if key.value in lines:
            raise InputError(
                f"line {line}: the key {key.value} stands in line {lines[key.value]} already; put "
                "what belongs to it in one place"
            )
        lines[key.value] = line
        _check_keys(value)
    for entry in node.value if isinstance(node, yaml.SequenceNode) else ():
        _check_keys(entry)
