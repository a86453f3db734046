"""Which code a result depends on."""

import ast
import hashlib
from functools import cache
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]
"""workflow/scripts: where every script and the library lie."""


def code_hash(script: str) -> str:
    """Return a hash of a script and of every file of the library that it imports.

    As a parameter of its rule this reruns a step when a room it uses was edited, and not when a
    file was only touched or another room changed.

    Parameters
    ----------
    script
        File name under workflow/scripts.
    """
    digest = hashlib.sha256()
    files = _closure(SCRIPTS / script)
    for path in sorted(files | {page for file in files for page in _pages_above(file)}):
        digest.update(str(path.relative_to(SCRIPTS)).encode())
        digest.update(path.read_bytes())
    # the name in front keeps readers of a table from taking 12e34567... for a number
    return f"sha256:{digest.hexdigest()[:16]}"


@cache
def _closure(path: Path) -> frozenset[Path]:
    """The file itself and all of the library's files that it is made of."""
    found = {path}
    waiting = [path]
    while waiting:
        for imported in _direct_imports(waiting.pop()):
            if imported not in found:
                found.add(imported)
                waiting.append(imported)
    return frozenset(found)


@cache
def _direct_imports(path: Path) -> frozenset[Path]:
    """Files of the library that a file imports, by the module that each name comes from.

    A room's own page, its ``__init__``, only passes names on: what it imports besides the name
    asked for concerns whoever asks for that. Editing one baseline must not retrain every network
    for having its room in common with what applies them.
    """
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found |= _file_of(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found |= _home_of(node.module, alias.name)
    return frozenset(found)


def _home_of(module: str, name: str) -> set[Path]:
    """Return the file that a name of a module comes from."""
    if inner := _file_of(f"{module}.{name}"):
        return inner
    page = SCRIPTS.joinpath(*module.split("."), "__init__.py")
    if page.is_file():
        for node in ast.walk(ast.parse(page.read_text())):
            names = [alias.name for alias in getattr(node, "names", [])]
            if isinstance(node, ast.ImportFrom) and node.module and name in names:
                return _file_of(node.module)
    return _file_of(module)


def _pages_above(path: Path) -> set[Path]:
    """Return the pages of the rooms that a file lies in: Python runs them first."""
    folders = [folder for folder in path.parents if folder.is_relative_to(SCRIPTS)]
    return {folder / "__init__.py" for folder in folders if (folder / "__init__.py").is_file()}


def _file_of(module: str) -> set[Path]:
    """Return the file of a module that is ours, of a room its own page."""
    base = SCRIPTS.joinpath(*module.split("."))
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    ours = module.split(".")[0] == "crossres"
    return {path for path in candidates if ours and path.is_file()}
