from crossres.catalogue.networks import module_of
from crossres.experiments import InitialModel, initial_model

PATCHES = {
    split: Layout.fill(Layout.patches, split=split) for split in ("train", "validation")
}


def network_settings(wildcards):
    """Settings of one network, but for what concerns no single training.

    How many seeds are trained changes none of them; the model to begin from is an input.
    """
    network = experiment_of(wildcards).networks[wildcards.network]
    return {
        **network.as_params(),
        "seeds": (int(wildcards.seed),),
        "initialise_from": None,
    }


def initial_models(wildcards):
    """The model of another experiment that a training begins from, if any."""
    found = initial_model(
        EXPERIMENTS,
        wildcards.experiment,
        wildcards.channel,
        wildcards.network,
        int(wildcards.seed),
    )
    if isinstance(found, InitialModel):
        return [Layout.fill(Layout.model, **vars(found))]
    return [] if found is None else [str(found)]


def foreground(wildcards):
    """What shows something in a patch."""
    patches = experiment_of(wildcards).settings.patches
    return {"level": patches.foreground_level, "fraction": patches.foreground_fraction}


def code_of_training(wildcards):
    return {
        **provenance("train_network.py")(wildcards),
        "code": code_hash("train_network.py", module_of(wildcards.network)),
    }


rule extract_patches:
    input:
        train=of_batches(Layout.stages["registered"], "train"),
        validation=of_batches(Layout.stages["registered"], "validation"),
        registration=of_batches(
            Layout.batch_tables["registration"], "train", "validation"
        ),
        constants=Layout.constants,
    output:
        **PATCHES,
        positions=Layout.patch_positions,
    log:
        "logs/extract_patches/{experiment}/{channel}.log",
    benchmark:
        "logs/extract_patches/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        settings=settings("patches"),
        preprocess=settings("preprocess"),
        dims=settings("dims"),
        code=code_hash("extract_patches.py"),
    script:
        "../scripts/extract_patches.py"


rule train_network:
    input:
        **PATCHES,
        initial=initial_models,
    output:
        model=Layout.model,
        history=Layout.history,
    log:
        "logs/train_network/{experiment}/{channel}/{network}_seed_{seed}.log",
    benchmark:
        "logs/train_network/{experiment}/{channel}/{network}_seed_{seed}.tsv"
    conda:
        "../../envs/crossres.yaml"
    threads: WHOLE_MACHINE
    resources:
        gpu=GPU * CONFIG.gpus_per_training,
        # no param: as many GPUs as there are today give the same model up to rounding
        processes=max(1, GPU * CONFIG.gpus_per_training),
        device=CONFIG.device,
    params:
        settings=network_settings,
        foreground=foreground,
        dims=settings("dims"),
        provenance=code_of_training,
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
        title=settings("title"),
        code=lambda wildcards: code_hash(
            "export_model.py", module_of(wildcards.network)
        ),
    script:
        "../scripts/export_model.py"
