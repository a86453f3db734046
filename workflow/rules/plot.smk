# Every figure is drawn twice, for the screen (png) and for print (svg); the report shows the png.


rule plot_registration:
    input:
        registration=f"{CHANNEL}/registration.csv",
        errors=lambda wildcards: registration_errors(
            experiment_of(wildcards), wildcards.channel
        ),
        pairs=batch_folders(f"{CHANNEL}/registered/{{batch}}", *MEASURED_SPLITS),
        displacements=batch_folders(
            f"{CHANNEL}/displacement/{{batch}}", *MEASURED_SPLITS
        ),
    output:
        png=report(
            f"{FIGURE}/registration.png",
            caption="../report/registration_figure.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels={"result": "how the pairs were aligned", "kind": "figure"},
        ),
        svg=f"{FIGURE}/registration.svg",
    log:
        "logs/plot_registration/{experiment}/{channel}.log",
    benchmark:
        "logs/plot_registration/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        code=code_hash("plot_registration.py"),
    script:
        "../scripts/plot_registration.py"


rule plot_fwhm:
    input:
        rules.measure_fields.output.structures,
    output:
        png=report(
            f"{FIGURE}/fwhm.png",
            caption="../report/fwhm.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels={"result": "FWHM histograms", "kind": "figure"},
        ),
        svg=f"{FIGURE}/fwhm.svg",
        peaks=f"{FIGURE}/fwhm.csv",
    log:
        "logs/plot_fwhm/{experiment}/{channel}.log",
    benchmark:
        "logs/plot_fwhm/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        code=code_hash("plot_fwhm.py"),
    script:
        "../scripts/plot_fwhm.py"


rule plot_snr:
    input:
        rules.measure_fields.output.metrics,
    output:
        png=report(
            f"{FIGURE}/snr.png",
            caption="../report/snr.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels={"result": "SNR and similarity, table", "kind": "figure"},
        ),
        svg=f"{FIGURE}/snr.svg",
    log:
        "logs/plot_snr/{experiment}/{channel}.log",
    benchmark:
        "logs/plot_snr/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        code=code_hash("plot_snr.py"),
    script:
        "../scripts/plot_snr.py"


rule plot_quality:
    input:
        rules.measure_fields.output.metrics,
    output:
        png=report(
            f"{FIGURE}/quality.png",
            caption="../report/quality.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels={"result": "similarity of every field", "kind": "figure"},
        ),
        svg=f"{FIGURE}/quality.svg",
    log:
        "logs/plot_quality/{experiment}/{channel}.log",
    benchmark:
        "logs/plot_quality/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        code=code_hash("plot_quality.py"),
    script:
        "../scripts/plot_quality.py"


rule plot_examples:
    input:
        metrics=rules.measure_fields.output.metrics,
        pairs=batch_folders(f"{CHANNEL}/registered/{{batch}}", "test"),
        restored=shown_folders,
    output:
        png=report(
            f"{FIGURE}/examples.png",
            caption="../report/examples.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels={"result": "example fields", "kind": "figure"},
        ),
        svg=f"{FIGURE}/examples.svg",
    log:
        "logs/plot_examples/{experiment}/{channel}.log",
    benchmark:
        "logs/plot_examples/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        code=code_hash("plot_examples.py"),
    script:
        "../scripts/plot_examples.py"


rule plot_profiles:
    input:
        structures=rules.measure_fields.output.structures,
        pairs=batch_folders(f"{CHANNEL}/registered/{{batch}}", "test"),
        restored=shown_folders,
    output:
        png=report(
            f"{FIGURE}/profiles.png",
            caption="../report/profiles.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels={"result": "profiles through close pairs", "kind": "figure"},
        ),
        svg=f"{FIGURE}/profiles.svg",
    log:
        "logs/plot_profiles/{experiment}/{channel}.log",
    benchmark:
        "logs/plot_profiles/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        code=code_hash("plot_profiles.py"),
    script:
        "../scripts/plot_profiles.py"


rule plot_losses:
    input:
        history_tables,
    output:
        png=report(
            f"{FIGURE}/losses.png",
            caption="../report/losses.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels={"result": "training curves", "kind": "figure"},
        ),
        svg=f"{FIGURE}/losses.svg",
    log:
        "logs/plot_losses/{experiment}/{channel}.log",
    benchmark:
        "logs/plot_losses/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        code=code_hash("plot_losses.py"),
    script:
        "../scripts/plot_losses.py"


rule plot_deconvolution:
    input:
        lambda wildcards: expand(
            rules.tune_deconvolution.output.grid,
            method=experiment_of(wildcards).baselines,
            allow_missing=True,
        ),
    output:
        png=report(
            f"{FIGURE}/deconvolution.png",
            caption="../report/deconvolution.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels={"result": "search for the best deconvolution", "kind": "figure"},
        ),
        svg=f"{FIGURE}/deconvolution.svg",
    log:
        "logs/plot_deconvolution/{experiment}/{channel}.log",
    benchmark:
        "logs/plot_deconvolution/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        code=code_hash("plot_deconvolution.py"),
    script:
        "../scripts/plot_deconvolution.py"
