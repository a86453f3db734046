

rule measure_fields:
    input:
        pairs=batch_folders(f"{CHANNEL}/registered/{{batch}}", "test"),
        registration=batch_folders(f"{CHANNEL}/registration/{{batch}}.csv", "test"),
        restored=restored_folders,
        scans=further_scans,
    output:
        metrics=report(
            f"{CHANNEL}/metrics.csv",
            caption="../report/metrics.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels={"result": "all metrics", "kind": "table"},
        ),
        structures=f"{CHANNEL}/structures.csv",
    log:
        "logs/measure_fields/{experiment}/{channel}.log",
    benchmark:
        "logs/measure_fields/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        restorations=lambda wildcards: experiment_of(wildcards).restorations(),
        settings=setting("measure"),
        provenance=provenance("measure_fields.py"),
    script:
        "../scripts/measure_fields.py"


rule measure_registration:
    input:
        unpack(registration_truth),
    output:
        f"{CHANNEL}/registration_error.csv",
    log:
        "logs/measure_registration/{experiment}/{channel}.log",
    benchmark:
        "logs/measure_registration/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        stitched=lambda wildcards: experiment_of(wildcards).stitched,
        sizes_nm=lambda wildcards: {
            role: modality["pixel_size_nm"]
            for role, modality in settings_of(wildcards, "modalities").items()
        },
        provenance=provenance("measure_registration.py"),
    script:
        "../scripts/measure_registration.py"


rule check_claims:
    input:
        published="resources/claims.tsv",
        tables=lambda wildcards: evidence_files(),
    output:
        report(
            "results/claims.csv",
            caption="../report/claims.rst",
            category="Summary",
            labels={"result": "published results against ours", "kind": "table"},
        ),
    log:
        "logs/check_claims.log",
    benchmark:
        "logs/check_claims.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        evidence=lambda wildcards: evidence_paths(),
        about={"scale": CONFIG["scale"]},
        code=code_hash("check_claims.py"),
    script:
        "../scripts/check_claims.py"


rule write_report:
    input:
        claims=rules.check_claims.output,
        tables=lambda wildcards: report_tables(),
    output:
        report(
            "results/summary.html",
            caption="../report/summary.rst",
            category="Summary",
            labels={"result": "what this run found", "kind": "page"},
        ),
    log:
        "logs/write_report.log",
    benchmark:
        "logs/write_report.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        channels=lambda wildcards: report_channels(),
        scale=CONFIG["scale"],
        code=code_hash("write_report.py"),
    script:
        "../scripts/write_report.py"
