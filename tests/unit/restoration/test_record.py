import pytest

from crossres.jobs import InputError
from crossres.restoration import Record


@pytest.fixture
def image(tmp_path):
    """An image, and where it is restored to."""
    path = tmp_path / "day1" / "a.tif"
    path.parent.mkdir()
    path.write_bytes(b"pixels")
    (tmp_path / "out").mkdir()
    return path


@pytest.fixture
def results(tmp_path, image):
    paths = [tmp_path / "out" / "a.ome.tif", tmp_path / "out" / "spread" / "a.ome.tif"]
    paths[1].parent.mkdir()
    for path in paths:
        path.touch()
    Record(tmp_path / "out").add(image, paths, ["code", {"channel": None}])
    return paths


def held(image, results, by=("code", {"channel": None})):
    # another run, which knows what was written alone
    return Record(results[0].parent).holds(image, results, by)


def test_what_was_restored_from_the_same_is_held(image, results):
    assert held(image, results)


def test_what_was_never_restored_is_not_held(tmp_path, image):
    assert not held(image, [tmp_path / "out" / "a.ome.tif"])


def test_another_model_or_setting_is_not_held(image, results):
    assert not held(image, results, ["other code", {"channel": None}])
    assert not held(image, results, ["code", {"channel": "GFP"}])


def test_an_image_that_changed_is_not_held(image, results):
    image.write_bytes(b"other pixels")
    assert not held(image, results)


@pytest.mark.parametrize("missing", [0, 1])
def test_results_that_are_gone_are_not_held(image, results, missing):
    results[missing].unlink()
    assert not held(image, results)


def test_results_of_another_image_of_that_name_are_not_written_over(tmp_path, image, results):
    other = tmp_path / "day2" / "a.tif"
    other.parent.mkdir()
    other.write_bytes(b"pixels")
    with pytest.raises(InputError, match=r"day2/a.tif: .*/out/a.ome.tif was restored from .*day1"):
        held(other, results)
    results[0].unlink()
    assert not held(other, results)


def test_a_damaged_record_is_none(image, results):
    (results[0].parent / ".restored.json").write_text("{")
    assert not held(image, results)
