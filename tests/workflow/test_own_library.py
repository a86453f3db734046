"""Jobs run the library of the checkout they belong to, whatever else is installed."""

from tiny_experiments import EXPERIMENT
from workflow_runs import succeed

EDIT = """
from crossres.catalogue.methods import LABELS
LABELS["nnls"] = "as edited here"
"""


def test_a_job_imports_the_library_of_its_own_checkout(finished_copy):
    style = finished_copy / "workflow" / "scripts" / "crossres" / "figures" / "style.py"
    style.write_text(f"{style.read_text()}\n{EDIT}\n")
    figure = f"results/{EXPERIMENT}/beads/figures/snr.svg"
    assert "as edited here" not in (finished_copy / figure).read_text()
    succeed(finished_copy, figure)
    assert "as edited here" in (finished_copy / figure).read_text()
