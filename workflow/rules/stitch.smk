# Stage scans: where the tiles lie, the mosaics they make, and the fields these are cut into.


def placing_channel(wildcards):
    """The channel by which the tiles of this one are placed: its own, or the one named for all."""
    return experiment_of(wildcards).placing_channel or wildcards.channel


def stitching(wildcards):
    return experiment_of(wildcards).settings.source.stitch


def tiles_of_scenes(wildcards):
    """(scene, row, column) of every tile of a batch."""
    return [
        (tile.scene, *tile.place)
        for tile in preparation_of(wildcards).images(wildcards.role)
    ]


rule locate_tiles:
    input:
        before("stitched"),
    output:
        Layout.tiles,
    log:
        "logs/locate_tiles/{experiment}/{channel}/{role}_{batch}.log",
    benchmark:
        "logs/locate_tiles/{experiment}/{channel}/{role}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        tiles=tiles_of_scenes,
        overlap=lambda wildcards: getattr(stitching(wildcards).overlap, wildcards.role),
        made_by=made_by("stitched"),
        code=code_hash("locate_tiles.py"),
    script:
        "../scripts/locate_tiles.py"


rule stitch_tiles:
    input:
        tiles=before("stitched"),
        positions=lambda wildcards: Layout.fill(
            Layout.tiles, channel=placing_channel(wildcards)
        ),
    output:
        passed_on(directory(Layout.stages["stitched"])),
    log:
        "logs/stitch_tiles/{experiment}/{channel}/{role}_{batch}.log",
    benchmark:
        "logs/stitch_tiles/{experiment}/{channel}/{role}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        code=code_hash("stitch_tiles.py"),
    script:
        "../scripts/stitch_tiles.py"


rule cut_fields:
    input:
        mosaics=before("cut", "input"),
        constants=Layout.constants,
    output:
        directory(Layout.stages["cut"]),
    log:
        "logs/cut_fields/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/cut_fields/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=scenes_of_fields,
        grid=lambda wildcards: stitching(wildcards).fields.as_params(),
        made_by=made_by("cut", "input"),
        code=code_hash("cut_fields.py"),
    script:
        "../scripts/cut_fields.py"


rule place_truth:
    input:
        truth=Layout.truth,
        cut=Layout.stages["cut"],
        input_tiles=lambda wildcards: Layout.fill(
            Layout.tiles, channel=placing_channel(wildcards), role="input"
        ),
    output:
        directory(Layout.placed_truth),
    log:
        "logs/place_truth/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/place_truth/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=scenes_of_fields,
        sizes_nm=lambda wildcards: pixel_sizes_nm(wildcards),
        code=code_hash("place_truth.py"),
    script:
        "../scripts/place_truth.py"
