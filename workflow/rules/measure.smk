# Measuring alone sees the targets of the blind test and the simulator's truth: one restoration of
# one batch a job, so that a further seed or network measures itself and nothing else.
from crossres.catalogue.figures import TABLES
from crossres.planning import Measuring

MEASURING = Measuring(CONFIG, EXPERIMENTS)


rule measure_fields:
    input:
        unpack(MEASURING.restored),
        unpack(MEASURING.noiseless),
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
        method=MEASURING.method,
        settings=MEASURING.settings("measure"),
        dims=MEASURING.settings("dims"),
        code=code_hash("measure_fields.py", "crossres/measure"),
    script:
        "../scripts/measure_fields.py"


rule measure_registration:
    input:
        unpack(MEASURING.truth_of_registration),
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
        stitched=MEASURING.stitched,
        sizes_nm=MEASURING.pixel_sizes_nm,
        code=code_hash("measure_registration.py"),
    script:
        "../scripts/measure_registration.py"


rule collect_tables:
    input:
        files=MEASURING.parts,
    output:
        report(
            Layout.table,
            caption="../report/table.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels=MEASURING.labels,
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
        caption=MEASURING.caption,
        restorations=MEASURING.restorations,
        provenance=MEASURING.provenance("measure_fields.py", "crossres/measure"),
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
        restorations=MEASURING.restorations,
        provenance=MEASURING.provenance("measure_fields.py", "crossres/measure"),
