import os
import shutil

import pytest

from crossres.experiments import code_hash, fingerprint, provenance
from crossres.experiments.provenance import forget


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


def after(edit, script):
    before = code_hash(script)
    edit()
    forget()
    return before, code_hash(script)


def append(path, text="\nan_edit = 1\n"):
    return lambda: path.write_text(path.read_text() + text)


@pytest.mark.parametrize(
    ("script", "file"),
    [
        ("restore_fields.py", "restore_fields.py"),
        ("restore_fields.py", "crossres/restoration/tiles.py"),
        ("restore_fields.py", "crossres/networks/image_network.py"),
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
        ("restore_fields.py", "crossres/samples/beads.py"),
        # the rule names the network that is applied
        ("restore_fields.py", "crossres/networks/unet.py"),
        ("restore_fields.py", "train_network.py"),
        ("measure_fields.py", "crossres/training/losses.py"),
        ("measure_fields.py", "crossres/networks/unet.py"),
        ("simulate_acquisition.py", "crossres/deconvolution/richardson_lucy.py"),
    ],
)
def test_editing_another_room_does_not(scripts, script, file):
    before, now = after(append(scripts / file), script)
    assert before == now


@pytest.mark.parametrize(
    "file",
    ["crossres/settings/patches.py", "crossres/catalogue/networks.py", "crossres/section.py",
     "crossres/samples/beads.py"],
)  # fmt: skip
def test_editing_what_reaches_jobs_as_params_does_not(scripts, file):
    before, now = after(append(scripts / file), "train_network.py")
    assert before == now


def test_a_page_that_passes_names_on_does_not_count(scripts):
    page = scripts / "crossres" / "networks" / "__init__.py"
    text = page.read_text().replace("__all__ = [", "__all__ = [\n    'another',")
    before, now = after(lambda: page.write_text(text), "train_network.py")
    assert before == now


def test_what_a_job_uses_by_name_counts_with_what_it_imports(scripts):
    (scripts / "crossres" / "optics" / "prism.py").write_text("ANGLE = 60\n")
    sample = scripts / "crossres" / "samples" / "crystals.py"
    sample.write_text("from crossres.optics.prism import ANGLE\n")
    for path in (sample, scripts / "crossres" / "optics" / "prism.py"):
        name = "crossres/samples/crystals.py"
        forget()
        before, alone = code_hash("plot_fwhm.py", name), code_hash("plot_fwhm.py")
        append(path)()
        forget()
        assert code_hash("plot_fwhm.py", name) != before
        assert code_hash("plot_fwhm.py") == alone


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
    forget()
    assert code_hash("restore_fields.py") == before


def small_library(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


CODE = '''
"""What a room does."""

import os  # first


class Settings:
    """A section."""

    size_px: int = 64
    """Side, in pixels."""


def half(value, *, whole=False):
    """Return half."""
    if value:
        return value / 2  # the half
    return "None"
'''

SAME = {
    "a comment": ("# the half", "# half of it"),
    "no comment": ("  # first", ""),
    "a docstring": ("Return half.", "Return the half of a value."),
    "no docstring": ('    """Return half."""\n', ""),
    "a description": ("Side, in pixels.", "Side of a patch, in pixels of the target."),
    "a second paragraph": ("A section.", "A section.\n\n    With keys."),
    "the page": ("What a room does.", "What rooms do."),
    "lines": ("    if value:", "\n\n    if (\n        value\n    ):"),
    "quotes": ('"None"', "'None'"),
}

OTHER = {
    "a number": ("/ 2", "/ 3"),
    "a default": ("64", "65"),
    "a text that is returned": ('"None"', '"none"'),
    "a name": ("whole=False", "all=False"),
    "a line less": ("    if value:\n        return value / 2  # the half\n", ""),
    "an annotation": ("size_px: int", "size_px: float"),
}


@pytest.fixture
def hash_of(tmp_path, monkeypatch):
    """Hash a script with a room that holds some code."""
    monkeypatch.setattr(provenance, "SCRIPTS", tmp_path)

    def hash_of_code(code):
        files = {"script.py": "import crossres.room", "crossres/__init__.py": "",
                 "crossres/room.py": code}  # fmt: skip
        small_library(tmp_path, files)
        forget()
        return code_hash("script.py")

    yield hash_of_code
    monkeypatch.undo()
    forget()


@pytest.mark.parametrize("edit", SAME.values(), ids=SAME)
def test_what_only_people_read_does_not_count(hash_of, edit):
    assert CODE.replace(*edit) != CODE
    assert hash_of(CODE.replace(*edit)) == hash_of(CODE)


@pytest.mark.parametrize("edit", OTHER.values(), ids=OTHER)
def test_what_the_code_does_counts(hash_of, edit):
    assert hash_of(CODE.replace(*edit)) != hash_of(CODE)


@pytest.mark.parametrize(
    "statement",
    [
        "import crossres.room.file",
        "try:\n    pass\nfinally:\n    import crossres.room.file",
        "if 1:\n    pass\nelse:\n    import crossres.room.file",
        "from crossres.room import lazy",
        "import crossres.room.file as other",
        "from crossres.room import file",
        "from crossres.room.file import function",
        "def late():\n    from crossres.room.file import function",
    ],
)
def test_every_way_of_importing_is_seen(tmp_path, monkeypatch, statement):
    lazy = "_HOMES = {'lazy': 'crossres.room.file'}"
    files = {"script.py": statement, "crossres/__init__.py": "", "crossres/room/__init__.py": lazy,
             "crossres/room/file.py": "function = 1", "crossres/other/__init__.py": ""}  # fmt: skip
    monkeypatch.setattr(provenance, "SCRIPTS", small_library(tmp_path, files))
    forget()
    first, edited = after(append(tmp_path / "crossres/room/file.py"), "script.py")
    assert first != edited
    same, other = after(append(tmp_path / "crossres/other/__init__.py"), "script.py")
    assert same == other
    package, changed = after(append(tmp_path / "crossres/room/__init__.py"), "script.py")
    assert package != changed


@pytest.mark.parametrize(("name", "changes"), [("known", False), ("another", True)])
def test_a_name_that_is_looked_up_on_demand_may_be_of_any_file(
    tmp_path, monkeypatch, name, changes
):
    page = "_HOMES = {'known': 'crossres.room.one'}\n\ndef __getattr__(name):\n    return name\n"
    files = {"script.py": f"from crossres.room import {name}", "crossres/__init__.py": "",
             "crossres/room/__init__.py": page, "crossres/room/one.py": "known = 1",
             "crossres/room/two.py": "another = 2"}  # fmt: skip
    monkeypatch.setattr(provenance, "SCRIPTS", small_library(tmp_path, files))
    forget()
    before, now = after(append(tmp_path / "crossres/room/two.py"), "script.py")
    assert (before != now) is changes


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


@pytest.fixture
def raw(tmp_path):
    """Write a raw file of a size with one byte of its own at a place."""

    def write(name, size=1_000_000, place=0, byte=1):
        content = bytearray(size)
        content[place] = byte
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def test_a_raw_file_is_the_same_wherever_and_whenever_it_was_copied(raw):
    first, second = raw("a/1.tif"), raw("b/2.tif")
    os.utime(second, (1, 1))
    assert fingerprint(first) == fingerprint(str(second))


@pytest.mark.parametrize("place", [0, 2000, 999_999])
def test_another_file_of_the_same_name_and_an_older_time_is_another(raw, place):
    before = fingerprint(raw("a/1.tif"))
    other = raw("a/1.tif", place=place, byte=2)
    os.utime(other, (1, 1))
    assert fingerprint(other) != before


@pytest.mark.parametrize("place", [0, 10_000, 19_999])
def test_a_small_file_is_looked_at_whole(raw, place):
    assert fingerprint(raw("1.tif", 20_000, place, 7)) != fingerprint(raw("2.tif", 20_000, place))


def test_another_size_is_another_file(raw):
    assert fingerprint(raw("1.tif", 100_000)) != fingerprint(raw("2.tif", 100_001))


def test_a_large_file_is_not_read_whole(tmp_path):
    with (tmp_path / "large.tif").open("wb") as file:
        file.truncate(1 << 40)
    assert fingerprint(tmp_path / "large.tif").startswith(f"{1 << 40}:")
