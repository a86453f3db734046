rule import_images:
    input:
        raw_images,
    output:
        directory(f"{CHANNEL}/imported/{{role}}/{{batch}}"),
    log:
        "logs/import_images/{experiment}/{channel}/{role}_{batch}.log",
    benchmark:
        "logs/import_images/{experiment}/{channel}/{role}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=rows_to_import,
        modality_pixel_size_nm=lambda wildcards: settings_of(
            wildcards, "modalities", wildcards.role
        ).get("pixel_size_nm"),
        cut=lambda wildcards: settings_of(wildcards, "source").get("cut"),
        code=code_hash("import_images.py"),
    script:
        "../scripts/import_images.py"


rule subtract_background:
    input:
        source=f"{CHANNEL}/imported/{{role}}/{{batch}}",
        reference=f"{CHANNEL}/imported/{{role}}/train_000",
    output:
        directory(f"{CHANNEL}/subtracted/{{role}}/{{batch}}"),
    log:
        "logs/subtract_background/{experiment}/{channel}/{role}_{batch}.log",
    benchmark:
        "logs/subtract_background/{experiment}/{channel}/{role}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=field_names,
        reference_fields=reference_names,
        background=setting("preprocess", "background"),
        code=code_hash("subtract_background.py"),
    script:
        "../scripts/subtract_background.py"


rule upsample_input:
    input:
        source=without_background("input"),
        reference=f"{CHANNEL}/imported/target/train_000",
    output:
        directory(f"{CHANNEL}/upsampled/{{batch}}"),
    log:
        "logs/upsample_input/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/upsample_input/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=field_names,
        reference_fields=reference_names,
        order=setting("preprocess", "interpolation_order"),
        code=code_hash("upsample_input.py"),
    script:
        "../scripts/upsample_input.py"
