"""The command line of restore_new, and what is refused before anything runs."""

import pytest

from crossres.jobs import InputError
from crossres.restoration.command import parse
from restore_new import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a model and an image, to call from."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m0.safetensors").touch()
    (tmp_path / "day1").mkdir()
    (tmp_path / "day1" / "a.tif").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "the following arguments are required: MODEL, IMAGES"),
        (("m0.safetensors",), "the following arguments are required: IMAGES"),
        (("gone.safetensors", "day1"), "there is no model gone.safetensors"),
        (("m0.safetensors", ""), "IMAGES is empty; give a folder"),
        (("m0.safetensors", "day7"), "day7 is no folder, no file"),
        (("m0.safetensors", "day1", "--memory", "3"), "unrecognized arguments: --memory"),
        (("m0.safetensors", "day1", "--memory-gb", "0.5"), "'0.5' is no number of at least 1"),
        (("m0.safetensors", "day1", "--pixel-size-nm", "nan"), "'nan' is no number above 0"),
        (("m0.safetensors", "day1", "--axes", "TXQ"), "'TXQ' names no axes"),
        (("m0.safetensors", "day1", "--out", "day1"), "day1 holds the images themselves"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(folder, capsys, arguments, expected):
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--threads", "1"])
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("crossres: ")
    assert expected in line
    assert {path.name for path in folder.iterdir()} == {"m0.safetensors", "day1"}


def test_help_shows_examples(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "restore_new.py model.safetensors /data/day1" in capsys.readouterr().out


def test_options_may_stand_between_images():
    asked = parse(["m.safetensors", "a", "--with", "n.safetensors", "b", "--channel", "2", "c"])
    assert (asked.model, asked.others) == ("m.safetensors", ["n.safetensors"])
    assert (asked.images, asked.channel) == (["a", "b", "c"], ["2"])


def test_a_share_is_of_a_model_beside_others():
    asked = parse(["gan.safetensors", "--with", "cnn.safetensors", "--share", "0.4", "a"])
    assert asked.share == 0.4
    with pytest.raises(InputError, match="give another --with it"):
        parse(["gan.safetensors", "--share", "0.4", "a"])
    for wrong in ("0", "1", "-1", "half", "nan"):
        with pytest.raises(InputError, match="no number between 0 and 1"):
            parse(["gan.safetensors", "--with", "cnn.safetensors", "--share", wrong, "a"])
