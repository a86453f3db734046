import numpy as np
import pytest
from scipy.ndimage import fourier_shift, gaussian_filter
from skimage.registration import phase_cross_correlation

from crossres.registration import apply_shift, estimate_shift, locate_correlation_peak
from crossres.registration.shift import normalised_cross_correlation

SHIFTS = [(0.0, 0.0), (3.0, -5.0), (0.3, 0.4), (-2.72, 6.15), (0.5, -0.5)]


def texture(shape, seed=0, sigma=2.5):
    """Blurred noise that continues periodically, from 0 to 1."""
    noise = np.random.default_rng(seed).normal(size=shape)
    smooth = gaussian_filter(noise, sigma, mode="wrap")
    return (smooth - smooth.min()) / np.ptp(smooth)


def moved(image, shift):
    """The image moved by (dy, dx), without loss as it continues periodically."""
    return np.fft.ifft2(fourier_shift(np.fft.fft2(image), shift)).real


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("shape", [(128, 128), (97, 140)])
def test_a_known_shift_is_found_with_the_sign_that_undoes_it(shape, shift):
    image = texture(shape)
    found = estimate_shift(image, moved(image, shift))
    np.testing.assert_allclose(found, np.negative(shift), atol=0.05)


@pytest.mark.parametrize(
    ("dtype", "range_"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1), (np.float64, 1)]
)
def test_every_dtype_gives_the_same_shift(dtype, range_):
    image = texture((96, 96))
    pair = [(a * range_ * 0.9).clip(0).astype(dtype) for a in (image, moved(image, (2.3, -1.7)))]
    np.testing.assert_allclose(estimate_shift(*pair), (-2.3, 1.7), atol=0.05)


@pytest.mark.parametrize("shift", [(4.25, -3.5), (-7.0, 1.1)])
def test_agrees_with_scikit_image(shift):
    image = texture((120, 120))
    other = moved(image, shift) + 0.02 * np.random.default_rng(1).normal(size=image.shape)
    expected, *_ = phase_cross_correlation(image, other, upsample_factor=100, normalization=None)
    np.testing.assert_allclose(estimate_shift(image, other), expected, atol=0.06)


@pytest.mark.parametrize("shift", [(0, 0), (7, -4), (-11, 13)])
def test_images_that_only_overlap(shift):
    # two windows of one large image: what leaves on one side does not return on the other
    large = texture((150, 160))
    reference = large[20:120, 20:130]
    moving = large[20 + shift[0] : 120 + shift[0], 20 + shift[1] : 130 + shift[1]]
    np.testing.assert_allclose(estimate_shift(reference, moving), shift, atol=0.05)


@pytest.mark.parametrize(("gain", "offset"), [(0.01, 0.0), (1.0, 3e4), (250.0, -40.0)])
def test_gain_and_offset_of_a_detector_do_not_matter(gain, offset):
    image = texture((90, 90))
    moving = moved(image, (1.4, -2.6)) * gain + offset
    np.testing.assert_allclose(estimate_shift(image, moving), (-1.4, 2.6), atol=0.05)


def test_beads_of_different_width_and_noise_are_aligned(rng):
    # as a confocal and a STED scan of the same beads, 30 nm a pixel
    y, x = np.mgrid[:128, :128]
    beads = rng.uniform(10, 118, (40, 2))
    shift = np.array([0.34, -0.52])

    def scan(fwhm_px, offset, photons):
        expected = np.full(y.shape, 5.0)
        for v, u in beads + offset:
            squared = (y - v) ** 2 + (x - u) ** 2
            expected += photons * 2.0 ** (-4 * squared / fwhm_px**2)
        return rng.poisson(expected)

    found = estimate_shift(scan(9.0, 0.0, 60), scan(4.0, shift, 90))
    np.testing.assert_allclose(found, -shift, atol=0.1)


def test_a_bright_object_at_the_border_does_not_hold_the_peak_at_zero():
    large = texture((150, 150))
    large[60:80, 20:26] += 8.0
    reference, moving = large[20:120, 20:120], large[20:120, 30:130]
    np.testing.assert_allclose(estimate_shift(reference, moving), (0, 10), atol=0.1)


@pytest.mark.parametrize(("shape", "reach"), [((12, 12), 4), ((9, 14), 3)])
def test_correlation_is_pearsons_of_the_overlap_at_every_shift(rng, shape, reach):
    a, b = rng.random(shape), rng.random(shape)
    found = normalised_cross_correlation(a, b, reach)
    assert found.shape == (2 * reach + 1,) * 2
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            # b[y, x] lies on a[y + dy, x + dx]
            part_a = a[max(dy, 0) : shape[0] + min(dy, 0), max(dx, 0) : shape[1] + min(dx, 0)]
            part_b = b[max(-dy, 0) : shape[0] - max(dy, 0), max(-dx, 0) : shape[1] - max(dx, 0)]
            expected = np.corrcoef(part_a.ravel(), part_b.ravel())[0, 1]
            assert found[reach + dy, reach + dx] == pytest.approx(expected, abs=1e-9)


def test_peak_of_an_image_with_itself_is_one():
    image = texture((64, 80))
    peak = locate_correlation_peak(image, image)
    assert peak.correlation == pytest.approx(1.0)
    assert peak.fitted


def test_unrelated_images_have_a_low_peak():
    peak = locate_correlation_peak(texture((128, 128), 1), texture((128, 128), 2), 20)
    assert peak.correlation < 0.4


def test_shifts_beyond_the_limit_are_not_looked_for():
    image = texture((128, 128))
    found = estimate_shift(image, moved(image, (30.0, 0.0)), max_shift_px=8)
    # two pixels of margin, and one that the fit may add
    assert np.abs(found).max() <= 11


def test_a_shift_at_the_limit_is_found():
    image = texture((128, 128))
    peak = locate_correlation_peak(image, moved(image, (8.0, -8.0)), max_shift_px=8)
    assert peak.fitted
    np.testing.assert_allclose(peak.shift_px, (-8, 8), atol=0.05)


@pytest.mark.parametrize("which", [0, 1])
def test_a_constant_image_has_no_peak(which):
    pair = [texture((64, 64)), texture((64, 64))]
    pair[which] = np.full((64, 64), 7.0)
    peak = locate_correlation_peak(*pair)
    assert peak.correlation == 0.0
    assert not peak.fitted


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"\(8, 8\) and \(8, 9\)"):
        estimate_shift(np.zeros((8, 8)), np.zeros((8, 9)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("shift", [(2, -3), (-1, 0), (0, 5)])
def test_whole_pixels_are_moved_as_they_are(rng, dtype, shift):
    image = (rng.random((20, 25)) * 200).astype(dtype)
    found = apply_shift(image, shift)
    expected = np.roll(image, shift, axis=(0, 1))[6:-6, 6:-6]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[6:-6, 6:-6], expected, atol=2e-3)


@pytest.mark.parametrize("shift", [(0.4, -0.7), (2.5, 1.25)])
def test_a_blob_moves_by_the_fraction_asked(shift):
    y, x = np.mgrid[:41, :50].astype(float)

    def blob(v, u):
        return 100 * np.exp(-((y - v) ** 2 + (x - u) ** 2) / (2 * 3.0**2))

    found = apply_shift(blob(20.0, 23.0), shift)
    np.testing.assert_allclose(found, blob(20.0 + shift[0], 23.0 + shift[1]), atol=0.1)


def test_border_is_repeated():
    found = apply_shift(np.full((9, 9), 40.0), (3.3, -2.2))
    np.testing.assert_allclose(found, 40.0, rtol=1e-5)


@pytest.mark.parametrize("shift", [(1.37, -2.81), (-4.5, 0.2)])
def test_estimate_then_apply_brings_the_image_back(shift):
    image = texture((100, 100))
    moving = moved(image, shift)
    back = apply_shift(moving, estimate_shift(image, moving))
    np.testing.assert_allclose(back[8:-8, 8:-8], image[8:-8, 8:-8], atol=0.01)


def test_correlation_of_volumes_is_pearsons_of_the_overlap_at_every_shift(rng):
    shape, reach = (5, 8, 9), (2, 3, 1)
    a, b = rng.random((2, *shape))
    found = normalised_cross_correlation(a, b, reach)
    assert found.shape == (5, 7, 3)
    for shift in np.ndindex(found.shape):
        moves = np.subtract(shift, reach)
        # b[place] lies on a[place + shift]
        part_a = a[
            tuple(slice(max(d, 0), n + min(d, 0)) for d, n in zip(moves, shape, strict=True))
        ]
        part_b = b[
            tuple(slice(max(-d, 0), n - max(d, 0)) for d, n in zip(moves, shape, strict=True))
        ]
        expected = np.corrcoef(part_a.ravel(), part_b.ravel())[0, 1]
        assert found[shift] == pytest.approx(expected, abs=1e-9)
