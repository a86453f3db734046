"""Two wide-field images of one sample whose deformation is known: nothing is interpolated.

The sample is a list of points of light. The reference shows a point at p, the moving image at
p - d(p); either place is blurred by its microscope and sampled on the pixels. So d is what moves
the moving image onto the reference, by how the pair was made and not by any warping code.
"""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from scipy.ndimage import gaussian_filter

Displacement = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Of y and x in pixels, the displacement (2, ...) there."""

MARGIN_PX = 32
FINER = 2
FILAMENTS_AT_ONCE = 1000


def constant(dy: float, dx: float) -> Displacement:
    """Return the same displacement everywhere."""
    return lambda y, x: np.stack([np.full_like(y, dy), np.full_like(x, dx)])


def linear(matrix: np.ndarray, shape: tuple[int, int]) -> Displacement:
    """Return a matrix (2, 2) times the place relative to the image's centre."""
    v, u = ((n - 1) / 2 for n in shape)
    return lambda y, x: np.stack([a * (y - v) + b * (x - u) for a, b in matrix])


def waves(
    shape: tuple[int, int],
    seed: int,
    largest_px: float = 3.0,
    wavelengths_px: tuple[float, float] = (600.0, 1500.0),
    count: int = 6,
) -> Displacement:
    """Return a sum of plane waves whose largest displacement on the image is given."""
    rng = np.random.default_rng([seed, 7])
    wavelength, angle = rng.uniform(*wavelengths_px, count), rng.uniform(0, 2 * np.pi, count)
    ky, kx = 2 * np.pi / wavelength * np.sin(angle), 2 * np.pi / wavelength * np.cos(angle)
    phase = rng.uniform(0, 2 * np.pi, (2, count))
    # all waves strain alike: a long one moves things further
    amplitude = rng.normal(size=(2, count)) * wavelength

    def unscaled(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        result = np.zeros((2, *np.broadcast_shapes(np.shape(y), np.shape(x))))
        for wave in range(count):
            along = ky[wave] * y + kx[wave] * x
            for part, a, p in zip(result, amplitude[:, wave], phase[:, wave], strict=True):
                part += a * np.sin(along + p)
        return result

    y, x = np.mgrid[: shape[0] : 8, : shape[1] : 8]
    scale = largest_px / np.hypot(*unscaled(y, x)).max()
    return lambda y, x: scale * unscaled(y, x)


def displacement_map(displacement: Displacement, shape: tuple[int, int]) -> np.ndarray:
    """Return the displacement at every pixel, (2, Y, X)."""
    return displacement(*np.mgrid[: shape[0], : shape[1]].astype(float))


def make_pair(
    shape: tuple[int, int],
    displacement: Displacement,
    *,
    seed: int = 0,
    peak_photons: float = 10_000.0,
    sigma_px: tuple[float, float] = (2.2, 1.3),
    haze: tuple[float, float] = (0.5, 0.25),
    filaments: float = 3000.0,
    spots: float = 8000.0,
    covered: float = np.inf,
) -> tuple[np.ndarray, np.ndarray]:
    """Return reference and moving image in photons, float32, with camera noise.

    Parameters
    ----------
    shape
        (Y, X).
    displacement
        What moves the moving image onto the reference.
    seed
        Of the sample and the noise.
    peak_photons
        Of the 99.9th percentile, without the background.
    sigma_px
        Blur of either image.
    haze
        Light out of focus, as a part of the light in focus.
    filaments, spots
        In a million pixels.
    covered
        Part of the width, from the left, that the sample covers; it goes on beyond the image.
    """
    density = np.prod(shape) / 2**20
    count = round(filaments * density), round(spots * density)
    noise = np.random.default_rng([seed, 3])
    images = []
    for moves, sigma, part, background in zip(
        (None, displacement), sigma_px, haze, (60.0, 30.0), strict=True
    ):
        points = _points(shape, *count, seed, covered * shape[1])
        image = _draw(points, moves, shape, sigma)
        image = image + part * gaussian_filter(image, 12)
        image *= peak_photons / np.percentile(image, 99.9)
        image = noise.poisson(image + background) + noise.normal(0, 1.5, shape)
        images.append(image.astype(np.float32))
    return images[0], images[1]


def rms_px(found: np.ndarray, true: np.ndarray, border_px: int = 16) -> float:
    """Return the root mean square length of an error (2, Y, X), the border left out."""
    inside = slice(border_px, -border_px)
    return float(np.sqrt(np.square(found - true).sum(0)[inside, inside].mean()))


def _points(
    shape: tuple[int, int], filaments: int, spots: int, seed: int, right_px: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield places (2, N) and light (N,): spots first, then filaments, some at a time."""
    rng = np.random.default_rng([seed, 1])
    size = np.array(shape, dtype=float)[:, None]
    places, light = rng.uniform(0, size, (2, spots)), rng.lognormal(1.2, 0.6, spots)
    yield places, light * (places[1] < right_px)
    longest_px = 450
    for first in range(0, filaments, FILAMENTS_AT_ONCE):
        number = min(FILAMENTS_AT_ONCE, filaments - first)
        length = rng.uniform(100, longest_px, (number, 1))
        start = rng.uniform(-50, size + 50, (2, number))[..., None]
        bend = 8e-4 * rng.normal(size=(number, longest_px)).cumsum(1)
        heading = rng.uniform(0, 2 * np.pi, (number, 1)) + bend.cumsum(1)
        places = start + np.stack([np.sin(heading), np.cos(heading)]).cumsum(2)
        light = rng.lognormal(0, 0.4, (number, 1)) * (np.arange(longest_px) < length)
        light *= places[1] < right_px
        yield places[:, light > 0], light[light > 0]


def _draw(
    points: Iterator[tuple[np.ndarray, np.ndarray]],
    displacement: Displacement | None,
    shape: tuple[int, int],
    sigma_px: float,
) -> np.ndarray:
    """Return the blurred image of points of light, (Y, X)."""
    fine_shape = tuple((n + 2 * MARGIN_PX) * FINER for n in shape)
    fine = np.zeros(fine_shape[0] * fine_shape[1])
    for places, light in points:
        if displacement is not None:
            places = places - displacement(*places)
        places = (places + 0.5 + MARGIN_PX) * FINER - 0.5
        low = np.floor(places).astype(int) - 1
        within = ((low >= 0) & (low + 3 < np.array(fine_shape)[:, None])).all(0)
        low, light = low[:, within], light[within]
        # a cubic B-spline is as wide wherever between the pixels the point lies
        y, x = (_spline_values(part) for part in places[:, within] - low - 1)
        index = low[0] * fine_shape[1] + low[1]
        for i, j in product(range(4), repeat=2):
            np.add.at(fine, index + i * fine_shape[1] + j, light * y[i] * x[j])
    # the variance of the spline is 1 / 3
    sigma = np.sqrt((sigma_px * FINER) ** 2 - 1 / 3)
    image = gaussian_filter(fine.reshape(fine_shape), sigma)
    image = image.reshape(fine_shape[0] // FINER, FINER, fine_shape[1] // FINER, FINER).sum((1, 3))
    return image[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]


def _spline_values(part: np.ndarray) -> np.ndarray:
    """Return the cubic B-spline at the four nodes around a place ``part`` after the second."""
    rest = 1 - part
    inner = [2 / 3 - t**2 + t**3 / 2 for t in (part, rest)]
    return np.stack([rest**3 / 6, *inner, part**3 / 6])
