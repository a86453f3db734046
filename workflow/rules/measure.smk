

rule measure_fields:
    input:
        pairs=batch_folders(f"{CHANNEL}/registered/{{batch}}", "test"),
        registration=batch_folders(f"{CHANNEL}/registration/{{batch}}.csv", "test"),
        restored=restored_folders,
        truth=truth_folders,
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
        crop_px=setting("registration", "crop_px"),
        settings=setting("measure"),
        provenance=provenance("measure_fields.py"),
    script:
        "../scripts/measure_fields.py"


rule check_claims:
    input:
        published="resources/claims.tsv",
        tables=lambda wildcards: flattened(evidence_paths()),
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
        tables=per_channel(
            [
                f"{CHANNEL}/{table}.csv"
                for table in ("metrics", "structures", "registration")
            ]
        ),
        parameters=lambda wildcards: [
            p for c in report_channels() for p in c["parameters"]
        ],
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
