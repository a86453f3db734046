rule simulate_acquisition:
    output:
        input=directory(f"{CHANNEL}/raw/input/{{batch}}"),
        target=directory(f"{CHANNEL}/raw/target/{{batch}}"),
        truth=directory(f"{CHANNEL}/truth/{{batch}}"),
    log:
        "logs/simulate_acquisition/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/simulate_acquisition/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=lambda wildcards: numbered_fields(wildcards),
        simulator=lambda wildcards: simulator_of(wildcards),
        modalities=setting("modalities"),
        code=code_hash("simulate_acquisition.py"),
    script:
        "../scripts/simulate_acquisition.py"


def numbered_fields(wildcards):
    """Name each field of a batch with its number in the whole acquisition, which seeds it.

    Splits are numbered apart, so that more training fields leave the test fields as they are.
    """
    offset = {"train": 0, "validation": 10**6, "test": 2 * 10**6}
    split, _ = wildcards.batch.split("_")
    names = [f.name for f in experiment_of(wildcards).in_split(wildcards.channel, split)]
    return [(name, offset[split] + names.index(name)) for name in field_names(wildcards)]


def simulator_of(wildcards):
    """The number of fields is no setting of any one of them."""
    simulator = settings_of(wildcards, "source", "simulator")
    return {key: value for key, value in simulator.items() if key != "fields"}
