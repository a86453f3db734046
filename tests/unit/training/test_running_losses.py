"""What the losses were since the last validation."""

import math

import pytest
import torch

from crossres.training import ProcessGroup
from crossres.training.running_losses import RunningLosses

ALONE = ProcessGroup()


@pytest.fixture
def record():
    return RunningLosses(torch.device("cpu"))


def add(record, first, *rows):
    for iteration, row in enumerate(rows, start=first):
        record.add(iteration, tuple(row), torch.tensor(list(row.values())))


def test_terms_are_averaged_since_the_last_call(record):
    add(record, 1, {"loss": 1.0, "mse": 4.0}, {"loss": 3.0, "mse": 8.0})
    assert record.means(ALONE) == {"loss": 2.0, "mse": 6.0}
    add(record, 3, {"loss": 7.0, "mse": 1.0})
    assert record.means(ALONE) == {"loss": 7.0, "mse": 1.0}


def test_a_term_that_joins_in_later_is_averaged_from_there_on(record):
    add(record, 1, {"loss": 1.0}, {"loss": 3.0, "discriminator_loss": 5.0})
    assert record.means(ALONE) == {"loss": 2.0, "discriminator_loss": 5.0}


def test_nothing_added_is_nothing_said(record):
    assert record.means(ALONE) == {}
    assert record.first_not_finite(ALONE) is None
    assert record.last_finite() == "nothing yet"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_first_iteration_that_is_not_finite_is_found_however_late_one_looks(record, value):
    add(record, 1, *[{"loss": 1.0, "mse": 2.0}] * 6)
    add(record, 7, {"loss": 1.0, "mse": value}, {"loss": value, "mse": value})
    add(record, 9, *[{"loss": 1.0, "mse": 2.0}] * 20)
    assert record.first_not_finite(ALONE) == 7


def test_what_is_said_of_it_is_how_it_stood_before(record):
    add(record, 1, {"loss": 0.5, "mse_share": 0.25}, {"loss": 0.125, "mse_share": 0.75})
    add(record, 3, {"loss": math.nan, "mse_share": 0.9}, {"loss": 3.0, "mse_share": 0.1})
    assert record.last_finite() == "loss 0.125, mse_share 0.75"


def test_it_is_remembered_over_a_validation(record):
    add(record, 1, {"loss": 1.0}, {"loss": math.nan})
    record.means(ALONE)
    add(record, 3, {"loss": 1.0})
    assert record.first_not_finite(ALONE) == 2
