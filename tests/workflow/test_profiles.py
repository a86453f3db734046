"""What profiles say of the rules: every rule that takes a GPU is named in that of the cluster."""

import re

import yaml
from workflow_runs import REPOSITORY

RULE = re.compile(r"^(?:use )?rule (\w+)", re.MULTILINE)
SCRIPTS = REPOSITORY / "workflow" / "scripts"


def rule_texts():
    """The text of every rule, by its name."""
    texts = {}
    for path in sorted((REPOSITORY / "workflow" / "rules").glob("*.smk")):
        _, *parts = RULE.split(path.read_text())
        texts.update(zip(parts[::2], parts[1::2], strict=True))
    return texts


def rules_on_gpus():
    return {
        name for name, text in rule_texts().items() if re.search(r"^ +gpu=", text, re.MULTILINE)
    }


def slurm():
    return yaml.safe_load((REPOSITORY / "profiles" / "slurm" / "config.yaml").read_text())


def test_training_and_restoring_take_a_gpu_and_nothing_else_does():
    assert rules_on_gpus() == {"train_network", "restore_fields"}


def test_every_rule_that_takes_a_gpu_gets_a_partition_and_threads_on_a_cluster():
    profile = slurm()
    common = profile["default-resources"]["slurm_partition"]
    for rule in rules_on_gpus():
        assert profile["set-resources"][rule]["slurm_partition"] != common
        assert profile["set-threads"][rule] > 0


def test_profiles_name_no_rule_that_is_not_there():
    profile = slurm()
    known = rule_texts()
    for section in ("set-resources", "set-threads"):
        assert set(profile[section]) <= set(known)


def test_a_rule_that_may_use_the_whole_machine_is_given_a_number_on_a_cluster():
    whole = {name for name, text in rule_texts().items() if "WHOLE_MACHINE" in text}
    assert "train_network" in whole
    assert whole <= set(slurm()["set-threads"])


def test_a_device_is_known_to_rules_that_take_a_gpu_alone():
    # what does not ask for the card must not be told of it: register_fields took it unasked
    for name, text in rule_texts().items():
        assert ("device=" in text) == (name in rules_on_gpus()), name
        for script in re.findall(r'script:\s+"\.\./scripts/(\w+\.py)"', text):
            if name not in rules_on_gpus():
                assert "resources.device" not in (SCRIPTS / script).read_text(), script
                assert "cuda" not in (SCRIPTS / script).read_text(), script
