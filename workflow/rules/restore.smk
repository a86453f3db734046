# Blind by construction: nothing here takes a target of the test split, directly or through
# anything it depends on. tests/workflow/test_blindness.py walks the graph to prove it.
BLIND_SPLITS = ("test", "apply")


rule restore_fields:
    input:
        models=models_of,
        fields=batch_folders(f"{CHANNEL}/upsampled/{{batch}}", *BLIND_SPLITS),
    output:
        restored=directory(f"{CHANNEL}/restored/{{restoration}}"),
    log:
        "logs/restore_fields/{experiment}/{channel}/{restoration}.log",
    benchmark:
        "logs/restore_fields/{experiment}/{channel}/{restoration}.tsv"
    wildcard_constraints:
        experiment=without_spread(),
        restoration=rf"({NETWORK})(\.seed_\d+)?",
    conda:
        "../../envs/crossres.yaml"
    threads: WHOLE_MACHINE
    resources:
        gpu=0 if CONFIG["device"] == "cpu" else 1,
        device=CONFIG["device"],
    params:
        settings=setting("restoration"),
        code=code_hash("restore_fields.py"),
    script:
        "../scripts/restore_fields.py"


# What the rule above does not take: several restorations of a field, their mean and their spread.
use rule restore_fields as restore_ensembles with:
    output:
        restored=directory(f"{CHANNEL}/restored/{{restoration}}"),
        spread=directory(f"{CHANNEL}/spread/{{restoration}}"),
    log:
        "logs/restore_ensembles/{experiment}/{channel}/{restoration}.log",
    benchmark:
        "logs/restore_ensembles/{experiment}/{channel}/{restoration}.tsv"
    wildcard_constraints:
        experiment="|".join(map(re.escape, EXPERIMENTS)) or "none",
        restoration=rf"({NETWORK})(\.seed_\d+|_ensemble)?",


ruleorder: restore_fields > restore_ensembles


# New images, by a model that is there: no experiment, no data, no training. The images themselves
# and their table are not declared, as Snakemake would delete all where one cannot be restored.
rule restore_new:
    input:
        models=new_files("models"),
        images=new_files("images"),
    output:
        touch(f"{NEW_FOLDER}/.all_restored"),
    log:
        "logs/restore_new.log",
    benchmark:
        "logs/restore_new.tsv"
    conda:
        "../../envs/crossres.yaml"
    threads: WHOLE_MACHINE
    resources:
        gpu=0 if CONFIG["device"] == "cpu" else 1,
        device=CONFIG["device"],
    params:
        models=new_paths("models"),
        images=new_paths("images"),
        settings=new_settings,
        code=code_hash("restore_new.py"),
    script:
        "../scripts/restore_new.py"


rule tune_deconvolution:
    input:
        batch_folders(f"{CHANNEL}/registered/{{batch}}", "validation"),
    output:
        grid=f"{CHANNEL}/deconvolution/{{method}}/grid.csv",
        chosen=f"{CHANNEL}/deconvolution/{{method}}/parameters.json",
    log:
        "logs/tune_deconvolution/{experiment}/{channel}/{method}.log",
    benchmark:
        "logs/tune_deconvolution/{experiment}/{channel}/{method}.tsv"
    conda:
        "../../envs/crossres.yaml"
    threads: 2
    params:
        modality=modality_of("input"),
        settings=lambda wildcards: settings_of(
            wildcards, "deconvolution", wildcards.method
        ),
        background=setting("deconvolution", "background"),
        code=code_hash("tune_deconvolution.py"),
    script:
        "../scripts/tune_deconvolution.py"


rule deconvolve_fields:
    input:
        chosen=rules.tune_deconvolution.output.chosen,
        fields=batch_folders(f"{CHANNEL}/upsampled/{{batch}}", *BLIND_SPLITS),
    output:
        directory(f"{CHANNEL}/restored/{{method}}"),
    log:
        "logs/deconvolve_fields/{experiment}/{channel}/{method}.log",
    benchmark:
        "logs/deconvolve_fields/{experiment}/{channel}/{method}.tsv"
    conda:
        "../../envs/crossres.yaml"
    threads: 2
    params:
        modality=modality_of("input"),
        background=setting("deconvolution", "background"),
        code=code_hash("deconvolve_fields.py"),
    script:
        "../scripts/deconvolve_fields.py"
