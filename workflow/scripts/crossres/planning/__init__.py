"""What each rule takes: the input functions and params of workflow/rules, a file a rule file.

A stage is a class; its methods are handed to Snakemake as they are, or return what is handed over.
"""

from crossres.planning.measure import Measuring
from crossres.planning.plot import Plotting
from crossres.planning.preprocess import Preparing
from crossres.planning.register import Registering
from crossres.planning.report import Reporting
from crossres.planning.restore import Restoring
from crossres.planning.simulate import Simulating
from crossres.planning.stage import Stage
from crossres.planning.stitch import Stitching
from crossres.planning.train import Training

__all__ = [
    "Measuring",
    "Plotting",
    "Preparing",
    "Registering",
    "Reporting",
    "Restoring",
    "Simulating",
    "Stage",
    "Stitching",
    "Training",
]
