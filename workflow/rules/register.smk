def places_of_fields(wildcards):
    """What tells where each target lies: the images it is part of, and where fields were cut."""
    experiment = experiment_of(wildcards)
    if experiment.stitched:
        return {
            "within": Layout.before("cut", experiment, "input"),
            "cut": Layout.stages["cut"],
        }
    if experiment.settings.registration.locate:
        return {"within": Layout.before("resampled", experiment, "input")}
    return {}


rule register_fields:
    input:
        unpack(places_of_fields),
        inputs=Layout.stages["resampled"],
        targets=before("registered", "target"),
    output:
        fields=directory(Layout.stages["registered"]),
        displacements=directory(Layout.displacement),
        table=Layout.batch_tables["registration"],
    log:
        "logs/register_fields/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/register_fields/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=scenes_of_fields,
        settings=settings("registration"),
        made_by=lambda wildcards: [
            preparation_of(wildcards).made_by("registered", role)
            for role in ("input", "target")
        ],
        code=code_hash("register_fields.py"),
    script:
        "../scripts/register_fields.py"
