# What is said of all experiments together: the papers' results against ours, and the summary.

RESULTS = [
    ChannelResults(experiment, channel)
    for experiment in ASKED
    for channel in experiment.channels
]
EVIDENCE = [results for results in RESULTS if results.experiment.restores]


def evidence(wildcards):
    """Paths of what claims are judged by, by experiment and channel."""
    found = {}
    for results in EVIDENCE:
        found.setdefault(results.experiment.name, {})[
            results.channel
        ] = results.evidence
    return found


rule check_claims:
    input:
        published="resources/claims.tsv",
        tables=[path for results in EVIDENCE for path in results.files_of_evidence],
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
        evidence=evidence,
        scale=CONFIG.scale,
        code=code_hash("check_claims.py", "crossres/claims"),
    script:
        "../scripts/check_claims.py"


rule write_report:
    input:
        claims=rules.check_claims.output,
        tables=[path for results in RESULTS for path in results.files_of_summary],
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
        channels=[results.summary for results in RESULTS],
        scale=CONFIG.scale,
        labels=LABELS,
        code=code_hash("write_report.py"),
    script:
        "../scripts/write_report.py"


def all_results():
    """Everything that `snakemake --cores all` makes."""
    made = [Layout.claims, Layout.summary]
    for results in RESULTS:
        made += [*results.tables.values(), *results.restored, *results.packages]
        made += [
            results.path(Layout.figure, figure=figure)
            for figure in figures_of(results.experiment)
        ]
    return made
