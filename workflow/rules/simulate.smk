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
        fields=numbered_fields,
        simulator=simulator_of,
        modalities=modalities_of,
        code=code_hash("simulate_acquisition.py"),
    script:
        "../scripts/simulate_acquisition.py"
