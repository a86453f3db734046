# Every figure is drawn twice, for the screen (png) and for print (svg); the report shows the png.
from crossres.catalogue.figures import FIGURES
from crossres.catalogue.methods import COLOURS, LABELS
from crossres.planning import Plotting

PLOTTING = Plotting(CONFIG, EXPERIMENTS)


rule plot_figure:
    input:
        unpack(PLOTTING.inputs),
    output:
        png=report(
            Layout.figure,
            caption="../report/figure.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels=PLOTTING.labels,
        ),
        svg=Layout.figure_for_print,
    log:
        "logs/plot_figure/{experiment}/{channel}/{figure}.log",
    benchmark:
        "logs/plot_figure/{experiment}/{channel}/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(FIGURES),
    conda:
        "../../envs/crossres.yaml"
    params:
        caption=PLOTTING.caption,
        restorations=PLOTTING.restorations,
        histories=PLOTTING.histories,
        grids=PLOTTING.grids,
        look=[LABELS, COLOURS],
        code=PLOTTING.code,
    script:
        "../scripts/plot_{wildcards.figure}.py"
