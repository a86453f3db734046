import json

import pytest

from crossres.jobs import InputError
from crossres.restoration import RestoredRecord

MODELS = {"/m/best.safetensors": "hash"}
BY = ["code", {"channel": None}]


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
    record_of(paths).begin(image, paths)
    for path in paths:
        path.touch()
    record_of(paths).add(image, paths)
    return paths


def record_of(results, models=MODELS, by=BY):
    """The record of another run, which knows what was written alone."""
    return RestoredRecord(results[0].parent, models, by)


def held(image, results, **other):
    return record_of(results, **other).holds(image, results)


def test_what_was_restored_from_the_same_is_held(image, results):
    assert held(image, results)


def test_what_was_never_restored_is_not_held(tmp_path, image):
    assert not held(image, [tmp_path / "out" / "a.ome.tif"])


def test_another_setting_or_code_is_not_held(image, results):
    assert not held(image, results, by=["other code", {"channel": None}])
    assert not held(image, results, by=["code", {"channel": "GFP"}])


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


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_was_not_restored_is_not_written_over(tmp_path, image, which):
    paths = [tmp_path / "out" / "a.ome.tif", tmp_path / "out" / "spread" / "a.ome.tif"]
    paths[which].parent.mkdir(exist_ok=True)
    paths[which].write_bytes(b"raw")
    expected = r"day1/a.tif: .*a.ome.tif is there and was not restored by this workflow; name anoth"
    with pytest.raises(InputError, match=expected):
        held(image, paths)


def test_what_a_run_that_was_killed_had_renamed_is_its_own(tmp_path, image):
    paths = [tmp_path / "out" / "a.ome.tif"]
    record_of(paths).begin(image, paths)
    assert record_of(paths).rows() == []
    paths[0].touch()
    assert not held(image, paths)
    assert record_of(paths).rows() == []


def test_another_model_is_refused_with_the_folder(results):
    expected = r"out: holds images that were restored by /m/best.safetensors, and .*/n/best"
    other = {"/n/best.safetensors": "other"}
    for models in (other, {**MODELS, **other}):
        with pytest.raises(InputError, match=expected):
            record_of(results, models=models)
    results[0].unlink()
    record_of(results, models=other)


def test_a_model_that_was_trained_again_or_moved_is_not_refused(image, results):
    assert not held(image, results, models={"/m/best.safetensors": "trained again"})
    assert not held(image, results, models={"/moved/best.safetensors": "hash"})


def test_a_damaged_record_is_named(results):
    (results[0].parent / ".restored.json").write_text("{")
    with pytest.raises(InputError, match=r"out/.restored.json: cannot be read .*; name another"):
        record_of(results)


def test_all_that_lies_in_the_folder_is_listed(tmp_path, image, results):
    second = image.with_name("B.tif")
    second.write_bytes(b"pixels")
    alone = [tmp_path / "out" / "B.ome.tif"]
    record = record_of(results)
    record.begin(second, alone)
    alone[0].touch()
    record.add(second, alone)
    whole = (str(image), str(results[0]), str(results[1]))
    assert record_of(results).rows() == [(str(second), str(alone[0]), ""), whole]
    alone[0].unlink()
    assert record_of(results).rows() == [whole]


def test_a_record_of_an_earlier_version_is_read(image, results):
    path = results[0].parent / ".restored.json"
    entries = json.loads(path.read_text())
    for key in ("models", "restored"):
        del entries["a.ome.tif"][key]
    path.write_text(json.dumps(entries))
    assert not held(image, results)
    assert record_of(results).rows() == [(str(image), str(results[0]), "")]


def test_what_a_run_that_was_killed_left_is_deleted_and_nothing_else(image, results):
    folder = results[0].parent
    left = [folder / ".a.ome.tif.partial", folder / "spread" / ".a.ome.tif.partial"]
    kept = [folder / ".notes.partial", folder / ".scratch_of_mine" / "notes"]
    scratch = folder / ".scratch_ab12_xyz"
    for path in (*left, *kept, scratch / "unpacked"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    record_of(results).clear()
    assert not any(path.exists() for path in (*left, scratch))
    assert all(path.exists() for path in (*kept, *results))
    assert held(image, results)


def test_a_folder_that_nothing_was_restored_to_is_left_alone(tmp_path):
    scratch = tmp_path / ".scratch_ab12_xyz"
    scratch.mkdir()
    RestoredRecord(tmp_path, MODELS, BY).clear()
    RestoredRecord(tmp_path / "not there", MODELS, BY).clear()
    assert scratch.exists()
