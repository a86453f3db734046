"""docs/extending.md is true: its diffs apply, touch as few files as it says, and work."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tiny_experiments import simulated, write_experiment
from workflow_runs import REPOSITORY, copy_workflow, environment, plan

PAGE = REPOSITORY / "docs" / "extending.md"
KINDS = {"a sample": "sample", "a claim": "claim", "a measurement": "measurement"}
KINDS |= {"a network": "network", "a figure": "figure"}


@dataclass(frozen=True)
class Addition:
    """A section of the page: its diff, and the number of files that the table states."""

    diff: str
    files: int

    @property
    def touched(self) -> set[str]:
        return set(re.findall(r"^\+\+\+ b/(\S+)$", self.diff, re.MULTILINE))


def additions() -> dict[str, Addition]:
    text = PAGE.read_text(encoding="utf-8")
    counts = {name: int(n) for name, n in re.findall(r"^\| (an? \w+) \| (\d) \|", text, re.M)}
    sections = re.findall(r"^## (\w+ \w+): .*?^```diff\n(.*?)^```", text, re.M | re.S)
    return {KINDS[name.lower()]: Addition(diff, counts[name.lower()]) for name, diff in sections}


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of the repository with everything added."""
    folder = copy_workflow(tmp_path_factory.mktemp("extended") / "repository")
    (folder / "docs").mkdir()
    for page in (REPOSITORY / "docs").glob("*.md"):
        (folder / "docs" / page.name).write_text(page.read_text(encoding="utf-8"))
    for addition in additions().values():
        subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"],
            cwd=folder,
            input=addition.diff,
            text=True,
            check=True,
        )
    return folder


def python(folder: Path, code: str) -> str:
    """Run code with the extended library, and return what it prints."""
    library = {"PYTHONPATH": str(folder / "workflow" / "scripts")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**environment(), **library},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("kind", "most"),
    [("sample", 1), ("claim", 1), ("measurement", 2), ("network", 3), ("figure", 3)],
)
def test_an_addition_touches_as_few_files_as_the_page_says(kind, most):
    addition = additions()[kind]
    assert len(addition.touched) == addition.files <= most


def test_everything_added_is_planned(extended):
    settings = simulated(
        source__simulator__sample={"kind": "rings", "ring_diameter_nm": 120},
        networks={"dncnn": {"iterations": 4, "width": 4, "layers": 3}},
        measure__contrast={},
    )
    write_experiment(extended, settings, "added")
    jobs = plan(extended)
    trained = {job.wildcards["network"] for job in jobs if job.rule == "train_network"}
    assert trained == {"dncnn"}
    figures = {job.wildcards["figure"] for job in jobs if job.rule == "plot_figure"}
    assert "spectra" in figures


def test_the_sample_is_imaged(extended):
    printed = python(
        extended,
        """
import numpy as np
from crossres.samples import SAMPLES
rings = SAMPLES["rings"](kind="rings", density_per_um2=1.0, ring_diameter_nm=120.0)
found = rings.emitters((0.0, 20e3, 20e3), np.random.default_rng(0))
ring = found.facts["ring"]
whole = [r for r in np.unique(ring) if (ring == r).sum() == 8]
spread = [np.ptp(found.position_nm[ring == r, 1:], axis=0).max() for r in whole]
print(len(whole) > 300, round(float(np.median(spread))))
""",
    )
    # eight points on a ring: between 0.92 of its diameter and all of it
    many, widest_nm = printed.split()
    assert many == "True"
    assert 110 <= int(widest_nm) <= 120


def test_the_claim_is_judged(extended):
    printed = python(
        extended,
        """
import pandas as pd
from crossres.claims import judge_claim
from crossres.claims.evidence import Evidence
rows = [("f", f"pair_{n}", m, "peak_to_peak_nm", v)
        for n in range(10) for m, v in (("target", 200.0), ("gan", 205.0 if n < 7 else None))]
table = pd.DataFrame(rows, columns=["field", "structure", "method", "metric", "value"])
evidence = Evidence(pd.DataFrame(), table, {})
print(*judge_claim("W2", {"confocal_sted_beads": {"beads": evidence}}), sep=" | ")
""",
    )
    assert printed == "GAN resolves 7 of 10 pairs, 2.5% off STED's distance | reproduced"


def test_the_measurement_is_taken(extended):
    printed = python(
        extended,
        """
import numpy as np
from crossres.measure.field import measure_field
from crossres.measure.measured import MeasuredImage
from crossres.measure.registry import quantities, summary_columns
from crossres.settings import Measure
ramp = np.linspace(10.0, 30.0, 100).repeat(50).reshape(100, 50)
settings = Measure(contrast={"percentiles": [0.0, 100.0]})
metrics, _ = measure_field(MeasuredImage("input", ramp, ramp, 30.0, settings=settings))
value = metrics[metrics.metric == "michelson_contrast"].value.item()
print(value, quantities()["michelson_contrast"].heading,
      "michelson_contrast" in [q.name for q in summary_columns()])
""",
    )
    assert printed == "0.5 contrast True"


def test_the_network_is_built_named_and_followed(extended):
    printed = python(
        extended,
        """
import torch
from crossres.catalogue.methods import label_of
from crossres.catalogue.networks import module_of
from crossres.experiments import code_hash
from crossres.networks import build
image = torch.randn(1, 1, 9, 11)
print(tuple(build("dncnn", width=4, layers=3)(image).shape), label_of("dncnn"))
print(code_hash("train_network.py", module_of("dncnn")))
""",
    )
    shape_and_label, before = printed.splitlines()
    assert shape_and_label == "(1, 1, 9, 11) DnCNN"
    module = extended / "workflow" / "scripts" / "crossres" / "networks" / "dncnn.py"
    written = module.read_text()
    module.write_text(written.replace("F.relu(layer", "F.elu(layer"))
    after = python(
        extended,
        """
from crossres.catalogue.networks import module_of
from crossres.experiments import code_hash
print(code_hash("train_network.py", module_of("dncnn")))
""",
    )
    module.write_text(written)
    assert after != before


def test_the_figure_is_drawn(extended, tmp_path):
    python(
        extended,
        f"""
import numpy as np
from pathlib import Path
from crossres.images import Image, write_image
from plot_spectra import plot_spectra
rng = np.random.default_rng(0)
folder = Path({str(tmp_path)!r})
pair = rng.poisson(20, (2, 64, 64)).astype(np.float32)
roles = ("input", "target")
write_image(folder / "pairs" / "a.ome.tif", Image(pair, "CYX", 30.0, channels=roles))
write_image(folder / "gan" / "a.ome.tif", Image(pair[0], "YX", 30.0))
plot_spectra(folder / "pairs" / "a.ome.tif", {{"gan": folder / "gan"}}, [folder / "spectra.png"])
""",
    )
    assert (tmp_path / "spectra.png").stat().st_size > 5000
