rule measure_fields:
    input:
        pairs=batch_folders(f"{CHANNEL}/registered/{{batch}}", "test"),
        registration=batch_folders(f"{CHANNEL}/registration/{{batch}}.csv", "test"),
        restored=lambda wildcards: [
            f"{CHANNEL}/restored/{name}" for name, _, _ in experiment_of(wildcards).restorations()
        ],
        truth=lambda wildcards: truth_folders(wildcards),
    output:
        metrics=f"{CHANNEL}/metrics.csv",
        structures=f"{CHANNEL}/structures.csv",
    log:
        "logs/measure_fields/{experiment}/{channel}.log",
    benchmark:
        "logs/measure_fields/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        restorations=lambda wildcards: experiment_of(wildcards).restorations(),
        crop_px=setting("registration", "crop_px"),
        settings=setting("measure"),
        provenance=provenance("measure_fields.py"),
    script:
        "../scripts/measure_fields.py"


def truth_folders(wildcards):
    """The simulator's truth of the test fields; real images have none."""
    if not experiment_of(wildcards).simulated:
        return []
    return batch_folders(f"{CHANNEL}/truth/{{batch}}", "test")(wildcards)


def all_results():
    return per_channel(f"{CHANNEL}/metrics.csv") + per_channel(f"{CHANNEL}/registration.csv")
