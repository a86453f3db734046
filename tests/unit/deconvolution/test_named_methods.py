import numpy as np
import pytest

from crossres.catalogue.classical import CLASSICAL
from crossres.deconvolution.registry import ITERATIONS, iterate
from crossres.restoration import nnls, richardson_lucy


def test_every_method_of_the_catalogue_iterates():
    assert list(ITERATIONS) == list(CLASSICAL)


@pytest.mark.parametrize(
    ("method", "function", "parameter"),
    [("richardson_lucy", richardson_lucy, 0.03), ("nnls", nnls, 0.7)],
)
def test_a_method_is_found_by_its_name(rng, method, function, parameter):
    image, psf = rng.random((12, 13)), np.ones((3, 3)) / 9
    *_, found = iterate(method, image, psf, 4, parameter)
    np.testing.assert_array_equal(found, function(image, psf, 4, parameter))
