import os
import shutil

import pytest

from crossres.experiments import code_hash, provenance


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """A copy of the scripts and the library, in place of the real ones."""
    folder = tmp_path / "scripts"
    shutil.copytree(provenance.SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "SCRIPTS", folder)
    forget()
    yield folder
    monkeypatch.undo()
    forget()


def forget():
    """Imports are read once a run of Snakemake; an edit is seen by the next."""
    provenance._closure.cache_clear()
    provenance._direct_imports.cache_clear()


def after(edit, script):
    before = code_hash(script)
    edit()
    forget()
    return before, code_hash(script)


def append(path, text="\n# an edit\n"):
    return lambda: path.write_text(path.read_text() + text)


@pytest.mark.parametrize(
    ("script", "file"),
    [
        ("restore_fields.py", "restore_fields.py"),
        ("restore_fields.py", "crossres/restoration/tiles.py"),
        ("restore_fields.py", "crossres/networks/unet.py"),
        ("restore_fields.py", "crossres/images/reading.py"),
        ("restore_fields.py", "crossres/jobs.py"),
        # used by the network's model files, two imports away
        ("restore_fields.py", "crossres/preprocess/normalise.py"),
        ("train_network.py", "crossres/training/losses.py"),
        ("measure_fields.py", "crossres/measure/spots.py"),
    ],
)
def test_editing_what_a_script_uses_changes_its_hash(scripts, script, file):
    before, now = after(append(scripts / file), script)
    assert before != now


@pytest.mark.parametrize(
    ("script", "file"),
    [
        ("restore_fields.py", "crossres/measure/spots.py"),
        ("restore_fields.py", "crossres/simulate/beads.py"),
        ("restore_fields.py", "train_network.py"),
        ("measure_fields.py", "crossres/training/losses.py"),
        ("measure_fields.py", "crossres/networks/unet.py"),
        ("simulate_acquisition.py", "crossres/restoration/richardson_lucy.py"),
    ],
)
def test_editing_another_room_does_not(scripts, script, file):
    before, now = after(append(scripts / file), script)
    assert before == now


def test_touching_a_file_does_not(scripts):
    def touch():
        for path in scripts.rglob("*.py"):
            os.utime(path, (1, 1))

    before, now = after(touch, "restore_fields.py")
    assert before == now


def test_a_new_import_counts_from_then_on(scripts):
    append(scripts / "crossres" / "restoration" / "tiles.py", "\nimport crossres.optics\n")()
    forget()
    before, now = after(append(scripts / "crossres" / "optics" / "camera.py"), "restore_fields.py")
    assert before != now


def test_the_place_of_the_repository_does_not_matter(scripts, tmp_path, monkeypatch):
    before = code_hash("restore_fields.py")
    moved = tmp_path / "elsewhere"
    shutil.copytree(scripts, moved)
    monkeypatch.setattr(provenance, "SCRIPTS", moved)
    assert code_hash("restore_fields.py") == before


def small_library(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    "statement",
    [
        "import crossres.room.file",
        "import crossres.room.file as other",
        "from crossres.room import file",
        "from crossres.room.file import function",
        "def late():\n    from crossres.room.file import function",
    ],
)
def test_every_way_of_importing_is_seen(tmp_path, monkeypatch, statement):
    files = {"script.py": statement, "crossres/__init__.py": "", "crossres/room/__init__.py": "",
             "crossres/room/file.py": "function = 1", "crossres/other/__init__.py": ""}  # fmt: skip
    monkeypatch.setattr(provenance, "SCRIPTS", small_library(tmp_path, files))
    forget()
    first, edited = after(append(tmp_path / "crossres/room/file.py"), "script.py")
    assert first != edited
    same, other = after(append(tmp_path / "crossres/other/__init__.py"), "script.py")
    assert same == other
    package, changed = after(append(tmp_path / "crossres/room/__init__.py"), "script.py")
    assert package != changed


def test_rooms_that_import_each_other_end(tmp_path, monkeypatch):
    files = {
        "script.py": "import crossres.a",
        "crossres/__init__.py": "",
        "crossres/a.py": "import crossres.b",
        "crossres/b.py": "import crossres.a",
    }
    monkeypatch.setattr(provenance, "SCRIPTS", small_library(tmp_path, files))
    forget()
    before, now = after(append(tmp_path / "crossres/b.py"), "script.py")
    assert before != now
