"""Pairs that the tests of registration look at."""

import numpy as np
import pytest
from deformed_pairs import constant, make_pair
from registered_pairs import SHAPE, SHIFT, WAVES


@pytest.fixture(scope="module")
def shifted():
    return make_pair(SHAPE, constant(*SHIFT))


@pytest.fixture(scope="module")
def wavy():
    return make_pair(SHAPE, WAVES)


@pytest.fixture(scope="module")
def noise():
    return tuple(np.random.default_rng(0).poisson(100, (2, 96, 100)).astype(np.float32))
