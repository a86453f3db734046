"""The catalogue of figures: what a rule needs to know of each."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import docutils.core
import pytest

import crossres
from crossres.catalogue.figures import FIGURES, TABLES
from crossres.settings import Measure, Spots

LIBRARY = Path(crossres.__file__).parent


def experiment(dims=2, spots=True, networks=("gan",), baselines=("nnls",)):
    measure = Measure(spots=Spots() if spots else None)
    return SimpleNamespace(
        dims=dims,
        restores=bool(networks or baselines),
        networks=networks,
        baselines=baselines,
        settings=SimpleNamespace(measure=measure),
    )


def shown(**changes):
    return {name for name, figure in FIGURES.items() if figure.shown(experiment(**changes))}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_a_module_and_a_script(name):
    assert (LIBRARY / "figures" / f"{name}.py").is_file()
    assert (LIBRARY.parent / f"plot_{name}.py").is_file()


def test_every_script_that_draws_is_in_the_catalogue():
    scripts = {path.stem.removeprefix("plot_") for path in LIBRARY.parent.glob("plot_*.py")}
    assert scripts == set(FIGURES)


def test_an_experiment_has_the_figures_that_it_has_something_to_show_in():
    everything = set(FIGURES)
    assert shown() == everything
    assert shown(spots=False) == everything - {"fwhm", "profiles"}
    assert shown(dims=3) == everything - {"profiles"}
    assert shown(networks=()) == everything - {"losses"}
    assert shown(baselines=()) == everything - {"deconvolution"}
    assert shown(networks=(), baselines=()) == {"registration"}


def test_fields_that_nobody_trained_on_are_shown_and_registration_of_all():
    splits = {name: figure.splits for name, figure in FIGURES.items() if "pairs" in figure.needs}
    assert splits.pop("registration") == ("train", "validation", "test")
    assert set(splits.values()) == {("test",)}


@pytest.mark.parametrize("entry", [*FIGURES.values(), *TABLES.values()], ids=lambda e: e.title)
def test_captions_are_restructured_text(entry):
    # any fault of markup is an error here, as it would stand in the report
    settings = {"halt_level": 2, "report_level": 2}
    page = docutils.core.publish_doctree(entry.caption, settings_overrides=settings)
    assert [child.tagname for child in page.children] == ["paragraph"]


def test_rules_read_the_catalogue_without_drawing_anything():
    code = "import crossres.catalogue.figures, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=LIBRARY.parent, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "matplotlib", "numpy", "pandas"} & set(loaded)
