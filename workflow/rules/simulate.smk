def simulator_of(wildcards):
    """What simulates one channel, whatever else there is."""
    return experiment_of(wildcards).simulator.in_channel(wildcards.channel)


def code_of_simulator(wildcards):
    simulator = experiment_of(wildcards).simulator
    sample = f"crossres/samples/{simulator.sample.kind}.py"
    acquisition = f"crossres/simulate/acquisition/{simulator.acquisition.kind}.py"
    return code_hash("simulate_acquisition.py", sample, acquisition)


rule simulate_acquisition:
    output:
        input=passed_on(directory(Layout.fill(Layout.raw, role="input"))),
        target=passed_on(directory(Layout.fill(Layout.raw, role="target"))),
        truth=directory(Layout.truth),
    log:
        "logs/simulate_acquisition/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/simulate_acquisition/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=lambda wildcards: experiment_of(wildcards).numbered(
            wildcards.channel, wildcards.batch
        ),
        simulator=lambda wildcards: simulator_of(wildcards).as_params(),
        modalities=lambda wildcards: modalities_of(wildcards).as_params(),
        code=code_of_simulator,
    script:
        "../scripts/simulate_acquisition.py"
