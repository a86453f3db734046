import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossres.jobs import InputError, logger, progress, run, written_aside

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"


def refuse():
    raise InputError("sheet.tsv, line 3: input is empty; give a path")


def break_down():
    raise ZeroDivisionError("a fault of ours")


def test_input_error_ends_the_process_with_its_sentence_and_no_traceback(tmp_path, capsys):
    log = tmp_path / "logs" / "step.log"
    with pytest.raises(SystemExit) as ending:
        run(refuse, str(log))
    assert ending.value.code == 1
    screen = capsys.readouterr().err
    assert "sheet.tsv, line 3: input is empty; give a path" in screen
    assert "Traceback" not in screen
    assert "sheet.tsv, line 3" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_fault_of_ours_keeps_its_traceback(tmp_path):
    log = tmp_path / "step.log"
    with pytest.raises(ZeroDivisionError):
        run(break_down, str(log))
    assert "break_down" in log.read_text()
    assert "Traceback" in log.read_text()


def test_run_hands_over_its_arguments(tmp_path):
    received = {}
    run(received.update, str(tmp_path / "step.log"), threads=2, folder="a")
    assert received == {"threads": 2, "folder": "a"}


def test_log_is_written_anew(tmp_path):
    log = tmp_path / "step.log"
    log.write_text("of an earlier run\n")
    run(lambda: logger.info("of this run"), str(log))
    assert "of this run" in log.read_text()
    assert "earlier" not in log.read_text()


@pytest.mark.parametrize("step", [refuse, break_down])
def test_no_handler_is_left_behind(tmp_path, step):
    before = list(logger.handlers)
    with pytest.raises((SystemExit, ZeroDivisionError)):
        run(step, str(tmp_path / "step.log"))
    assert logger.handlers == before


@pytest.mark.parametrize("items", [[], [3, 1, 2], "abc"])
def test_progress_yields_every_item_in_order(items):
    assert list(progress(items, "counting")) == list(items)


def test_progress_of_an_iterator_needs_only_a_total():
    assert list(progress(iter(range(4)), "counting", total=4)) == [0, 1, 2, 3]


def test_progress_ends_with_a_line_in_the_log(caplog):
    caplog.set_level(logging.INFO, logger="crossres")
    list(progress(range(3), "restoring", total=10, start=7))
    assert "restoring: 10 of 10, 0 s left" in caplog.text


def test_progress_says_little(caplog):
    caplog.set_level(logging.INFO, logger="crossres")
    list(progress(range(1000), "restoring"))
    assert len(caplog.records) == 1


def test_a_file_written_aside_appears_whole_and_alone(tmp_path):
    path = tmp_path / "new" / "model"
    with written_aside(path) as aside:
        aside.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert [p.name for p in path.parent.iterdir()] == ["model"]


def test_a_write_that_fails_leaves_the_file_before(tmp_path):
    path = tmp_path / "model"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), written_aside(path) as aside:
        aside.write_text("ha")
        raise KeyboardInterrupt
    assert path.read_text() == "before"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted by Linux")
@pytest.mark.parametrize("first", ["", "import torch;"])
def test_a_job_of_one_thread_computes_on_one(first):
    """Of numpy's BLAS and of torch, whether torch is there before the limit or after."""
    code = f"""
import os; {first}
from crossres.jobs import limit_threads
limit_threads(1)
before = len(os.listdir("/proc/self/task"))
import numpy, torch
a = numpy.ones((500, 500), numpy.float32); a @ a; numpy.linalg.svd(a[:200, :200])
b = torch.ones(1500, 1500); b @ b; torch.fft.rfft2(b)
print(torch.get_num_threads(), len(os.listdir("/proc/self/task")) - before)
"""
    env = {k: v for k, v in os.environ.items() if not k.endswith("NUM_THREADS")}
    env["PYTHONPATH"] = str(SCRIPTS)
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["1", "0"]
