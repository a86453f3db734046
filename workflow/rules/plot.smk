# Every figure is drawn twice, for the screen (png) and for print (svg); the report shows the png.
from crossres.catalogue.figures import FIGURES


def results_of(wildcards):
    return ChannelResults(experiment_of(wildcards), wildcards.channel)


def figures_of(experiment):
    """Names of the figures that an experiment has something to show in."""
    return [name for name, figure in FIGURES.items() if figure.shown(experiment)]


def needed(need, what):
    """Return a params function for what only figures need that are drawn from it."""
    return lambda wildcards: (
        what(results_of(wildcards)) if need in FIGURES[wildcards.figure].needs else []
    )


rule plot_figure:
    input:
        unpack(
            lambda wildcards: results_of(wildcards).inputs_of_figure(wildcards.figure)
        ),
    output:
        png=report(
            Layout.figure,
            caption="../report/figure.rst",
            category="{experiment}",
            subcategory="{channel}",
            labels=lambda wildcards: {
                "result": FIGURES[wildcards.figure].title,
                "kind": "figure",
            },
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
        caption=lambda wildcards: FIGURES[wildcards.figure].caption,
        restorations=needed("restored", lambda results: results.shown),
        histories=needed("histories", lambda results: results.trainings),
        grids=needed("grids", lambda results: results.searches),
        code=lambda wildcards: code_hash(f"plot_{wildcards.figure}.py"),
    script:
        "../scripts/plot_{wildcards.figure}.py"
