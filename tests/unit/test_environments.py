"""All ways to install crossres give the same versions."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENTS = sorted((REPOSITORY / "envs").glob("*.yaml"))


def pinned(lines):
    """Name and version of every pin, names as pip compares them."""
    pins = {}
    for line in lines:
        text = line.split("#")[0].strip()
        if text:
            requirement = Requirement(text)
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", f"{text} is no pin"
            pins[canonicalize_name(requirement.name)] = specifier.version
    return pins


def project():
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def declared(*extras):
    texts = list(project()["dependencies"])
    for extra in extras:
        texts += project()["optional-dependencies"][extra]
    return {canonicalize_name(r.name): r for r in map(Requirement, texts)}


@pytest.fixture(scope="module")
def constraints():
    return pinned((REPOSITORY / "constraints.txt").read_text().splitlines())


def pip_pins(path):
    (pip,) = [
        part["pip"]
        for part in yaml.safe_load(path.read_text())["dependencies"]
        if isinstance(part, dict)
    ]
    return pinned(pip)


def test_every_dependency_is_pinned_within_its_bounds(constraints):
    for name, requirement in declared(*project()["optional-dependencies"]).items():
        assert name in constraints, f"{name} has no pin in constraints.txt"
        assert requirement.specifier.contains(constraints[name]), f"{name} {constraints[name]}"


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.name)
def test_the_conda_environments_agree_with_the_constraints(path, constraints):
    pins = pip_pins(path)
    assert pins
    assert {name: constraints.get(name) for name in pins} == pins


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.name)
def test_the_conda_environments_hold_every_dependency(path):
    assert set(pip_pins(path)) == set(declared())


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.name)
def test_the_python_of_the_conda_environments_is_a_supported_one(path):
    dependencies = yaml.safe_load(path.read_text())["dependencies"]
    (python,) = [d for d in dependencies if isinstance(d, str) and d.startswith("python=")]
    version = python.removeprefix("python=").lstrip("=")
    supported = Requirement(f"python{project()['requires-python']}").specifier
    assert supported.contains(Version(version))


def test_every_conda_directive_names_an_environment_that_exists():
    for path in sorted((REPOSITORY / "workflow" / "rules").glob("*.smk")):
        for name in re.findall(r'conda:\s+"([^"]+)"', path.read_text()):
            assert (path.parent / name).resolve() in ENVIRONMENTS


def test_torch_is_pinned_to_the_version_that_was_checked(constraints):
    assert constraints["torch"] == "2.13.0"
    for path in ENVIRONMENTS:
        assert pip_pins(path)["torch"] == "2.13.0"


def test_torchvision_is_asked_for_nowhere():
    files = [REPOSITORY / "constraints.txt", REPOSITORY / "pyproject.toml", *ENVIRONMENTS]
    files += (REPOSITORY / "workflow").rglob("*.py")
    assert [path for path in files if "torchvision" in path.read_text()] == []


def test_everything_that_is_imported_is_declared():
    distributions = packages_distributions()
    imported = set()
    for path in (REPOSITORY / "workflow" / "scripts").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    # pydantic_core is pydantic, in another package
    foreign = imported - sys.stdlib_module_names - {"crossres", "pydantic_core"}
    needed = {canonicalize_name(distributions[name][0]) for name in foreign}
    assert needed <= set(declared())
