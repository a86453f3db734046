"""The library's own order: a room imports only from rooms above it in the package's list."""

import ast
import re
from pathlib import Path

import pytest

import crossres

LIBRARY = Path(crossres.__file__).parent
ROOMS = re.findall(r"^(\w+) {2,}\S", crossres.__doc__, re.MULTILINE)


def room_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    modules = [
        node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
    ]
    return {module.split(".")[1] for module in modules if module.startswith("crossres.")}


def test_every_room_is_in_the_list():
    found = {room_of(path) for path in LIBRARY.rglob("*.py")} - {"__init__"}
    assert found == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_rooms_above_it(room):
    allowed = set(ROOMS[: ROOMS.index(room) + 1])
    files = [path for path in LIBRARY.rglob("*.py") if room_of(path) == room]
    assert files
    for path in files:
        assert imported_rooms(path) <= allowed, path


@pytest.mark.parametrize("path", sorted(LIBRARY.parent.glob("*.py")), ids=lambda path: path.stem)
def test_a_script_is_named_verb_noun_and_says_what_it_does(path):
    assert re.fullmatch(r"[a-z]+_[a-z]+", path.stem)
    assert ast.get_docstring(ast.parse(path.read_text()))
