# Stage scans: where the tiles lie, the mosaics they make, and the fields these are cut into.
from crossres.planning import Stitching

STITCHING = Stitching(CONFIG, EXPERIMENTS)


rule locate_tiles:
    input:
        STITCHING.before("stitched"),
    output:
        Layout.tiles,
    log:
        "logs/locate_tiles/{experiment}/{channel}/{role}_{batch}.log",
    benchmark:
        "logs/locate_tiles/{experiment}/{channel}/{role}_{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        tiles=STITCHING.tiles,
        overlap=STITCHING.overlap,
        made_by=STITCHING.made_by("stitched"),
        code=code_hash("locate_tiles.py"),
    script:
        "../scripts/locate_tiles.py"


rule stitch_tiles:
    input:
        tiles=STITCHING.before("stitched"),
        positions=STITCHING.positions(),
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
        mosaics=STITCHING.before("cut", "input"),
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
        fields=STITCHING.scenes_of_fields,
        grid=STITCHING.grid,
        made_by=STITCHING.made_by("cut", "input"),
        code=code_hash("cut_fields.py"),
    script:
        "../scripts/cut_fields.py"


rule place_truth:
    input:
        truth=Layout.truth,
        cut=Layout.stages["cut"],
        input_tiles=STITCHING.positions("input"),
    output:
        directory(Layout.placed_truth),
    log:
        "logs/place_truth/{experiment}/{channel}/{batch}.log",
    benchmark:
        "logs/place_truth/{experiment}/{channel}/{batch}.tsv"
    conda:
        "../../envs/crossres.yaml"
    params:
        fields=STITCHING.scenes_of_fields,
        sizes_nm=STITCHING.pixel_sizes_nm,
        code=code_hash("place_truth.py"),
    script:
        "../scripts/place_truth.py"
