"""Each sample of the simulator has keys of its own."""

import pytest

from crossres.jobs import InputError
from crossres.settings import load_experiment_settings

SCAN = {"rows": 2, "columns": 2, "tile_px": 128, "overlap": 0.2}
STAGE = {"kind": "stage", "scenes": {"train": 1, "validation": 1, "test": 1},
         "scan": {"input": SCAN, "target": SCAN}}  # fmt: skip
CELLS = {"kind": "cells", "stains": {"actin": {"structure": "filaments"}}}
STITCH = {"fields": {"rows": 1, "columns": 1, "size_px": 128}}
FIELDS = {"train": 1, "validation": 1, "test": 1}
VOLUME = {"kind": "volume", "slices": 9, "field_px": 128, "fields": FIELDS}


@pytest.fixture
def load(settings, write_experiment):
    def load_with(sample, acquisition=None, **others):
        settings["source"]["simulator"]["sample"] = sample
        if acquisition is not None:
            settings["source"]["simulator"]["acquisition"] = acquisition
        settings["source"] |= others.pop("source", {})
        for role in ("input", "target"):
            settings["modalities"][role] |= others.pop("microscope", {})
        settings.update(others)
        return load_experiment_settings("beads", "paper", write_experiment(settings))

    return load_with


@pytest.fixture
def refusal(load):
    def refusal_of(*given, **others):
        with pytest.raises(InputError) as fault:
            load(*given, **others)
        return str(fault.value)

    return refusal_of


def test_nuclei_have_their_defaults(load):
    repeats = {"kind": "repeats", "field_px": 128, "fields": FIELDS}
    simulator = load({"kind": "nuclear_puncta", "haze": 0.3}, repeats).source.simulator
    assert simulator.sample.haze == 0.3
    assert simulator.sample.puncta_per_um2 > 0
    # Wang 2019, Fig. 5 shows three scans
    assert simulator.acquisition.scans == 3


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ({"kind": "nuclear_puncta", "density_per_um2": 1},
         "sample.density_per_um2: unknown key here; kind is nuclear_puncta, beads has it"),
        ({"kind": "nuclear_puncta", "pair_fraction": 0.1},
         "sample.pair_fraction: unknown key here; kind is nuclear_puncta, beads has it"),
        ({"kind": "nuclear_puncta", "haz": 1},
         "source.simulator.sample.haz: unknown key (did you mean haze?"),
        ({"kind": "nuclei"}, "source.simulator.sample.kind is 'nuclei'; it can be bead_volume, b"),
        ({}, "source.simulator.sample.kind is missing; it can be bead_volume, beads, cells"),
        ("beads", "source.simulator.sample is 'beads'; give a section, such as {kind: beads}"),
    ],
)  # fmt: skip
def test_keys_of_another_sample_are_refused(refusal, sample, words):
    assert words in refusal(sample)


def test_cells_are_scanned_by_a_stage(load):
    settings = load(CELLS, STAGE, source={"stitch": STITCH})
    assert settings.source.simulator.acquisition.scan.input.tile_px == 128


@pytest.mark.parametrize(
    ("given", "others", "words"),
    [
        ((CELLS,), {}, "acquisition.kind is pair, which does not image the sample cells; it can be "
         "stage"),
        (({"kind": "beads"}, STAGE), {"source": {"stitch": STITCH}},
         "kind is stage, which does not image the sample beads; it can be pair, repeats"),
        (({"kind": "bead_volume"},), {}, "kind is pair, which does not image the sample bead_vol"),
        ((CELLS, STAGE), {}, "source.stitch is missing; a stage scan needs it"),
        (({"kind": "beads"},), {"source": {"stitch": STITCH}}, "source.stitch has no tiles"),
        ((CELLS, STAGE | {"channels": {"mesh": {}}}), {"source": {"stitch": STITCH}},
         "acquisition.channels.mesh is none of the stains actin"),
        (({"kind": "bead_volume"}, VOLUME), {}, "dims is 2, but source.simulator.acquisition.kind"),
        (({"kind": "beads"},), {"dims": 3}, "dims is 3, but source.simulator.acquisition.kind"),
        (({"kind": "bead_volume"}, VOLUME), {"dims": 3},
         "modalities.input.z_step_nm is missing; a widefield microscope needs it here"),
    ],
)  # fmt: skip
def test_a_sample_and_its_acquisition_must_fit(refusal, given, others, words):
    assert words in refusal(*given, **others)
