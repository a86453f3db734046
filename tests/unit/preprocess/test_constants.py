import pytest

from crossres.jobs import InputError
from crossres.preprocess import Constants, RoleConstants

BOTH = Constants(
    input=RoleConstants(pixel_size_nm=60.0, z_step_nm=250.0, background=104.25),
    target=RoleConstants(pixel_size_nm=100 / 3),
)


def test_constants_survive_their_file(tmp_path):
    BOTH.write(tmp_path / "deep" / "constants.json")
    found = Constants.read(tmp_path / "deep" / "constants.json")
    assert found == BOTH
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["constants.json"]
    assert (found.of("input"), found.of("target")) == (BOTH.input, BOTH.target)
    assert found.target.background is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"input": {"pixel_size_nm": 60.0}}', "target: Field required"),
        ('{"input": {"pixel_size_nm": -1}, "target": {"pixel_size_nm": 3}}', "input.pixel_size_nm"),
        ("{", "the file: Invalid JSON"),
        ("", "the file: Invalid JSON"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, text, words):
    (tmp_path / "constants.json").write_text(text)
    with pytest.raises(InputError, match=rf"constants.json: {words}.*delete the file"):
        Constants.read(tmp_path / "constants.json")
