# From raw images to inputs on the target's grid. Each rule takes what the stage before it made, as
# Experiment.stages has it; stages that are only passed on are deleted once they were used.
from crossres.planning import Preparing

PREPARING = Preparing(CONFIG, EXPERIMENTS)


rule import_images:
    input:
        PREPARING.raw,
    output:
        passed_on(directory(Layout.stages["imported"])),
    log:
        "logs/import_images/{experiment}/{channel}/{role}_{batch}.log",
    benchmark:
        "logs/import_images/{experiment}/{channel}/{role}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=PREPARING.importing("fields"),
        pixel_size_nm=PREPARING.importing("pixel_size_nm"),
        z_step_nm=PREPARING.importing("z_step_nm"),
        cut=PREPARING.importing("cut"),
        dims=PREPARING.importing("dims"),
        places=PREPARING.places,
        code=code_hash("import_images.py"),
    script:
        "../scripts/import_images.py"


rule find_constants:
    input:
        input=Layout.fill(Layout.stages["imported"], role="input", batch="train_000"),
        target=Layout.fill(Layout.stages["imported"], role="target", batch="train_000"),
    output:
        Layout.constants,
    log:
        "logs/find_constants/{experiment}/{channel}.log",
    benchmark:
        "logs/find_constants/{experiment}/{channel}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        names=PREPARING.reference_names,
        made_by=PREPARING.reference_made_by,
        background=PREPARING.settings("preprocess", "background"),
        code=code_hash("find_constants.py"),
    script:
        "../scripts/find_constants.py"


rule subtract_background:
    input:
        source=PREPARING.before("subtracted"),
        constants=Layout.constants,
    output:
        passed_on(directory(Layout.stages["subtracted"])),
    log:
        "logs/subtract_background/{experiment}/{channel}/{role}_{batch}.log",
    benchmark:
        "logs/subtract_background/{experiment}/{channel}/{role}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=PREPARING.names,
        code=code_hash("subtract_background.py"),
    script:
        "../scripts/subtract_background.py"


rule resample_input:
    input:
        source=PREPARING.before("resampled", "input"),
        constants=Layout.constants,
    output:
        directory(Layout.stages["resampled"]),
    log:
        "logs/resample_input/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/resample_input/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=PREPARING.field_names,
        order=PREPARING.settings("preprocess", "interpolation_order"),
        made_by=PREPARING.made_by("resampled", "input"),
        code=code_hash("resample_input.py"),
    script:
        "../scripts/resample_input.py"
