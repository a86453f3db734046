from crossres.planning import Training

TRAINING = Training(CONFIG, EXPERIMENTS)


rule extract_patches:
    input:
        train=TRAINING.of_batches(Layout.stages["registered"], "train"),
        validation=TRAINING.of_batches(Layout.stages["registered"], "validation"),
        registration=TRAINING.of_batches(
            Layout.batch_tables["registration"], "train", "validation"
        ),
        constants=Layout.constants,
    output:
        **TRAINING.patches,
        positions=Layout.patch_positions,
    log:
        "logs/extract_patches/{experiment}/{channel}.log",
    benchmark:
        "logs/extract_patches/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        settings=TRAINING.settings("patches"),
        preprocess=TRAINING.settings("preprocess"),
        dims=TRAINING.settings("dims"),
        code=code_hash("extract_patches.py"),
    script:
        "../scripts/extract_patches.py"


rule train_network:
    input:
        **TRAINING.patches,
        initial=TRAINING.initial,
    output:
        model=Layout.model,
        history=Layout.history,
    log:
        "logs/train_network/{experiment}/{channel}/{network}_seed_{seed}.log",
    benchmark:
        "logs/train_network/{experiment}/{channel}/{network}_seed_{seed}.tsv"
    conda:
        "../../envs/crossres.yaml"
    threads: TRAINING.threads(workflow.cores, WHOLE_MACHINE)
    resources:
        gpu=GPU * CONFIG.gpus_per_training,
        # no param: as many GPUs as there are today give the same model up to rounding
        processes=max(1, GPU * CONFIG.gpus_per_training),
        device=CONFIG.device,
    params:
        settings=TRAINING.network,
        foreground=TRAINING.foreground,
        dims=TRAINING.settings("dims"),
        provenance=TRAINING.origin,
    script:
        "../scripts/train_network.py"


rule export_model:
    input:
        model=rules.train_network.output.model,
        fields=Layout.fill(Layout.stages["resampled"], batch="validation_000"),
    output:
        Layout.package,
    log:
        "logs/export_model/{experiment}/{channel}/{network}_seed_{seed}.log",
    benchmark:
        "logs/export_model/{experiment}/{channel}/{network}_seed_{seed}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        title=TRAINING.settings("title"),
        code=TRAINING.code("export_model.py"),
    script:
        "../scripts/export_model.py"
