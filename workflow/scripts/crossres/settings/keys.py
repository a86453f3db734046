"""The keys of a configuration, with their paths and descriptions."""

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import Tag
from pydantic.fields import FieldInfo

from crossres.section import Section

NAME = "<name>"
"""Placeholder in a path for a name that the user gives, such as a channel."""


@dataclass(frozen=True)
class Key:
    """A key in its place.

    Parameters
    ----------
    path
        Of the key, as in YAML, with :data:`NAME` for what the user names.
    section
        The class that states it; with several kinds of a section, one of them.
    field
        What it takes.
    """

    path: tuple[str, ...]
    section: type[Section]
    field: FieldInfo


def keys_of(section: type[Section], above: tuple[str, ...] = ()) -> Iterator[Key]:
    """Yield every key of a section and of all sections within it."""
    for name, field in section.model_fields.items():
        path = (*above, name)
        yield Key(path, section, field)
        for inner, inner_path in sections_below(field.annotation, path):
            yield from keys_of(inner, inner_path)


def sections_below(
    annotation: Any, path: tuple[str, ...]
) -> Iterator[tuple[type[Section], tuple[str, ...]]]:
    """Yield the sections that a key can hold, each with its path."""
    for part in parts_of(annotation):
        if is_section(part):
            yield part, path
        elif get_origin(part) is dict:
            yield from sections_below(get_args(part)[1], (*path, NAME))


def is_section(part: Any) -> TypeGuard[type[Section]]:
    """Return whether a type is a section with keys of its own."""
    return isinstance(part, type) and issubclass(part, Section)


def parts_of(annotation: Any) -> list[Any]:
    """Return the types that a key takes: union members except null, without bounds or tags."""
    if get_origin(annotation) is Annotated:
        return parts_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [part for member in get_args(annotation) for part in parts_of(member)]
    return [] if annotation is NoneType else [annotation]


def takes_null(annotation: Any) -> bool:
    """Return whether null is allowed."""
    return annotation is None or annotation is NoneType or NoneType in get_args(annotation)


def member_of(annotation: Any, tag: Any) -> Any:
    """Return the member of a union that pydantic calls by a tag: a kind, or a tag of our own."""
    if get_origin(annotation) is Annotated:
        if any(isinstance(data, Tag) and data.tag == tag for data in annotation.__metadata__):
            return annotation.__origin__
        return member_of(annotation.__origin__, tag)
    if get_origin(annotation) in (Union, UnionType):
        found = (member_of(member, tag) for member in get_args(annotation))
        return next((member for member in found if member is not None), None)
    return annotation if is_section(annotation) and kind_of(annotation)[1] == tag else None


def kind_of(section: type[Section]) -> tuple[str, str] | tuple[None, None]:
    """Return the key and value that select a section among alternatives."""
    for name, field in section.model_fields.items():
        allowed = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        if field.is_required() and len(allowed) == 1:
            return name, allowed[0]
    return None, None


def meaning_of(key: Key) -> str:
    """Return the description of a key in one line; a section's own if the key has none."""
    text = texts_of(key.section).get(key.path[-1])
    if text is None:
        sections = [part for part in parts_of(key.field.annotation) if is_section(part)]
        text = (sections[0].__doc__ or "") if sections else ""
    return " ".join(text.split())


def texts_of(section: type[Section]) -> dict[str, str]:
    """Return the descriptions of a section's keys, else those of its parent classes."""
    found: dict[str, str] = {}
    for ancestor in reversed(section.__mro__):
        if is_section(ancestor):
            own = _texts_of_module(ancestor.__module__).get(ancestor.__qualname__, {})
            found |= {key: text for key, text in own.items() if key in ancestor.model_fields}
    return found


@cache
def _texts_of_module(name: str) -> dict[str, dict[str, str]]:
    """Return the string below each attribute of each class of a module."""
    tree = ast.parse(inspect.getsource(sys.modules[name]))
    found: dict[str, dict[str, str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = {}
            for above, below in zip(node.body, node.body[1:], strict=False):
                match above, below:
                    case (
                        ast.AnnAssign(target=ast.Name(id=key)),
                        ast.Expr(value=ast.Constant(value=str(text))),
                    ):
                        found[node.name][key] = inspect.cleandoc(text)
    return found
