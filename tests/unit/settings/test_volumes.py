"""What experiments on volumes are asked for, and what there is for images alone."""

import pytest

from crossres.jobs import InputError
from crossres.settings import load_experiment_settings

VOLUME = {"kind": "volume", "field_px": 96, "slices": 12,
          "fields": {"train": 2, "validation": 1, "test": 1}}  # fmt: skip


@pytest.fixture
def load(settings, write_experiment):
    """Load a small experiment on bead volumes with some sections changed."""
    settings["dims"] = 3
    settings["source"]["simulator"] = {"sample": {"kind": "bead_volume"}, "acquisition": VOLUME}
    for microscope in settings["modalities"].values():
        microscope["z_step_nm"] = 160
    settings["networks"] = {"rcan": {"iterations": 5}, "care": {"iterations": 5}}

    def load_with(**sections):
        settings.update(sections)
        return load_experiment_settings("beads", "paper", write_experiment(settings))

    return load_with


def test_a_volume_experiment_is_allowed(load):
    found = load(
        registration={"method": "affine"},
        patches={"size_px": 32, "slices": 8},
        measure={"spots": {"axial_fwhm_nm": 500}},
    )
    assert found.dims == 3
    assert list(found.networks.trained) == ["care", "rcan"]


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"registration": {"method": "elastic"}}, "registration.method is elastic, but dims is 3"),
        ({"registration": {"locate": True}}, "registration.locate is for images, but dims is 3"),
        ({"measure": {"modulation": {}}}, "measure.modulation is for images, but dims is 3"),
        ({"measure": {"spots": {}}}, "measure.spots.axial_fwhm_nm is missing; spots in volumes"),
        ({"networks": {"tcan": {"iterations": 5}}},
         "networks.tcan is for images, but dims is 3; volumes take care, srresnet, esrgan, rcan"),
        ({"patches": {"slices": 13}}, "patches.slices is 13, but a field has 12 slices"),
        ({"dims": 2, "patches": {"slices": 3}}, "dims is 2, but source.simulator.acquisition.kind"),
    ],
)  # fmt: skip
def test_what_is_for_images_alone_is_refused(load, sections, words):
    with pytest.raises(InputError) as fault:
        load(**sections)
    assert words in str(fault.value)


def test_stitching_is_for_images_alone(load, settings):
    stitch = {"fields": {"rows": 1, "columns": 1, "size_px": 96}}
    with pytest.raises(InputError, match=r"source\.stitch is for images, but dims is 3"):
        load(source={"sheet": "a.tsv", "stitch": stitch})


def test_images_of_a_sheet_may_be_cut(load):
    columns = {"train": 2, "validation": 1, "test": 1}
    found = load(source={"sheet": "a.tsv", "cut": {"rows": 1, "columns": columns, "guard_px": 4}})
    assert found.source.cut.rows == 1


def test_patches_of_images_have_no_slices(settings, write_experiment):
    settings["patches"] = {"slices": 3}
    with pytest.raises(InputError, match=r"patches\.slices is given, but dims is 2"):
        load_experiment_settings("beads", "paper", write_experiment(settings))
