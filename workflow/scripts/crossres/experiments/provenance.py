"""Which code a result depends on."""

import ast
import hashlib
from collections.abc import Iterable
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
    for path in sorted(_closure(SCRIPTS / script)):
        digest.update(str(path.relative_to(SCRIPTS)).encode())
        digest.update(path.read_bytes())
    # the name in front keeps readers of a table from taking 12e34567... for a number
    return f"sha256:{digest.hexdigest()[:16]}"


@cache
def _closure(path: Path) -> frozenset[Path]:
    """The file itself and all of the library's files that importing it loads."""
    found = {path}
    waiting = [path]
    while waiting:
        for imported in _direct_imports(waiting.pop()):
            if imported not in found:
                found.add(imported)
                waiting.append(imported)
    return frozenset(found)


@cache
def _direct_imports(path: Path) -> tuple[Path, ...]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
            modules.update(f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(_files_of(modules))


def _files_of(modules: Iterable[str]) -> Iterable[Path]:
    """Files of those modules that are ours, with the packages above them."""
    for module in modules:
        parts = module.split(".")
        if parts[0] != "crossres":
            continue
        for depth in range(1, len(parts) + 1):
            base = SCRIPTS.joinpath(*parts[:depth])
            for candidate in (base / "__init__.py", base.with_suffix(".py")):
                if candidate.is_file():
                    yield candidate
