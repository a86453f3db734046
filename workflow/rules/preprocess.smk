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
        fields=image_names,
        reference_fields=reference_names(),
        background=setting("preprocess", "background"),
        code=code_hash("subtract_background.py"),
    script:
        "../scripts/subtract_background.py"


rule locate_tiles:
    input:
        lambda wildcards: without_background(wildcards.role)(wildcards),
    output:
        f"{CHANNEL}/tiles/{{role}}/{{batch}}.csv",
    log:
        "logs/locate_tiles/{experiment}/{channel}/{role}_{batch}.log",
    benchmark:
        "logs/locate_tiles/{experiment}/{channel}/{role}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        tiles=tiles_of_scenes,
        overlap=lambda wildcards: settings_of(
            wildcards, "source", "stitch", "overlap", wildcards.role
        ),
        code=code_hash("locate_tiles.py"),
    script:
        "../scripts/locate_tiles.py"


rule stitch_tiles:
    input:
        tiles=lambda wildcards: without_background(wildcards.role)(wildcards),
        positions=positions_of_tiles,
    output:
        directory(f"{CHANNEL}/stitched/{{role}}/{{batch}}"),
    log:
        "logs/stitch_tiles/{experiment}/{channel}/{role}_{batch}.log",
    benchmark:
        "logs/stitch_tiles/{experiment}/{channel}/{role}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        code=code_hash("stitch_tiles.py"),
    script:
        "../scripts/stitch_tiles.py"


rule cut_fields:
    input:
        mosaics=f"{CHANNEL}/stitched/input/{{batch}}",
        reference=f"{CHANNEL}/imported/target/train_000",
    output:
        directory(f"{CHANNEL}/cut/{{batch}}"),
    log:
        "logs/cut_fields/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/cut_fields/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=scenes_of_fields,
        reference_fields=reference_names("target"),
        grid=setting("source", "stitch", "fields"),
        code=code_hash("cut_fields.py"),
    script:
        "../scripts/cut_fields.py"


rule upsample_input:
    input:
        source=fields_to_upsample,
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
        reference_fields=reference_names("target"),
        order=setting("preprocess", "interpolation_order"),
        code=code_hash("upsample_input.py"),
    script:
        "../scripts/upsample_input.py"
