"""How close a restored image is to its target."""

import numpy as np
from skimage.metrics import structural_similarity

RANGE_PERCENTILES = (0.1, 99.9)


def compare(image: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """Compare an image with its target after a stated normalisation.

    Normalisation: the target is scaled so that its percentiles 0.1 and 99.9 become 0 and 1; the
    image is brought to it by the scale (not negative: an inverted image is no restoration) and
    offset of least squares. Two modalities count in different units, and their brightness is not
    what is judged. Nothing is clipped; the data
    range is 1. The same is done to every method, the untouched input included.

    Parameters
    ----------
    image, target
        (Y, X) of one shape, counts.

    Returns
    -------
    dict
        ``mse`` and ``psnr_db`` = -10 log10(mse); ``nrmse`` = sqrt(mse) over the root mean square
        of the normalised target; ``ssim`` with a Gaussian window of sigma 1.5, data range 1
        (Wang, Bovik et al. 2004); ``pearson_r``. NaN for a constant image or target.

    References
    ----------
    Normalisation: Weigert et al., Nat. Methods 15, 1090 (2018), Supplementary Note 2.
    """
    x = np.asarray(image, dtype=np.float64)
    low, high = np.percentile(target, RANGE_PERCENTILES)
    names = ("mse", "psnr_db", "nrmse", "ssim", "pearson_r")
    if high <= low or np.ptp(x) == 0:
        return dict.fromkeys(names, float("nan"))
    y = (np.asarray(target, dtype=np.float64) - low) / (high - low)
    dx, dy = x - x.mean(), y - y.mean()
    covariance, variance = float(np.mean(dx * dy)), float(np.mean(dx * dx))
    fitted = max(0.0, covariance / variance) * dx + y.mean()
    mse = float(np.mean((fitted - y) ** 2))
    similarity = structural_similarity(
        y, fitted, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    return {
        "mse": mse,
        "psnr_db": float(-10 * np.log10(mse)) if mse > 0 else float("inf"),
        "nrmse": float(np.sqrt(mse / np.mean(y**2))),
        "ssim": float(similarity),
        "pearson_r": covariance / float(np.sqrt(variance * np.mean(dy * dy))),
    }
