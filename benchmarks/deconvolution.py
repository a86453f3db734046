"""Lucy-Richardson side by side with scikit-image's, same image, same PSF, same result.

    python benchmarks/deconvolution.py [--threads 2] [--rounds 7]

Both take turns, so that a machine whose speed drifts slows both alike; the ratio is taken round
by round, and the median is what counts. scikit-image is timed in float32, its fastest, and in
float64, which it uses for images of integers or doubles.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from skimage.restoration import richardson_lucy as of_scikit_image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from crossres.optics import born_wolf_psf
from crossres.restoration import richardson_lucy

ITERATIONS = 20
CASES = [
    ((512, 512), (65, 65)),
    ((1024, 1024), (65, 65)),
    ((1024, 1024), (257, 257)),
    ((32, 256, 256), (31, 65, 65)),
]
"""Image and PSF shapes: two fields, the PSF size of common PSF generators, and a volume."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{ITERATIONS} iterations, {options.threads} threads, medians of {options.rounds} rounds")
    heads = ("image", "PSF", "ours", "to float32", "to float64", "difference")
    print("".join(f"{head:>13}" for head in heads))
    for shape, psf_shape in CASES:
        report(shape, psf_shape, options.rounds)


def report(shape: tuple[int, ...], psf_shape: tuple[int, ...], rounds: int) -> None:
    rng = np.random.default_rng(0)
    psf = born_wolf_psf(psf_shape, 65.0, 520.0, 1.2, 1.33, 200.0).astype(np.float32)
    image = rng.poisson(100 * rng.random(shape) ** 8 + 10).astype(np.float32)
    double = image.astype(np.float64)

    def ours() -> np.ndarray:
        return richardson_lucy(image, psf, ITERATIONS)

    def single() -> np.ndarray:
        return of_scikit_image(image, psf, ITERATIONS, clip=False)

    def doubled() -> np.ndarray:
        return of_scikit_image(double, psf.astype(np.float64), ITERATIONS, clip=False)

    difference = np.abs(ours() - single()).max() / single().max()
    times = np.array([[timed(call) for call in (ours, single, doubled)] for _ in range(rounds)])
    ratios = np.median(times[:, 1:] / times[:, :1], axis=0)
    cells = ("x".join(map(str, shape)), "x".join(map(str, psf_shape)))
    print(
        "".join(f"{cell:>13}" for cell in cells)
        + f"{np.median(times[:, 0]):12.3f}s{ratios[0]:13.1f}{ratios[1]:13.1f}{difference:13.1e}"
    )


def timed(call: Callable[[], np.ndarray]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
