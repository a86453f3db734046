"""Reading YAML files strictly: values that YAML would reinterpret are reported."""

import re
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from crossres.jobs import InputError, cut

TEXT, MERGED = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"

NAMED_BY_YAML = {
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "timestamp": "a date",
}
"""Types that YAML gives to keys that are not strings, by tag."""


MOST_DIGITS = 18

DECIMAL = re.compile(rf"[-+]?(0|[1-9][0-9_]{{0,{MOST_DIGITS - 1}}})")
"""Whole numbers that YAML and people read alike: 010 is 8 to YAML, and 1:00 is 60."""

DEEPEST, MOST = 50, 100_000
"""Levels and values of a file, those that aliases repeat included."""


def read_yaml(path: Path) -> Any:
    """Return the contents of a YAML file.

    Raises
    ------
    InputError
        Not UTF-8, not YAML, a duplicate key or one that is not a string, a number or date that
        YAML reads as another, or more than settings can be; messages name the line.
    """
    text = _decoded(path)
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _check(node, loader)
        return loader.construct_document(node)
    except RecursionError as error:
        raise InputError(f"{path}: is nested more than {DEEPEST} levels deep") from error
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


def _check(root: yaml.Node, loader: yaml.SafeLoader) -> None:
    """Refuse what YAML and people read differently, and more than settings can be."""
    waiting, count = [(root, 0)], 0
    while waiting:
        node, depth = waiting.pop()
        line, count = node.start_mark.line + 1, count + 1
        if depth > DEEPEST:
            raise InputError(f"line {line}: is nested more than {DEEPEST} levels deep")
        if count > MOST:
            raise InputError(f"line {line}: holds more than {MOST} values; aliases repeat them")
        if isinstance(node, yaml.ScalarNode):
            _check_scalar(node, line, loader)
        below = node.value if isinstance(node, yaml.SequenceNode) else ()
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
            below = chain.from_iterable(node.value)
        waiting += [(part, depth + 1) for part in below]


def _check_scalar(node: yaml.ScalarNode, line: int, loader: yaml.SafeLoader) -> None:
    """Refuse a number that is not written as a decimal one, and a date that is none."""
    kind, found = node.tag.rpartition(":")[2], cut(node.value)
    decimal = "write the decimal number, or put a text in quotes"
    if kind == "int" and not DECIMAL.fullmatch(node.value):
        if len(node.value) > MOST_DIGITS:
            raise InputError(f"line {line}: {found} has too many digits for a number")
        read = loader.construct_object(node)
        raise InputError(f"line {line}: YAML reads {found} as {read}; {decimal}")
    if kind == "float" and ":" in node.value:
        raise InputError(f"line {line}: YAML reads {found} as minutes and seconds; {decimal}")
    if kind == "timestamp":
        try:
            loader.construct_object(node)
        except ValueError as error:
            raise InputError(
                f"line {line}: YAML reads {found} as a date, but {error}; put a text in quotes"
            ) from error


def _check_keys(node: yaml.MappingNode) -> None:
    """Refuse duplicate keys, and keys that YAML does not read as strings, such as 488 or NO."""
    lines: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if key.tag not in (TEXT, MERGED):
            kind = NAMED_BY_YAML.get(key.tag.rpartition(":")[2], "a list or a section")
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(f"line {line}: a key is {kind}; give a word")
            raise InputError(
                f"line {line}: YAML reads the key {key.value} as {kind}; put it in quotes: "
                f"'{key.value}'"
            )
        if key.value in lines:
            raise InputError(
                f"line {line}: the key {key.value} stands in line {lines[key.value]} already; put "
                "what belongs to it in one place"
            )
        lines[key.value] = line
