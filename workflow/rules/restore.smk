# Blind by construction: nothing here takes a target of the test split, directly or through
# anything it depends on. tests/workflow/test_blindness.py walks the graph to prove it.
from crossres.planning import Restoring

RESTORING = Restoring(CONFIG, EXPERIMENTS)


rule restore_fields:
    input:
        models=RESTORING.models,
        fields=Layout.stages["resampled"],
    output:
        directory(Layout.restored_batch),
    log:
        "logs/restore_fields/{experiment}/{channel}/{restoration}_{batch}.log",
    benchmark:
        "logs/restore_fields/{experiment}/{channel}/{restoration}_{batch}.tsv"
    wildcard_constraints:
        restoration=rf"({NETWORK})(\.seed_\d+|_ensemble|_blend)?",
    conda:
        "../../envs/crossres.yaml"
    threads: WHOLE_MACHINE
    resources:
        gpu=GPU,
        device=CONFIG.device,
    params:
        settings=RESTORING.settings("restoration"),
        share=RESTORING.share,
        code=RESTORING.code,
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
        modality=RESTORING.microscope,
        settings=RESTORING.method,
        background=RESTORING.settings("deconvolution", "background"),
        code=code_hash("tune_deconvolution.py"),
    script:
        "../scripts/tune_deconvolution.py"


rule choose_deconvolution:
    input:
        RESTORING.of_batches(Layout.scores, "validation"),
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
        modality=RESTORING.microscope,
        background=RESTORING.settings("deconvolution", "background"),
        code=code_hash("deconvolve_fields.py"),
    script:
        "../scripts/deconvolve_fields.py"


rule collect_restored:
    input:
        RESTORING.of_batches(Layout.restored_batch, *RESTORING.splits),
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
