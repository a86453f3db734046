from crossres.planning import Registering

REGISTERING = Registering(CONFIG, EXPERIMENTS)


rule register_fields:
    input:
        unpack(REGISTERING.places_of_fields),
        inputs=Layout.stages["resampled"],
        targets=REGISTERING.before("registered", "target"),
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
        fields=REGISTERING.scenes_of_fields,
        settings=REGISTERING.settings("registration"),
        made_by=REGISTERING.made_by("registered", "input", "target"),
        code=code_hash("register_fields.py"),
    script:
        "../scripts/register_fields.py"
