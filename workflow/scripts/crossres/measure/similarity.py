"""How close an image is to the target, and to the truth where it is known."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from skimage.metrics import structural_similarity

from crossres.catalogue.methods import TARGET, TRUTH
from crossres.measure.measured import MeasuredImage
from crossres.measure.registry import Quantity, Value, measurement

RANGE_PERCENTILES = (0.1, 99.9)
SSIM_SIGMA_PX = 1.5
SSIM_WINDOW_PX = 11
"""Side of the Gaussian window, cut off at 3.5 sigma."""

SIMILARITY = (
    Quantity("mse", "1", "MSE"),
    Quantity("psnr_db", "dB", "PSNR", column=30),
    Quantity("nrmse", "1", "NRMSE", column=32),
    Quantity("ssim", "1", "SSIM", column=31),
    Quantity("pearson_r", "1", "Pearson r", column=33),
)
TO_TRUTH = "_truth"
"""What the names of metrics end in that compare with the truth."""

SIMILARITY_TO_TRUTH = tuple(
    replace(
        q,
        name=q.name + TO_TRUTH,
        label=f"{q.label} to truth",
        column=None if q.column is None else q.column + 10,
        against_truth=True,
    )
    for q in SIMILARITY
)


@measurement(*SIMILARITY, not_of=(TARGET,))
def similarity_to_target(seen: MeasuredImage) -> Iterator[Value]:
    """Compare with the target as it was recorded, noise included.

    Of the truth this is the ceiling: what a perfect restoration would reach. Scores above it come
    from smoothness, not from better restoration.
    """
    for name, value in compare(seen.image, seen.target).items():
        yield Value(name, value)


@measurement(*SIMILARITY_TO_TRUTH, not_of=(TRUTH,))
def similarity_to_truth(seen: MeasuredImage) -> Iterator[Value]:
    """Compare with what the target's microscope would have recorded without noise."""
    if seen.truth is not None:
        for name, value in compare(seen.image, seen.truth).items():
            yield Value(name + TO_TRUTH, value)


def compare(image: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """Compare an image with its target after a stated normalisation.

    Normalisation: the target is scaled so that its percentiles 0.1 and 99.9 become 0 and 1; the
    image is brought to it by the scale (not negative: an inverted image is no restoration) and
    offset of least squares, because two modalities count in different units and brightness is not
    judged. Nothing is clipped; the data range is 1. Every method is treated alike, the untouched
    input included.

    Parameters
    ----------
    image, target
        (Y, X) or (Z, Y, X) of one shape, counts.

    Returns
    -------
    dict
        ``mse`` and ``psnr_db`` = -10 log10(mse); ``nrmse`` = sqrt(mse) over the root mean square
        of the normalised target; ``ssim`` with a Gaussian window of sigma 1.5 px, data range 1
        (Wang, Bovik et al. 2004), in volumes 1.5 px along z too, or the mean over the slices where
        there are fewer than 11; ``pearson_r``. NaN for a constant image or target.

    References
    ----------
    Normalisation: Weigert et al., Nat. Methods 15, 1090 (2018), Supplementary Note 2.
    """
    x = np.asarray(image, dtype=np.float64)
    low, high = np.percentile(target, RANGE_PERCENTILES)
    if high <= low or np.ptp(x) == 0:
        return {quantity.name: float("nan") for quantity in SIMILARITY}
    y = (np.asarray(target, dtype=np.float64) - low) / (high - low)
    dx, dy = x - x.mean(), y - y.mean()
    covariance, variance = float(np.mean(dx * dy)), float(np.mean(dx * dx))
    fitted = max(0.0, covariance / variance) * dx + y.mean()
    mse = float(np.mean((fitted - y) ** 2))
    return {
        "mse": mse,
        "psnr_db": float(-10 * np.log10(mse)) if mse > 0 else float("inf"),
        "nrmse": float(np.sqrt(mse / np.mean(y**2))),
        "ssim": _structural_similarity(y, fitted),
        "pearson_r": covariance / float(np.sqrt(variance * np.mean(dy * dy))),
    }


def _structural_similarity(y: np.ndarray, x: np.ndarray) -> float:
    """Return the SSIM of images or volumes, of thin volumes the mean over their slices."""
    if y.ndim == 3 and y.shape[0] < SSIM_WINDOW_PX:
        return float(
            np.mean([_structural_similarity(*slices) for slices in zip(y, x, strict=True)])
        )
    return float(
        structural_similarity(  # type: ignore[no-untyped-call]
            y,
            x,
            data_range=1.0,
            gaussian_weights=True,
            sigma=SSIM_SIGMA_PX,
            use_sample_covariance=False,
        )
    )
