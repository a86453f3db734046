# Measuring alone sees the targets of the blind test and the simulator's truth: one restoration of
# one batch a job, so that a further seed or network measures itself and nothing else.
from crossres.catalogue.figures import TABLES


def restored_batch(wildcards):
    """The images of a restoration; the registered pairs hold those of input and target."""
    names = [one.name for one in experiment_of(wildcards).restorations]
    return {"restored": Layout.restored_batch} if wildcards.restoration in names else {}


def noiseless_images(wildcards):
    """What the target's microscope would have given without noise, and its further scans."""
    experiment = experiment_of(wildcards)
    found = {}
    if experiment.simulated:
        found["truth"] = Layout.noiseless(experiment)
    if experiment.repeated:
        found["scans"] = Layout.truth
    return found


def method_of(wildcards):
    measured = experiment_of(wildcards).measured
    return next(one.method for one in measured if one.name == wildcards.restoration)


def truth_of_registration(wildcards):
    """What tells how far the registration of a batch is off the simulator's truth."""
    if not experiment_of(wildcards).stitched:
        return {}
    tiles = Layout.fill(Layout.tiles, channel=placing_channel(wildcards))
    return {
        "registered": Layout.stages["registered"],
        "displacements": Layout.displacement,
        "cut": Layout.stages["cut"],
        "input_tiles": Layout.fill(tiles, role="input"),
        "target_tiles": Layout.fill(tiles, role="target"),
    }


def parts_of_table(wildcards):
    """(path, restoration) of every table that is joined."""
    results = ChannelResults(experiment_of(wildcards), wildcards.channel)
    return results.parts_of(wildcards.table)


def restorations_of_table(wildcards):
    """The restoration that each of these tables measures."""
    return [one and vars(one) for _, one in parts_of_table(wildcards)]


def caption_of_table(wildcards):
    """What the report says of a table; nothing of those that it leaves out."""
    return TABLES[wildcards.table].caption if wildcards.table in TABLES else ""


rule measure_fields:
    input:
        unpack(restored_batch),
        unpack(noiseless_images),
        pairs=Layout.stages["registered"],
        registration=Layout.batch_tables["registration"],
    output:
        metrics=Layout.batch_tables["metrics"],
        structures=Layout.batch_tables["structures"],
    log:
        "logs/measure_fields/{experiment}/{channel}/{restoration}_{batch}.log",
    benchmark:
        "logs/measure_fields/{experiment}/{channel}/{restoration}_{batch}.tsv"
    wildcard_constraints:
        batch=r"test_\d+",
    conda:
        "../../envs/crossres.yaml"
    params:
        method=method_of,
        settings=settings("measure"),
        dims=settings("dims"),
        code=code_hash("measure_fields.py", "crossres/measure"),
    script:
        "../scripts/measure_fields.py"


rule measure_registration:
    input:
        unpack(truth_of_registration),
        truth=Layout.truth,
        registration=Layout.batch_tables["registration"],
    output:
        Layout.batch_tables["registration_error"],
    log:
        "logs/measure_registration/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/measure_registration/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        stitched=lambda wildcards: experiment_of(wildcards).stitched,
        sizes_nm=pixel_sizes_nm,
        code=code_hash("measure_registration.py"),
    script:
        "../scripts/measure_registration.py"


rule collect_tables:
    input:
        lambda wildcards: [path for path, _ in parts_of_table(wildcards)],
    output:
        report(
            Layout.table,
            caption="../report/table.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels=lambda wildcards: {
                "result": TABLES[wildcards.table].title,
                "kind": "table",
            },
        ),
    log:
        "logs/collect_tables/{experiment}/{channel}/{table}.log",
    benchmark:
        "logs/collect_tables/{experiment}/{channel}/{table}.tsv"
    wildcard_constraints:
        table="|".join(TABLES),
    conda:
        "../../envs/crossres.yaml"
    params:
        kind="{table}",
        caption=caption_of_table,
        restorations=restorations_of_table,
        provenance=provenance("collect_tables.py"),
    script:
        "../scripts/collect_tables.py"


# What is too long for the report.
use rule collect_tables as collect_details with:
    output:
        Layout.table,
    log:
        "logs/collect_details/{experiment}/{channel}/{table}.log",
    benchmark:
        "logs/collect_details/{experiment}/{channel}/{table}.tsv"
    wildcard_constraints:
        table="registration_error|structures",
    params:
        kind="{table}",
        restorations=restorations_of_table,
        provenance=provenance("collect_tables.py"),
