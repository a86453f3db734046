

rule register_shift:
    input:
        inputs=f"{CHANNEL}/upsampled/{{batch}}",
        targets=without_background("target"),
    output:
        fields=directory(f"{CHANNEL}/registered/{{batch}}"),
        table=f"{CHANNEL}/registration/{{batch}}.csv",
    log:
        "logs/register_shift/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/register_shift/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=field_names,
        settings=setting("registration"),
        code=code_hash("register_shift.py"),
    script:
        "../scripts/register_shift.py"


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
