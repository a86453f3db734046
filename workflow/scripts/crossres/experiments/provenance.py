"""What a result depends on: the code that makes it, and the raw images it is made of."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parents[2]
"""workflow/scripts: where every script and the library lie."""

GIVEN_AS_PARAMS = ("settings", "catalogue", "section")
"""Rooms whose values reach jobs as params: a change that matters reruns a job by these."""

BLOCKS, BLOCK_BYTES = 8, 4096
"""How much of a raw file is hashed."""


def code_hash(script: str, *further: str) -> str:
    """Return a hash of what a script does, with every file of the library that it imports.

    As a parameter of a rule, the hash reruns the step when code that it uses changes, but not when
    only comments, docstrings, file times or unused rooms change.

    Rooms in :data:`GIVEN_AS_PARAMS` and their imports do not count, because their values reach the
    job as params. Nor do ``__init__`` files that only re-export names. Modules that a registry
    finds in its folder are not imported by name; the rule names the folder.

    Parameters
    ----------
    script
        File name under workflow/scripts.
    further
        Files that the job chooses by name, such as the one that builds its network, likewise; a
        folder with a registry stands for the files in it that register something.
    """
    starts = [start for name in (script, *further) for start in _starts(SCRIPTS / name)]
    files = {file for start in starts for file in _closure(start)}
    pages = {page for file in files for page in _pages_above(file)}
    digest = hashlib.sha256()
    for place, meaning in sorted(map(_meaning, files | pages)):
        if meaning:
            digest.update(f"{place} {meaning}\n".encode())
    # with the prefix, no table reader mistakes a hash such as 12e34567 for a number
    return f"sha256:{digest.hexdigest()[:16]}"


def fingerprint(path: str | Path) -> str:
    """Return a fingerprint of a raw file that does not depend on its path.

    It is the size and a hash of a few evenly spaced blocks, which takes seconds for thousands of
    large files. Times do not count, so a copied folder is the same. An edit of less than a block of
    pixels may go unnoticed.
    """
    path = Path(path)
    size = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if size <= BLOCKS * BLOCK_BYTES:
            digest.update(file.read())
        else:
            for number in range(BLOCKS):
                file.seek(number * (size - BLOCK_BYTES) // (BLOCKS - 1))
                digest.update(file.read(BLOCK_BYTES))
    return f"{size}:{digest.hexdigest()[:16]}"


def _starts(path: Path) -> list[Path]:
    """Return the file itself, or the files of a folder that its registry collects."""
    if not path.is_dir():
        return [path]
    registry = path / "registry.py"
    return [file for file in path.glob("*.py") if registry in _direct_imports(file)]


@cache
def _closure(path: Path) -> frozenset[Path]:
    """Return the file and every library file that it imports."""
    found = {path}
    waiting = [path]
    while waiting:
        for imported in _direct_imports(waiting.pop()):
            if imported not in found:
                found.add(imported)
                waiting.append(imported)
    return frozenset(found)


@cache
def _code(path: Path) -> ast.Module:
    """Return the syntax tree of a file without docstrings (it never holds comments)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _with_statements(tree):
        node.body = [line for line in node.body if not _is_text(line)]
    return tree


def _with_statements(node: Any) -> Iterator[Any]:
    """Yield every node with a body: module, classes, functions, branches and loops."""
    if isinstance(getattr(node, "body", None), list):
        yield node
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(node, part, None)
        for line in inner if isinstance(inner, list) else ():
            yield from _with_statements(line)


def _is_text(line: ast.stmt) -> bool:
    return (
        isinstance(line, ast.Expr)
        and isinstance(line.value, ast.Constant)
        and isinstance(line.value.value, str)
    )


@cache
def _meaning(path: Path) -> tuple[str, str]:
    """Return a file's place below :data:`SCRIPTS` and a hash of its syntax tree.

    The hash is empty for an ``__init__`` that only re-exports names.
    """
    tree = ast.dump(_code(path)).encode()
    digest = "" if _passes_names_on(path) else hashlib.sha256(tree).hexdigest()
    return path.relative_to(SCRIPTS).as_posix(), digest


def _passes_names_on(path: Path) -> bool:
    """Return whether a file is an ``__init__`` without code of its own.

    It may hold imports, ``__all__``, tables of names, and functions that look names up on demand.
    """
    return path.name == "__init__.py" and all(_passes_on(line) for line in _code(path).body)


def _passes_on(line: ast.stmt) -> bool:
    match line:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=body, orelse=[]):
            return all(_passes_on(inner) for inner in body)
        case ast.FunctionDef(name="__getattr__" | "__dir__"):
            return True
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=value)
        ):
            tables = ast.List | ast.Tuple | ast.Dict
            return name == "__all__" or (name.startswith("_") and isinstance(value, tables))
    return False


@cache
def _direct_imports(path: Path) -> frozenset[Path]:
    """Return the library files that a file imports, by the module that each name comes from.

    An ``__init__`` only re-exports names: its other imports do not count. Otherwise editing one
    baseline would retrain every network that shares its room with the code that applies them.
    """
    found: set[Path] = set()
    for node in _imports(_code(path)):
        for alias in node.names:
            if isinstance(node, ast.Import):
                found |= _file_of(alias.name)
            elif node.module:
                found |= _home_of(node.module, alias.name)
    if any(getattr(line, "name", None) == "__getattr__" for line in _code(path).body):
        # no known name is imported: anything in the room may be meant
        found |= set(path.parent.glob("*.py"))
    return frozenset(found)


def _imports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in _with_statements(tree):
        for part in ("body", "orelse", "finalbody"):
            for line in getattr(node, part, ()):
                if isinstance(line, ast.Import | ast.ImportFrom):
                    yield line


@cache
def _home_of(module: str, name: str) -> frozenset[Path]:
    """Return the file that a name of a module comes from."""
    if inner := _file_of(f"{module}.{name}"):
        return inner
    home = _named_on_page(module).get(name)
    return _file_of(home) if home else _file_of(module)


@cache
def _named_on_page(module: str) -> dict[str, str]:
    """Return the module of each name that an ``__init__`` re-exports."""
    page = SCRIPTS.joinpath(*module.split("."), "__init__.py")
    found: dict[str, str] = {}
    for node in ast.walk(_code(page)) if page.is_file() else ():
        match node:
            case ast.ImportFrom(module=str(home), names=names):
                found |= {alias.asname or alias.name: home for alias in names}
            case ast.Dict(keys=keys, values=values):
                # a table of names looked up on demand
                for key, value in zip(keys, values, strict=True):
                    match key, value:
                        case ast.Constant(value=str(name)), ast.Constant(value=str(home)):
                            found.setdefault(name, home)
    return found


@cache
def _pages_above(path: Path) -> frozenset[Path]:
    """Return the ``__init__`` files above a file: Python runs them first."""
    folders = [folder for folder in path.parents if folder.is_relative_to(SCRIPTS)]
    return frozenset(page for folder in folders if (page := folder / "__init__.py").is_file())


@cache
def _file_of(module: str) -> frozenset[Path]:
    """Return the file of a module; for a room, its ``__init__``."""
    room = module.removeprefix("crossres.").split(".")[0]
    if not (module + ".").startswith("crossres.") or room in GIVEN_AS_PARAMS:
        return frozenset()
    base = SCRIPTS.joinpath(*module.split("."))
    return frozenset(
        path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()
    )


def forget() -> None:
    """Clear the cache: within one start of Snakemake each file is read once."""
    for cached in (_closure, _code, _meaning, _direct_imports, _home_of,
                   _named_on_page, _pages_above, _file_of):  # fmt: skip
        cached.cache_clear()
