# Blind by construction: nothing here takes a target of the test split, directly or through
# anything it depends on. tests/workflow/test_blindness.py walks the graph to prove it.
BLIND = ("test", "apply")


def restoration_of(wildcards):
    return experiment_of(wildcards).restoration(wildcards.restoration)


rule restore_fields:
    input:
        models=lambda wildcards: Layout.models(restoration_of(wildcards)),
        fields=Layout.stages["resampled"],
    output:
        directory(Layout.restored_batch),
    log:
        "logs/restore_fields/{experiment}/{channel}/{restoration}_{batch}.log",
    benchmark:
        "logs/restore_fields/{experiment}/{channel}/{restoration}_{batch}.tsv"
    wildcard_constraints:
        restoration=rf"({NETWORK})(\.seed_\d+|_ensemble)?",
    conda:
        "../../envs/crossres.yaml"
    threads: WHOLE_MACHINE
    resources:
        gpu=GPU,
        device=CONFIG.device,
    params:
        settings=settings("restoration"),
        code=lambda wildcards: code_hash(
            "restore_fields.py", module_of(restoration_of(wildcards).network)
        ),
    script:
        "../scripts/restore_fields.py"


rule tune_deconvolution:
    input:
        Layout.stages["registered"],
    output:
        Layout.scores,
    log:
        "logs/tune_deconvolution/{experiment}/{channel}/{method}_{batch}.log",
    benchmark:
        "logs/tune_deconvolution/{experiment}/{channel}/{method}_{batch}.tsv"
    wildcard_constraints:
        batch=r"validation_\d+",
    conda:
        "../../envs/crossres.yaml"
    threads: 2
    params:
        method="{method}",
        modality=lambda wildcards: modalities_of(wildcards).input.as_params(),
        settings=lambda wildcards: experiment_of(wildcards)
        .baselines[wildcards.method]
        .as_params(),
        background=settings("deconvolution", "background"),
        code=code_hash("tune_deconvolution.py"),
    script:
        "../scripts/tune_deconvolution.py"


rule choose_deconvolution:
    input:
        of_batches(Layout.scores, "validation"),
    output:
        grid=Layout.grid,
        chosen=Layout.parameters,
    log:
        "logs/choose_deconvolution/{experiment}/{channel}/{method}.log",
    benchmark:
        "logs/choose_deconvolution/{experiment}/{channel}/{method}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        method="{method}",
        code=code_hash("choose_deconvolution.py"),
    script:
        "../scripts/choose_deconvolution.py"


rule deconvolve_fields:
    input:
        chosen=rules.choose_deconvolution.output.chosen,
        fields=Layout.stages["resampled"],
    output:
        directory(Layout.restored_batch.replace("{restoration}", "{method}")),
    log:
        "logs/deconvolve_fields/{experiment}/{channel}/{method}_{batch}.log",
    benchmark:
        "logs/deconvolve_fields/{experiment}/{channel}/{method}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    threads: 2
    params:
        method="{method}",
        modality=lambda wildcards: modalities_of(wildcards).input.as_params(),
        background=settings("deconvolution", "background"),
        code=code_hash("deconvolve_fields.py"),
    script:
        "../scripts/deconvolve_fields.py"


rule collect_restored:
    input:
        of_batches(Layout.restored_batch, *BLIND),
    output:
        directory(Layout.restored),
    log:
        "logs/collect_restored/{experiment}/{channel}/{restoration}.log",
    benchmark:
        "logs/collect_restored/{experiment}/{channel}/{restoration}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        code=code_hash("collect_restored.py"),
    script:
        "../scripts/collect_restored.py"
