import pytest
import torch

from crossres.training.checkpoints import load_state, save_state

STATE = {"iteration": 12, "weights": {"a": torch.arange(6.0).reshape(2, 3)},
         "history": [{"iteration": 12, "score": 0.5}], "best_score": float("inf")}  # fmt: skip


class Intruder:
    """What unpickling it would do: make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.fixture
def path(tmp_path):
    save_state(tmp_path / "model" / "training_state.pt", "stamp", STATE)
    return tmp_path / "model" / "training_state.pt"


def test_a_state_comes_back(path):
    found = load_state(path, "stamp")
    assert torch.equal(found["weights"]["a"], STATE["weights"]["a"])
    for key in ("iteration", "history", "best_score"):
        assert found[key] == STATE[key]


def test_no_state_is_no_fault(tmp_path):
    assert load_state(tmp_path / "training_state.pt", "stamp") is None


def test_a_state_of_another_stamp_is_refused_and_the_log_says_so(path, caplog):
    caplog.set_level("INFO", logger="crossres")
    assert load_state(path, "another stamp") is None
    assert "another configuration, code or data" in caplog.text
    assert str(path) in caplog.text
    # whoever mistyped a key mends it and goes on
    aside = path.with_name("training_state.pt.other")
    assert not path.exists()
    aside.replace(path)
    assert load_state(path, "stamp") is not None


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_state_is_refused_and_the_log_says_so(path, caplog, part):
    caplog.set_level("INFO", logger="crossres")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    assert load_state(path, "stamp") is None
    assert "training begins anew" in caplog.text


A_PICKLED_LIST = b"\x80\x04]\x94(K\x01K\x02K\x03e."


@pytest.mark.parametrize("content", [b"garbage" * 100, A_PICKLED_LIST])
def test_what_is_no_state_is_refused(path, content):
    path.write_bytes(content)
    assert load_state(path, "stamp") is None


def test_a_state_is_loaded_without_running_what_it_holds(tmp_path):
    torch.save({"stamp": "stamp", "a": Intruder(tmp_path / "made")}, tmp_path / "state.pt")
    assert load_state(tmp_path / "state.pt", "stamp") is None
    assert not (tmp_path / "made").exists()


def test_a_kill_while_writing_leaves_the_state_before(path, monkeypatch):
    def die(_state, target):
        target.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", die)
    with pytest.raises(KeyboardInterrupt):
        save_state(path, "stamp", {"iteration": 13})
    monkeypatch.undo()
    assert load_state(path, "stamp")["iteration"] == 12


def test_nothing_is_left_beside_the_state(path):
    assert [p.name for p in path.parent.iterdir()] == ["training_state.pt"]
