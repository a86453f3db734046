# From raw images to inputs on the target's grid. Each rule takes what the stage before it made, as
# Experiment.stages has it; stages that are only passed on are deleted once they were used.
from crossres.experiments import Preparation


def preparation_of(wildcards, batch=None):
    return Preparation(
        experiment_of(wildcards), wildcards.channel, batch or wildcards.batch
    )


def before(stage, role=None):
    """Return an input function for the folder of images that a stage takes."""
    return lambda wildcards: Layout.before(
        stage, experiment_of(wildcards), role or wildcards.role
    )


def made_by(stage, role=None):
    """Return a params function for what made these images, which may be gone."""
    return lambda wildcards: preparation_of(wildcards).made_by(
        stage, role or wildcards.role
    )


def importing(key):
    """Return a params function for a part of what decides the import's result."""
    return lambda wildcards: preparation_of(wildcards).importing(wildcards.role)[key]


def names_of_images(wildcards):
    return [image.name for image in preparation_of(wildcards).images(wildcards.role)]


# Snakemake compares no params that are made of an input: images that were moved, and a row that
# moved in its sheet, import nothing anew.
def places_of_images(wildcards, input):
    """Where each image lies, and who says so."""
    return preparation_of(wildcards).places(wildcards.role, str(input))


rule import_images:
    input:
        # files of a sheet are no inputs: they are known by their content
        lambda wildcards: Layout.raw if experiment_of(wildcards).simulated else [],
    output:
        passed_on(directory(Layout.stages["imported"])),
    log:
        "logs/import_images/{experiment}/{channel}/{role}_{batch}.log",
    benchmark:
        "logs/import_images/{experiment}/{channel}/{role}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=importing("fields"),
        pixel_size_nm=importing("pixel_size_nm"),
        z_step_nm=importing("z_step_nm"),
        cut=importing("cut"),
        dims=importing("dims"),
        places=places_of_images,
        code=code_hash("import_images.py"),
    script:
        "../scripts/import_images.py"


def reference(wildcards):
    """The batch that constants are taken from."""
    return preparation_of(wildcards, "train_000")


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
        names=lambda wildcards: {
            role: [image.name for image in reference(wildcards).images(role)]
            for role in ("input", "target")
        },
        made_by=lambda wildcards: [
            reference(wildcards).imported_by(role) for role in ("input", "target")
        ],
        background=settings("preprocess", "background"),
        code=code_hash("find_constants.py"),
    script:
        "../scripts/find_constants.py"


rule subtract_background:
    input:
        source=before("subtracted"),
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
        fields=names_of_images,
        code=code_hash("subtract_background.py"),
    script:
        "../scripts/subtract_background.py"


rule resample_input:
    input:
        source=before("resampled", "input"),
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
        fields=field_names,
        order=settings("preprocess", "interpolation_order"),
        made_by=made_by("resampled", "input"),
        code=code_hash("resample_input.py"),
    script:
        "../scripts/resample_input.py"
