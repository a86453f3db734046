"""Running Snakemake on a copy of this workflow, and reading what it says it would do."""

import multiprocessing
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOW = ("Snakefile", "workflow", "config", "profiles", "resources", "envs")
RUN = "run.yaml"
"""Name of the configuration file that tests hand to --configfile."""

HEADER = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
ENTRY = re.compile(r"^ {4}(\w+): (.*)$")
TOTAL = re.compile(r"^total +(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """How a call of Snakemake ended and all that the user saw of it."""

    code: int
    text: str


@dataclass
class Job:
    """One job as a dry run lists it."""

    rule: str
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    wildcards: dict[str, str] = field(default_factory=dict)


def copy_workflow(folder: Path) -> Path:
    """Copy what a user needs to run the workflow, and nothing that a run has left."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in WORKFLOW:
        source = REPOSITORY / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)
    return folder


def environment() -> dict[str, str]:
    """The user's environment less what would change how Snakemake behaves."""
    unwanted = ("SNAKEMAKE_", "PYTEST_", "PYTHONPATH", "PYTHONWARNINGS")
    return {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}


def command(*arguments: str, configured: bool = True) -> list[str]:
    """The command line of a call; targets come first, as options would swallow them."""
    configuration = ["--configfile", RUN] if configured else []
    return [sys.executable, "-m", "snakemake", *arguments, *configuration]


FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["snakemake.cli", "snakemake.workflow", "numpy", "pydantic", "yaml"])
"""Calls fork off a process that has imported Snakemake already, which takes longer than a plan."""


def snakemake(folder: Path, *arguments: str, configured: bool = True) -> Result:
    """Call Snakemake in a folder and return how that ended."""
    with tempfile.NamedTemporaryFile("r", errors="replace") as said:
        _, _, _, *words = command(*arguments, configured=configured)
        call = FORKED.Process(target=call_snakemake, args=(folder, words, environment(), said.name))
        call.start()
        call.join(timeout=600)
        call.kill()
        call.join()
        return Result(call.exitcode or 0, said.read())


def call_snakemake(folder: Path, words: list[str], variables: dict[str, str], said: str) -> None:
    """Be a process of ``python -m snakemake`` in a folder, from where its imports are done."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    # the library of the copied workflow counts, not that of this repository
    own = [str(REPOSITORY / part) for part in ("workflow", "tests")]
    sys.path[:] = [str(folder), *(p for p in sys.path if not p.startswith(tuple(own)))]
    sys.argv = ["snakemake", *words]
    output = os.open(said, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(output, stream.fileno())
    from snakemake.cli import main

    main(words)


def succeed(folder: Path, *arguments: str, configured: bool = True) -> str:
    """Call Snakemake, which must succeed, and return what it wrote."""
    result = snakemake(folder, *arguments, configured=configured)
    assert result.code == 0, result.text
    return result.text


def refuse(folder: Path, *arguments: str, configured: bool = True) -> str:
    """Call Snakemake, which must fail in sentences, and return what it wrote."""
    result = snakemake(folder, *arguments, configured=configured)
    assert result.code != 0, result.text
    assert "Traceback (most recent call last)" not in result.text, result.text
    return result.text


def plan(folder: Path, *arguments: str, configured: bool = True) -> list[Job]:
    """Return the jobs that Snakemake would run, by a dry run."""
    text = succeed(folder, "--dry-run", *arguments, configured=configured)
    if "Nothing to be done" in text:
        return []
    jobs = read_jobs(text)
    totals = TOTAL.findall(text)
    assert totals and len(jobs) == int(totals[-1]), text
    return jobs


def read_jobs(text: str) -> list[Job]:
    """Read the jobs that a dry run lists; paths in these tests hold no comma."""
    jobs: list[Job] = []
    open_job = False
    for line in text.splitlines():
        header, entry = HEADER.match(line), ENTRY.match(line)
        if header:
            jobs.append(Job(header[1]))
            open_job = True
        elif entry and open_job:
            key, values = entry[1], entry[2].split(", ")
            if key == "input":
                jobs[-1].inputs = values
            elif key == "output":
                jobs[-1].outputs = values
            elif key == "wildcards":
                jobs[-1].wildcards = dict(value.split("=", 1) for value in values)
        else:
            open_job = False
    return jobs


def rules_of(jobs: Iterable[Job]) -> set[str]:
    """Names of the rules that the jobs are of, but for the one that only asks for all."""
    return {job.rule for job in jobs} - {"all"}


def figures_of(jobs: Iterable[Job]) -> set[str]:
    """Names of the figures that are drawn."""
    return {job.wildcards["figure"] for job in jobs if job.rule == "plot_figure"}


def wildcards_of(jobs: Iterable[Job], name: str, *rules: str) -> set[str]:
    """Values of a wildcard, in the jobs of some rules or of all."""
    return {
        job.wildcards[name]
        for job in jobs
        if name in job.wildcards and (not rules or job.rule in rules)
    }


def outputs_of(jobs: Iterable[Job], rule: str) -> set[str]:
    """Everything that jobs of one rule write."""
    return {path for job in jobs if job.rule == rule for path in job.outputs}
