import numpy as np
import pytest

from crossres.images import Image


@pytest.mark.parametrize(
    ("shape", "axes"), [((4, 5), "CYX"), ((2, 4, 5), "YX"), ((4,), "YX"), ((1, 1, 4, 5), "ZYX")]
)
def test_axes_must_fit_the_array(shape, axes):
    with pytest.raises(ValueError, match=axes):
        Image(np.zeros(shape), axes)


@pytest.mark.parametrize(("axes", "shape"), [("CYX", (3, 4, 5)), ("ZCYX", (2, 3, 4, 5))])
def test_channel_is_taken_by_name_wherever_its_axis_lies(axes, shape):
    number = np.arange(3).reshape([3 if axis == "C" else 1 for axis in axes])
    image = Image(np.broadcast_to(number, shape), axes, channels=("dapi", "fitc", "texas red"))
    plane = image.channel("fitc")
    assert plane.shape == tuple(n for n, axis in zip(shape, axes, strict=True) if axis != "C")
    assert (plane == 1).all()


def test_unknown_channel_is_refused():
    with pytest.raises(ValueError):
        Image(np.zeros((1, 4, 5)), "CYX", channels=("dapi",)).channel("fitc")
