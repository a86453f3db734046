import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

import crossres
from crossres.samples import SAMPLES, AnySample, LayeredSample, PointSample

STAINS = {"dapi": {"structure": "nuclei"}}
SCRIPTS = Path(crossres.__file__).parents[1]


def sample_of(kind):
    values = {"kind": kind, **({"stains": STAINS} if kind == "cells" else {})}
    return TypeAdapter(AnySample).validate_python(values)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_sample_is_known_by_its_kind(kind):
    sample = sample_of(kind)
    assert type(sample) is SAMPLES[kind]
    assert sample.name() == kind


@pytest.mark.parametrize(
    "kind", [kind for kind, s in SAMPLES.items() if issubclass(s, PointSample)]
)
def test_emitters_have_a_place_and_a_brightness_each(kind, rng):
    emitters = sample_of(kind).emitters((3e3, 9e3, 9e3), rng)
    count = len(emitters.brightness)
    assert count > 0
    assert emitters.position_nm.shape == (count, 3)
    assert all(values.shape == (count,) for values in emitters.facts.values())


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_same_chance_gives_the_same(kind):
    sample = sample_of(kind)
    if isinstance(sample, LayeredSample):
        drawn = [
            sample.layers("dapi", 40e3, 400.0, *map(np.random.default_rng, seeds)).density
            for seeds in ([1, 2], [1, 2], [1, 3])
        ]
    else:
        drawn = [
            sample.emitters((3e3, 9e3, 9e3), np.random.default_rng(seed)).position_nm
            for seed in (1, 1, 2)
        ]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert drawn[0].shape != drawn[2].shape or (drawn[0] != drawn[2]).any()


def test_another_kind_is_the_users_mistake():
    with pytest.raises(ValidationError, match="mitochondria"):
        TypeAdapter(AnySample).validate_python({"kind": "mitochondria"})


def test_samples_load_without_what_draws_them():
    # every start of Snakemake reads them
    heavy = "{'scipy', 'pandas', 'torch'} & set(sys.modules)"
    code = f"import sys, crossres.samples; print(sorted({heavy}))"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
