# What is said of all experiments together: the papers' results against ours, and the summary.
from crossres.planning import Reporting

REPORTING = Reporting(CONFIG, EXPERIMENTS)


rule check_claims:
    input:
        published="resources/claims.tsv",
        tables=REPORTING.files_of_evidence,
    output:
        report(
            Layout.claims,
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
        evidence=REPORTING.evidence,
        scale=CONFIG.scale,
        code=code_hash("check_claims.py", "crossres/claims"),
    script:
        "../scripts/check_claims.py"


rule write_report:
    input:
        claims=rules.check_claims.output,
        tables=REPORTING.files_of_summary,
        template="workflow/templates/summary.html",
    output:
        report(
            Layout.summary,
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
        channels=REPORTING.summaries,
        scale=CONFIG.scale,
        labels=LABELS,
        code=code_hash("write_report.py"),
    script:
        "../scripts/write_report.py"
