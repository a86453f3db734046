rule extract_patches:
    input:
        train=batch_folders(f"{CHANNEL}/registered/{{batch}}", "train"),
        validation=batch_folders(f"{CHANNEL}/registered/{{batch}}", "validation"),
        registration=batch_folders(
            f"{CHANNEL}/registration/{{batch}}.csv", "train", "validation"
        ),
        raw=f"{CHANNEL}/imported/input/train_000",
    output:
        train=f"{CHANNEL}/patches/train.safetensors",
        validation=f"{CHANNEL}/patches/validation.safetensors",
        positions=f"{CHANNEL}/patches/positions.csv",
    log:
        "logs/extract_patches/{experiment}/{channel}.log",
    benchmark:
        "logs/extract_patches/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        raw_fields=reference_names("input"),
        preprocess=setting("preprocess"),
        settings=setting("patches"),
        code=code_hash("extract_patches.py"),
    script:
        "../scripts/extract_patches.py"


rule train_network:
    input:
        train=rules.extract_patches.output.train,
        validation=rules.extract_patches.output.validation,
        initial=initial_models,
    output:
        model=f"{CHANNEL}/models/{{network}}/seed_{{seed}}/model.safetensors",
        history=f"{CHANNEL}/models/{{network}}/seed_{{seed}}/history.csv",
    log:
        "logs/train_network/{experiment}/{channel}/{network}_seed_{seed}.log",
    benchmark:
        "logs/train_network/{experiment}/{channel}/{network}_seed_{seed}.tsv"
    conda:
        "../../envs/crossres.yaml"
    threads: WHOLE_MACHINE
    resources:
        gpu=0 if CONFIG["device"] == "cpu" else CONFIG["gpus_per_training"],
        # no param: as many GPUs as there are today give the same model up to rounding
        processes=1 if CONFIG["device"] == "cpu" else CONFIG["gpus_per_training"],
        device=CONFIG["device"],
    params:
        settings=network_settings,
        dims=setting("dims"),
        about=provenance("train_network.py"),
    script:
        "../scripts/train_network.py"


rule export_model:
    input:
        model=rules.train_network.output.model,
        fields=f"{CHANNEL}/upsampled/validation_000",
    output:
        f"{CHANNEL}/models/{{network}}/seed_{{seed}}/model.bioimageio.zip",
    log:
        "logs/export_model/{experiment}/{channel}/{network}_seed_{seed}.log",
    benchmark:
        "logs/export_model/{experiment}/{channel}/{network}_seed_{seed}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        title=setting("title"),
        code=code_hash("export_model.py"),
    script:
        "../scripts/export_model.py"
