# What every stage asks of the configuration: the experiments, their settings, their batches.
import sys

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from snakemake.exceptions import WorkflowError

from crossres.catalogue.classical import CLASSICAL
from crossres.experiments import MEASURED, Layout, code_hash
from crossres.experiments import load_experiments, require_no_copies
from crossres.jobs import InputError
from crossres.settings.reading import load_config

try:
    CONFIG = load_config(config)
    EXPERIMENTS = load_experiments(CONFIG, Path("config/experiments"))
    if workflow.is_main_process:
        require_no_copies(EXPERIMENTS)
except InputError as error:
    raise WorkflowError(str(error)) from None

# On one machine Snakemake cuts this down to the cores there are, so that two jobs never share its
# GPU; on a cluster the profile sets its own number (set-threads). A limit in profiles/default
# would hold there too, as Snakemake reads that file beside any --profile.
WHOLE_MACHINE = 1024
GPU = 0 if CONFIG.device == "cpu" else 1

NETWORK = (
    "|".join(sorted({name for e in EXPERIMENTS.values() for name in e.networks}))
    or "none"
)
CLASSIC = "|".join(CLASSICAL)


wildcard_constraints:
    experiment="|".join(map(re.escape, EXPERIMENTS)),
    channel="[A-Za-z0-9_-]+",
    role="input|target",
    batch=r"(train|validation|test|apply)_\d+",
    network=NETWORK,
    seed=r"\d+",
    method=CLASSIC,
    restoration=rf"({NETWORK})(\.seed_\d+|_ensemble|_blend)?|{CLASSIC}|input|target|truth",


def passed_on(path):
    """Mark a stage that is only passed on to the next, and deleted when it has been."""
    return path if CONFIG.keep_stages else temp(path)
