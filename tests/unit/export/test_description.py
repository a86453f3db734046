import io
import tomllib
from pathlib import Path

import numpy as np
import pytest
import yaml
from exported_models import TITLE, TRAINED, model

from crossres import __version__
from crossres.catalogue.networks import NETWORKS
from crossres.export.description import RELEASED, describe
from crossres.export.page import legal_name, nickname
from crossres.export.tile_sizes import TileAxis
from crossres.preprocess import Scale

REPOSITORY = Path(__file__).resolve().parents[3]
AXES = [TileAxis(name, 128, 4, 32, 256) for name in "yx"]
VOLUME_AXES = [TileAxis("z", 12, 2, 0, 12), *AXES]


def described(name="gan", dims=2, output=(0.0, 500.0), **model_file):
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(output, dtype=np.float32))
    files = {"weights.pt": b"w", "test_input.npy": b"i", "test_output.npy": buffer.getvalue()}
    _, description = model(name, dims, **model_file)
    return describe(description, AXES if dims == 2 else VOLUME_AXES, files, TITLE)


def citation():
    return yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())


def axis(tensor, name):
    (found,) = [axis for axis in tensor["axes"] if axis.get("id") == name]
    return found


@pytest.mark.parametrize(("dims", "order"), [(2, "yx"), (3, "zyx")])
def test_axes_are_those_of_the_image_behind_batch_and_channel(dims, order):
    description = described("rcan", dims)
    for tensor in (*description["inputs"], *description["outputs"]):
        assert [a["type"] for a in tensor["axes"][:2]] == ["batch", "channel"]
        assert [a["id"] for a in tensor["axes"][2:]] == list(order)


def test_inputs_are_tiles_and_outputs_lose_their_halo():
    description = described("rcan", 3)
    (given,), (returned,) = description["inputs"], description["outputs"]
    assert axis(given, "y")["size"] == {"min": 128, "step": 4}
    assert axis(given, "z")["size"] == {"min": 12, "step": 2}
    assert axis(returned, "x")["size"] == {"tensor_id": "input", "axis_id": "x"}
    assert axis(returned, "x")["halo"] == 32
    assert "halo" not in axis(returned, "z")
    assert [axis(given, name)["concatenable"] for name in "zyx"] == [False, True, True]


def test_what_deepimagej_would_misread_is_not_there():
    description = described("rcan", 3)
    # it divides halos by scale, takes two entries for plain strings, and needs a nickname
    for tensor in (*description["inputs"], *description["outputs"]):
        assert all("scale" not in axis for axis in tensor["axes"])
    assert isinstance(description["documentation"], str)
    assert all(isinstance(cover, str) for cover in description["covers"])
    major, minor, patch = map(int, description["format_version"].split("."))
    assert (major, minor) == (0, 5) and patch < 11
    assert description["config"]["bioimageio"]["nickname"] == "beads-red-rcan-seed-3"


def test_the_pixel_size_is_told():
    description = described("rcan", 3)
    assert axis(description["inputs"][0], "y")["description"] == "pixels of 30 nm"
    assert axis(description["inputs"][0], "z")["description"] == "pixels of 160 nm"
    told = description["config"]["crossres"]
    assert (told["pixel_size_nm"], told["z_step_nm"]) == (30.0, 160.0)
    assert told["trained"] == TRAINED


def test_counts_are_scaled_on_the_way_in_and_back_on_the_way_out():
    description = described(input_scale=Scale(100.0, 800.0), target_scale=Scale(20.0, 300.0))
    ((before,),) = [tensor["preprocessing"] for tensor in description["inputs"]]
    ((after,),) = [tensor["postprocessing"] for tensor in description["outputs"]]
    # (counts - 100) / 800 and 300 * normalised + 20
    assert before == {"id": "scale_linear", "kwargs": {"gain": 1 / 800, "offset": -0.125}}
    assert after == {"id": "scale_linear", "kwargs": {"gain": 300.0, "offset": 20.0}}


def test_a_background_is_subtracted_and_clipped_before_all_else():
    plain = described()["inputs"][0]["preprocessing"]
    description = described(background=104.5)
    subtracted, clipped, *rest = description["inputs"][0]["preprocessing"]
    assert subtracted == {"id": "scale_linear", "kwargs": {"gain": 1.0, "offset": -104.5}}
    assert (clipped["id"], clipped["kwargs"]["min"]) == ("clip", 0.0)
    assert rest == plain
    assert description["config"]["crossres"]["background"] == 104.5


def test_no_step_comes_before_percentiles_which_would_not_follow_it():
    description = described(percentiles_per_image=(2.0, 99.9), background=104.5)
    (only,) = description["inputs"][0]["preprocessing"]
    assert only["id"] == "scale_range"
    assert description["config"]["crossres"]["background"] == 104.5


def test_percentiles_are_those_of_each_image():
    description = described("rcan", 3, percentiles_per_image=(2.0, 99.9))
    ((before,),) = [tensor["preprocessing"] for tensor in description["inputs"]]
    assert before["id"] == "scale_range"
    assert before["kwargs"] == {
        "axes": ["channel", "z", "y", "x"],
        "min_percentile": 2.0,
        "max_percentile": 99.9,
    }
    assert description["outputs"][0]["postprocessing"] == []


@pytest.mark.parametrize(
    ("output", "expected"),
    [((0.0, 500.0), 0.05), ((-900.0, 1.0), 0.005), ((-3.0, -1.0), 0.0)],
    ids=["range", "at most a hundredth of the largest", "nothing positive"],
)
def test_the_test_allows_for_another_machines_last_digits(output, expected):
    # the format refuses more than a hundredth of the largest value
    bioimageio = described(output=output)["config"]["bioimageio"]
    (tolerance,) = bioimageio["reproducibility_tolerance"]
    assert tolerance["absolute_tolerance"] == pytest.approx(expected)


def test_simulated_data_are_named_in_what_lists_of_models_show():
    assert "Trained on simulated images." in described()["description"]
    assert "simulated" in described()["tags"]
    measured = described(trained={**TRAINED, "data": "measured"})
    assert "simulated images" not in measured["description"]
    assert {"measured", "simulated"} & set(measured["tags"]) == {"measured"}


def test_version_date_and_license_are_the_projects():
    description = described()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert description["version"] == __version__ == citation()["version"]
    assert RELEASED.startswith(str(citation()["date-released"]))
    assert description["license"] == project["license"] == citation()["license"]


def test_every_network_names_its_paper():
    known = {entry["doi"]: entry for entry in citation()["references"]}
    for name, network in NETWORKS.items():
        (cited,) = described(name)["cite"]
        assert (cited["text"], cited["doi"]) == (network.citation, network.doi)
        if network.doi in known:
            assert known[network.doi]["title"].lower() in cited["text"].lower()
            assert f"({known[network.doi]['year']})" in cited["text"]
    assert {NETWORKS[name].doi for name in ("gan", "rcan", "tcan")} <= known.keys()


def test_names_hold_what_the_format_allows():
    _, model_file = model("gan")
    assert legal_name(model_file, TITLE) == "gan red Confocal to STED 20-nm beads (simulated)"
    assert legal_name(model_file, "Größe: x/y") == "gan red Gr e x y"
    assert len(legal_name(model_file, "a long title " * 9)) <= 64


def test_a_model_without_a_past_is_named_by_its_title():
    _, model_file = model("gan", trained={})
    assert nickname(model_file, TITLE) == "confocal-to-sted-20-nm-beads-simulated-gan"
    assert legal_name(model_file, "Beads") == "gan Beads"
