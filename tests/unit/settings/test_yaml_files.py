"""What a person can get wrong in a YAML file that YAML itself lets pass, or says badly."""

from itertools import pairwise

import pytest
import yaml

from crossres.jobs import InputError
from crossres.settings import load_experiment_settings


@pytest.fixture
def refusal(write_experiment):
    def refusal_of(text):
        with pytest.raises(InputError) as fault:
            load_experiment_settings("beads", "paper", write_experiment(text))
        message = str(fault.value)
        assert "beads.yaml" in message
        assert "\n" not in message
        return message

    return refusal_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title: A\nnetworks:\n  cnn: {}\ntitle: B\n",
         "line 4: the key title stands in line 1 already"),
        ("title: A\nnetworks:\n  cnn: {iterations: 3,\n    batch: 2, iterations: 4}\n",
         "line 4: the key iterations stands in line 3 already"),
        ("modalities:\n  input:\n    wavelength_nm: {488: 520}\n",
         "line 3: YAML reads the key 488 as a number; put it in quotes: '488'"),
        ("modalities:\n  input:\n    wavelength_nm:\n      NO: 520\n",
         "line 4: YAML reads the key NO as true or false; put it in quotes: 'NO'"),
        ("title: A\n\tdims: 2\n", "line 2: is not valid YAML"),
        ("a:\n\tdims: 2\n", "indent with spaces, not with tabs"),
        ("title: [\n", "line 2: is not valid YAML: "),
        ("title: A\niterations: 010\n", "line 2: YAML reads 010 as 8; write the decimal number"),
        ("iterations: 0x10\n", "line 1: YAML reads 0x10 as 16"),
        ("- 1:00\n", "line 1: YAML reads 1:00 as 60"),
        ("- 1:00.5\n", "YAML reads 1:00.5 as minutes and seconds; write the decimal number"),
        pytest.param(f"- {'9' * 4301}\n", "9... has too many digits for a number", id="digits"),
        ("title: 2026-02-31\n",
         "line 1: YAML reads 2026-02-31 as a date, but day is out of range for month; put a text"),
        ("? [a, b]\n: 1\n", "line 1: a key is a list or a section; give a word"),
        pytest.param("x: " + "[" * 60 + "]" * 60, "nested more than 50 levels deep", id="deep"),
        pytest.param("x: " + "[" * 9999, "nested more than 50 levels deep", id="abyss"),
        ("x: &x [*x]\n", "nested more than 50 levels deep"),
        pytest.param(
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
                f"{key}: &{key} [{', '.join([f'*{before}'] * 10)}]\n"
                for before, key in pairwise("abcdefghi")
            ), "holds more than 100000 values; aliases repeat them", id="laughs"),
    ],
)  # fmt: skip
def test_what_yaml_would_let_pass_is_named_with_its_line(refusal, text, words):
    assert words in refusal(text)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-16", "perhaps UTF-16; save it as UTF-8"),
        ("utf-16-be", "perhaps UTF-16; save it as UTF-8"),
        ("latin-1", "line 2: is no text in UTF-8 (byte 0xfc); save the file as UTF-8"),
    ],
)
def test_another_encoding_is_refused(refusal, encoding, words):
    assert words in refusal("# Trial\ntitle: Kerne grün\n".encode(encoding))


def test_the_mark_of_utf_8_is_passed_over(settings, write_experiment):
    text = yaml.safe_dump(settings | {"title": "Kerne grün"}, allow_unicode=True)
    folder = write_experiment(text.encode("utf-8-sig"))
    assert load_experiment_settings("beads", "paper", folder).title == "Kerne grün"


def test_anchors_may_be_laid_over_each_other(settings, write_experiment):
    text = yaml.safe_dump(settings).replace("networks:", "networks:\n  gan: &gan {iterations: 5}")
    folder = write_experiment(text.replace("  cnn:", "  rcan: {<<: *gan, batch: 3}\n  cnn:"))
    rcan = load_experiment_settings("beads", "paper", folder).networks.rcan
    assert (rcan.iterations, rcan.batch) == (5, 3)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("1e-3", "networks.cnn.learning_rate is '1e-3', a text to YAML; write 1.0e-3"),
        ("2.5e4", "is '2.5e4', a text to YAML; write 2.5e+4"),
        ("'0.1'", "is '0.1', a text; write 0.1 without quotes"),
        ("0,1", "is '0,1', a text to YAML; write 0.1"),
        ("fast", "is 'fast'; give a number"),
    ],
)
def test_a_number_that_yaml_reads_as_text_is_said_with_how_to_write_it(
    settings, refusal, written, words
):
    text = yaml.safe_dump(settings).replace(
        "iterations: 10", f"iterations: 10\n    learning_rate: {written}"
    )
    message = refusal(text)
    assert words in message
    number = message.partition("write ")[2].split()[0].strip(";") if "write" in message else "1.0"
    assert isinstance(yaml.safe_load(number), float)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("488", "source.simulator.channel is 488, a number to YAML; put it in quotes: '488'"),
        ("NO", "source.simulator.channel is false to YAML, which takes yes, no, on and off"),
        ("2024-01-15", "a date to YAML; put it in quotes: '2024-01-15'"),
    ],
)
def test_a_name_that_yaml_reads_as_something_else_is_said(settings, refusal, written, words):
    text = yaml.safe_dump(settings).replace("  simulator:", f"  simulator:\n    channel: {written}")
    assert words in refusal(text)
