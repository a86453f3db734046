

rule register_fields:
    input:
        unpack(places_of_fields),
        inputs=f"{CHANNEL}/upsampled/{{batch}}",
        targets=targets_to_register,
    output:
        fields=directory(f"{CHANNEL}/registered/{{batch}}"),
        displacements=directory(f"{CHANNEL}/displacement/{{batch}}"),
        table=f"{CHANNEL}/registration/{{batch}}.csv",
    log:
        "logs/register_fields/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/register_fields/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    resources:
        device=CONFIG["device"],
    params:
        fields=scenes_of_fields,
        settings=setting("registration"),
        code=code_hash("register_fields.py"),
    script:
        "../scripts/register_fields.py"


rule collect_registration:
    input:
        batch_folders(f"{CHANNEL}/registration/{{batch}}.csv", *MEASURED_SPLITS),
    output:
        report(
            f"{CHANNEL}/registration.csv",
            caption="../report/registration.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels={"result": "registration of every field", "kind": "table"},
        ),
    log:
        "logs/collect_registration/{experiment}/{channel}.log",
    benchmark:
        "logs/collect_registration/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        provenance=provenance("collect_registration.py"),
    script:
        "../scripts/collect_registration.py"
