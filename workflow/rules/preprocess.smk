rule import_images:
    input:
        lambda wildcards: raw_images(wildcards),
    output:
        directory(f"{CHANNEL}/imported/{{role}}/{{batch}}"),
    log:
        "logs/import_images/{experiment}/{channel}/{role}_{batch}.log",
    benchmark:
        "logs/import_images/{experiment}/{channel}/{role}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=lambda wildcards: rows_to_import(wildcards),
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
        reference_fields=lambda wildcards: [
            f.name for f in experiment_of(wildcards).in_batch(wildcards.channel, "train_000")
        ],
        background=setting("preprocess", "background"),
        code=code_hash("subtract_background.py"),
    script:
        "../scripts/subtract_background.py"


rule upsample_input:
    input:
        source=lambda wildcards: without_background("input", wildcards.batch)(wildcards),
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
        reference_field=lambda wildcards: experiment_of(wildcards)
        .in_batch(wildcards.channel, "train_000")[0]
        .name
        + ".ome.tif",
        order=setting("preprocess", "interpolation_order"),
        code=code_hash("upsample_input.py"),
    script:
        "../scripts/upsample_input.py"


def raw_images(wildcards):
    """A simulated batch's folder, or the files that a sheet names."""
    experiment = experiment_of(wildcards)
    if experiment.simulated:
        return f"{CHANNEL}/raw/{wildcards.role}/{{batch}}"
    batch = experiment.in_batch(wildcards.channel, wildcards.batch)
    return sorted({getattr(field, f"{wildcards.role}_path") for field in batch})


def rows_to_import(wildcards):
    """What import_images needs to know of each field of a batch."""
    experiment = experiment_of(wildcards)
    folder = CHANNEL.format(**wildcards) + f"/raw/{wildcards.role}/{wildcards.batch}"
    return [
        {
            "name": field.name,
            "path": getattr(field, f"{wildcards.role}_path") or f"{folder}/{field.name}.tif",
            "pixel_size_nm": getattr(field, f"{wildcards.role}_pixel_size_nm"),
            "cut_index": field.cut_index,
            "where": f"line {field.row}",
        }
        for field in experiment.in_batch(wildcards.channel, wildcards.batch)
    ]


def without_background(role, batch="{batch}"):
    """Return an input function for a batch as registration and restoration take it."""

    def folder(wildcards):
        method = settings_of(wildcards, "preprocess", "background", "method")
        stage = "imported" if method == "none" else "subtracted"
        return f"{CHANNEL}/{stage}/{role}/{batch}"

    return folder
