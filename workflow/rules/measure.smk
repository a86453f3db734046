RESTORED = f"{CHANNEL}/restored/{{restoration}}"


rule measure_fields:
    input:
        pairs=batch_folders(f"{CHANNEL}/registered/{{batch}}", "test"),
        registration=batch_folders(f"{CHANNEL}/registration/{{batch}}.csv", "test"),
        restored=lambda wildcards: restored_folders(wildcards),
        truth=lambda wildcards: truth_folders(wildcards),
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
        tables=per_channel([f"{CHANNEL}/metrics.csv", f"{CHANNEL}/registration.csv"]),
        parameters=lambda wildcards: [p for c in report_channels() for p in c["parameters"]],
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


def restored_folders(wildcards):
    """Folders of every restoration of a channel."""
    names = [name for name, _, _ in experiment_of(wildcards).restorations()]
    return expand(RESTORED, restoration=names, allow_missing=True)


def shown_folders(wildcards):
    """Folders of one restoration a method: what figures of images show."""
    experiment = experiment_of(wildcards)
    names = [name for name, method, _ in experiment.restorations() if name == method]
    return expand(RESTORED, restoration=names, allow_missing=True)


def truth_folders(wildcards):
    """The simulator's truth of the test fields; real images have none."""
    if not experiment_of(wildcards).simulated:
        return []
    return batch_folders(f"{CHANNEL}/truth/{{batch}}", "test")(wildcards)


def evidence_paths():
    """Tables by experiment that claims are judged by: those of its first channel."""
    found = {}
    for name, experiment in EXPERIMENTS.items():
        folder = CHANNEL.format(experiment=name, channel=experiment.channels[0])
        found[name] = {
            "metrics": f"{folder}/metrics.csv",
            "structures": f"{folder}/structures.csv",
            "histories": {
                network: f"{folder}/models/{network}/seed_{settings['seeds'][0]}/history.csv"
                for network, settings in experiment.settings["networks"].items()
            },
        }
    return found


def flattened(evidence):
    return [
        path
        for tables in evidence.values()
        for path in (tables["metrics"], tables["structures"], *tables["histories"].values())
    ]


def report_channels():
    """What the summary says of each channel, beside its tables."""
    found = []
    for name, experiment in EXPERIMENTS.items():
        for channel in experiment.channels:
            folder = CHANNEL.format(experiment=name, channel=channel)
            found.append(
                {
                    "experiment": name,
                    "channel": channel,
                    "title": experiment.settings["title"],
                    "data": "simulated" if experiment.simulated else "measured",
                    "cut": experiment.settings["source"].get("cut"),
                    "metrics": f"{folder}/metrics.csv",
                    "registration": f"{folder}/registration.csv",
                    "parameters": [
                        f"{folder}/deconvolution/{method}/parameters.json"
                        for method in experiment.baselines
                    ],
                }
            )
    return found
