"""Errors of a configuration in one sentence: the key, its value, what to write."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from crossres.jobs import shown
from crossres.section import Section
from crossres.settings.config import Config
from crossres.settings.experiment import ExperimentFile
from crossres.settings.experiment_files import nearest
from crossres.settings.keys import (
    is_section,
    keys_of,
    kind_of,
    member_of,
    parts_of,
    sections_below,
)

UNKNOWN, MISSING = "extra_forbidden", "missing"

TAGS = ("union_tag_invalid", "union_tag_not_found")

BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}

NUMBER = re.compile(r"([+-]?)(\d*)([.,]?)(\d*)(?:[eE]([+-]?)(\d+))?")

MOST_PLACES = 3
"""A key known in more places than this gives no hint where it belongs."""


@dataclass(frozen=True)
class Fault:
    """An error that pydantic found, with its place.

    Parameters
    ----------
    kind
        As pydantic calls it, such as "missing".
    path
        Of the key, as in YAML.
    section
        The section that the last part of the path is a key of, or is unknown to; None where the
        key is a name that the user gives, such as a channel's.
    takes
        What the key takes, None where it is unknown.
    found
        The value.
    facts
        What pydantic adds, such as a bound.
    """

    kind: str
    path: tuple[str, ...]
    section: type[Section] | None
    takes: Any
    found: Any
    facts: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The path in words."""
        return ".".join(self.path).replace(".[", "[")


def sentence_of(error: ValidationError, root: type[Section]) -> str:
    """Return the sentence of the most telling error: unknown keys before missing ones.

    A misspelt key is both unknown and missing, and may cause the other errors.

    Parameters
    ----------
    error
        From validating ``root`` or a part of it.
    root
        :class:`Config` or :class:`ExperimentFile`.
    """
    faults = [_placed(details, root) for details in error.errors(include_url=False)]
    return _sentence(min(faults, key=lambda fault: _ORDER.get(fault.kind, len(_ORDER))), root)


_ORDER = {UNKNOWN: 0, MISSING: 1}


def _placed(details: Mapping[str, Any], root: type[Section]) -> Fault:
    """Return an error with its path as in YAML; pydantic's path also names union members."""
    path: list[str] = []
    section: type[Section] | None = root
    takes: Any = root
    kind = details["type"]
    for part in details["loc"]:
        parts = parts_of(takes) if takes is not None else []
        if len(parts) > 1:
            takes = member_of(takes, part)
            continue
        inner = parts[0] if parts else None
        if part == "[key]":
            # a name from a fixed list is a key, other names are the user's
            kind = UNKNOWN if kind == "literal_error" else kind
            takes = None
        elif isinstance(part, int):
            path.append(f"[{part}]")
            section, takes = None, _item_of(inner)
        else:
            path.append(str(part))
            section, takes = (inner, None) if is_section(inner) else (None, None)
            if section is not None and part in section.model_fields:
                takes = section.model_fields[str(part)].annotation
            elif get_origin(inner) is dict:
                takes = get_args(inner)[1]
    if kind in TAGS:
        kind_key, _ = kind_of(next(sections_below(takes, ()))[0])
        path.append(str(kind_key))
    found = details["input"]
    if kind in TAGS and isinstance(found, Mapping):
        kind, found = (MISSING, None) if path[-1] not in found else (kind, found[path[-1]])
    return Fault(kind, tuple(path), section, takes, found, details.get("ctx", {}))


def _item_of(annotation: Any) -> Any:
    """Return what an entry of a list takes."""
    return get_args(annotation)[0] if get_args(annotation) else None


def _sentence(fault: Fault, root: type[Section]) -> str:
    if fault.kind == UNKNOWN:
        return _of_unknown(fault, root)
    if fault.kind == MISSING and fault.path[-1].startswith("["):
        place = int(fault.path[-1].strip("[]"))
        return f"{fault.key.rpartition('[')[0]} has {place} of its values; give the others too"
    if fault.kind == MISSING:
        kinds = _kinds(fault.takes)
        return f"{fault.key} is missing" + (f"; it can be {', '.join(kinds)}" if kinds else "")
    if fault.kind == "none_required":
        return f"{fault.key} does not belong there"
    if fault.kind == "value_error":
        return f"{fault.key} {fault.facts['error']} (found {shown(fault.found)})"
    return f"{fault.key} is {shown(fault.found)}{_expected(fault)}"


def _expected(fault: Fault) -> str:
    """Return the values that a key takes, as the end of a sentence."""
    if fault.kind in TAGS:
        return f"; it can be {', '.join(_kinds(fault.takes))}"
    if fault.kind == "literal_error":
        (choice,) = [part for part in parts_of(fault.takes) if get_origin(part) is Literal]
        allowed = [str(value) for value in get_args(choice)]
        quoted = " without quotes" if fault.found in allowed else ""
        return f"; it can be {', '.join(allowed)}{quoted}"
    if fault.kind in BOUNDS:
        fact, words = BOUNDS[fault.kind]
        return f"; it must be {words} {fault.facts[fact]:g}"
    if fault.kind in ("float_type", "int_type", "float_parsing", "int_parsing"):
        return _number_expected(fault)
    if fault.kind == "string_type":
        return _text_expected(fault.found)
    if fault.kind in ("model_type", "dict_type", "model_attributes_type"):
        return _section_expected(fault)
    fixed = {
        "bool_type": "; it can be true, false",
        "finite_number": "; give a finite number",
        "string_pattern_mismatch": "; expected letters, digits, '-' and '_'",
        "string_too_short": "; it cannot be empty",
        "tuple_type": "; give a list, such as [1, 2]",
    }
    if fault.kind in fixed:
        return fixed[fault.kind]
    if fault.kind in ("too_short", "too_long"):
        size = fault.facts.get("min_length", fault.facts.get("max_length"))
        words = {"too_short": "at least", "too_long": "at most"}[fault.kind]
        return f"; it must have {words} {size} {'entry' if size == 1 else 'entries'}"
    return ", which cannot be"


def _number_expected(fault: Fault) -> str:
    whole = fault.kind.startswith("int")
    asked = "a whole number" if whole else "a number"
    if not isinstance(fault.found, str):
        exact = isinstance(fault.found, float) and fault.found.is_integer()
        return f"; give {asked}" + (f", such as {int(fault.found)}" if exact else "")
    written = as_number(fault.found)
    if written is not None and whole and float(written).is_integer():
        written = str(int(float(written)))
    elif written is None or whole:
        return f"; give {asked}"
    if written == fault.found:
        return f", a text; write {written} without quotes"
    return f", a text to YAML; write {written}"


def as_number(text: str) -> str | None:
    """Return a number that YAML reads as a string in YAML's notation: 1e-3 as 1.0e-3."""
    match = NUMBER.fullmatch(text.strip())
    if match is None or not (match[2] or match[4]):
        return None
    sign, before, point, after, power_sign, power = match.groups()
    if power is None:
        return f"{sign}{before or 0}.{after or 0}" if point else f"{sign}{before}"
    return f"{sign}{before or 0}.{after or 0}e{power_sign or '+'}{power}"


def _text_expected(found: Any) -> str:
    if isinstance(found, bool):
        return " to YAML, which takes yes, no, on and off for that; put the text in quotes"
    if isinstance(found, int | float | date):
        kind = "a date" if isinstance(found, date) else "a number"
        return f", {kind} to YAML; put it in quotes: '{found}'"
    return "; give a text"


def _section_expected(fault: Fault) -> str:
    if fault.found is None:
        return ": the section is empty; give its keys, or delete it"
    for section, _ in sections_below(fault.takes, ()):
        kind_key, kind = kind_of(section)
        if kind == fault.found:
            return f"; give a section, such as {{{kind_key}: {kind}}}"
    return "; give a section of keys with their values"


def _kinds(takes: Any) -> list[str]:
    """Return the kinds of section that a key can hold; empty if there is only one."""
    kinds = [kind_of(section)[1] for section, _ in sections_below(takes, ())]
    return [kind for kind in kinds if kind is not None] if len(kinds) > 1 else []


def _of_unknown(fault: Fault, root: type[Section]) -> str:
    name, noun = fault.path[-1], "network" if fault.path[:-1] == ("networks",) else "key"
    if fault.section is None:
        # terms of a loss: the names are a fixed list
        return f"{fault.key}: unknown key ({nearest(name, _terms_of(fault, root))})"
    is_root = fault.section in root.__mro__
    known = sorted(root.model_fields if is_root else fault.section.model_fields)
    guess = nearest(name, known)
    other, file = (
        (ExperimentFile, "an experiment's file")
        if root is Config
        else (Config, "config/config.yaml")
    )
    if is_root and name in other.model_fields:
        return f"{name}: unknown key here; it is one of {file} (known here: {', '.join(known)})"
    if place := _other_place(fault, root, "did you mean" in guess):
        return f"{fault.key}: unknown key here; {place} (known here: {', '.join(known)})"
    return f"{fault.key}: unknown {noun} ({guess})"


def _terms_of(fault: Fault, root: type[Section]) -> list[str]:
    """Return the names that a section takes if they are a fixed list."""
    above = [key for key in keys_of(root) if _matches(key.path, fault.path[:-1])]
    (names,) = (part for part in parts_of(above[0].field.annotation) if get_origin(part) is dict)
    return list(get_args(parts_of(get_args(names)[0])[0]))


def _matches(path: Sequence[str], given: Sequence[str]) -> bool:
    return len(path) == len(given) and all(
        part in (name, "<name>") for part, name in zip(path, given, strict=True)
    )


def _other_place(fault: Fault, root: type[Section], similar: bool) -> str | None:
    """Say where a misplaced key belongs; nearby places only, if a similar key exists here."""
    name, here = fault.path[-1], fault.path[:-1]
    found = [key for key in keys_of(root) if key.path[-1] == name]
    most = max((_shared(key.path, here) for key in found), default=0)
    if most == 0 and similar:
        return None
    kinds: dict[tuple[str, ...], list[str]] = {}
    for key in found:
        if _shared(key.path, here) == most:
            kinds.setdefault(key.path, []).append(kind_of(key.section)[1] or "")
    for path, of_kinds in kinds.items():
        if _matches(path, fault.path) and fault.section is not None:
            kind_key, kind = kind_of(fault.section)
            has = "has" if len(of_kinds) == 1 else "have"
            return f"{kind_key} is {kind}, {' and '.join(of_kinds)} {has} it"
    if not 0 < len(kinds) <= MOST_PLACES:
        return None
    places = [
        ".".join(path) + (f" ({', '.join(of_kinds)})" if any(of_kinds) else "")
        for path, of_kinds in kinds.items()
    ]
    return f"it is known as {' and '.join(places)}"


def _shared(path: Sequence[str], other: Sequence[str]) -> int:
    """Return the number of leading parts that two paths share."""
    count = 0
    for a, b in zip(path, other, strict=False):
        if a not in (b, "<name>"):
            break
        count += 1
    return count
