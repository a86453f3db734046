"""Which model files are loaded together, to be averaged."""

import pytest
from networks_to_tile import small_network, write_model

from crossres.jobs import InputError
from crossres.preprocess import Scale
from crossres.restoration import load_models


def test_models_of_one_kind_are_loaded(tmp_path):
    paths = [
        write_model(tmp_path / f"{n}.safetensors", small_network("care", seed=n), "care")
        for n in range(2)
    ]
    assert [about.network for _, about in load_models(paths)] == ["care", "care"]


def test_models_of_different_kinds_are_not_averaged(tmp_path):
    network = small_network("care")
    one = write_model(tmp_path / "a.safetensors", network, "care")
    two = write_model(tmp_path / "b.safetensors", network, "care", pixel_size_nm=30.0)
    with pytest.raises(InputError, match=r"b.safetensors: its pixel_size_nm is 30.0, that of .*50"):
        load_models([one, two])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"trained": {"experiment": "beads"}}, "its experiment is beads, that of .* nuclei"),
        ({"trained": {"experiment": "nuclei", "channel": "red"}}, "its channel is red, .* None"),
        ({"percentiles_per_image": (2.0, 99.0)}, "its percentiles_per_image"),
        ({"background": 100.0}, "its background is 100.0, .* None"),
        ({"input_pixel_size_nm": 60.0}, "its input_pixel_size_nm is 60.0"),
        ({"input_scale": Scale(6.0, 100.0)}, "its input_scale is 6 to 106 counts, .* 0 to 100"),
        ({"target_scale": Scale(0.0, 106.0)}, "its target_scale"),
    ],
)
def test_models_that_share_nothing_are_not_averaged(tmp_path, changed, said):
    network, known = small_network("care"), {"trained": {"experiment": "nuclei"}}
    one = write_model(tmp_path / "a.safetensors", network, "care", **known)
    two = write_model(tmp_path / "b.safetensors", network, "care", **{**known, **changed})
    with pytest.raises(InputError, match=f"b.safetensors: {said}.*only models of one kind"):
        load_models([one, two])


def test_models_of_nearly_the_same_scales_are_averaged(tmp_path):
    network = small_network("care")
    near = {"input_scale": Scale(3.0, 98.0), "target_scale": Scale(-2.0, 103.0)}
    one = write_model(tmp_path / "a.safetensors", network, "care")
    two = write_model(tmp_path / "b.safetensors", network, "care", **near)
    assert len(load_models([one, two])) == 2


@pytest.mark.parametrize("kept", [0.4, 0.95])
def test_a_truncated_model_is_refused(tmp_path, kept):
    path = write_model(tmp_path / "a.safetensors", small_network("care"), "care")
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=r"a.safetensors: is no complete safetensors file"):
        load_models([path])
