from crossres.planning import Simulating

SIMULATING = Simulating(CONFIG, EXPERIMENTS)


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
        fields=SIMULATING.fields,
        simulator=SIMULATING.simulator,
        modalities=SIMULATING.microscopes,
        code=SIMULATING.code,
    script:
        "../scripts/simulate_acquisition.py"
