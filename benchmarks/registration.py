"""Registration against known displacements, side by side with other libraries, on one core.

    python benchmarks/registration.py [--seeds 3] [--slow]

Elastic: pairs of wide-field images of filaments and spots, drawn where a smooth displacement of up
to 3 px puts them; one image is more blurred, and both have haze and noise. What counts is how far
the displacement that a method finds lies from the true one, 32 px from the border and further in.
Then our own estimate of that distance against light, and cost against size. Global: shifts of a
texture, whole and cropped, against noise. Methods that are not installed are left out
(pip install itk-elastix SimpleITK); --slow adds those that take minutes, and larger images.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import fourier_shift, gaussian_filter
from skimage.registration import optical_flow_ilk, optical_flow_tvl1, phase_cross_correlation

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))
# the tests draw their pairs with the same pen
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "unit" / "registration"))

from deformed_pairs import displacement_map, make_pair, rms_px, waves

from crossres.registration import estimate_displacement, estimate_shift
from crossres.registration.blocks import estimate_by_blocks

SIDE_PX = 1024
BORDER_PX = 32
PHOTONS = (100, 300, 1000, 10_000, 30_000)
SIDES_PX = (512, 1024, 2048)
SHIFT_SIDE_PX = 256
SHIFT_TRIALS = 40
SUCCESS_PX = 0.5
SUCCESS_RATE = 0.95

Method = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Of reference and moving image, the displacement (2, Y, X) of the moving one in pixels."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--cost-of", nargs=2, metavar=("PAIR", "DEVICE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        # whatever a library does with threads, it has one core
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    if options.cost_of:
        print(json.dumps(cost(*options.cost_of)))
        return
    report_accuracy(options.seeds, options.slow)
    report_estimated_error(options.seeds)
    report_cost((*SIDES_PX, 4096) if options.slow else SIDES_PX)
    report_shifts()


def report_accuracy(seeds: int, slow: bool) -> None:
    print(f"\nElastic, {SIDE_PX} px: medians of {seeds} pairs")
    print(f"{'method':<46}{'rms px':>10}{'95 % px':>10}{'seconds':>10}")
    shape = (SIDE_PX, SIDE_PX)
    cases = []
    for seed in range(seeds):
        displacement = waves(shape, seed)
        pair = make_pair(shape, displacement, seed=seed)
        cases.append((pair, displacement_map(displacement, shape)))
    nothing = [distances(np.zeros_like(true), true) for _, true in cases]
    print_row("nothing done", *np.median(nothing, axis=0), "")
    for name, package, method in methods(slow):
        if method is None:
            print(f"{name:<46}{package} is not installed")
            continue
        found = []
        for pair, true in cases:
            seconds, displacement = timed(method, *pair)
            found.append((*distances(displacement, true), seconds))
        print_row(name, *np.median(found, axis=0))


def print_row(name: str, rms: float, p95: float, seconds: float | str) -> None:
    time_taken = seconds if isinstance(seconds, str) else f"{seconds:.2f}"
    print(f"{name:<46}{rms:10.4f}{p95:10.4f}{time_taken:>10}", flush=True)


def distances(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Return rms and 95th percentile of the distance to the true displacement, in pixels."""
    inside = slice(BORDER_PX, -BORDER_PX)
    distance = np.hypot(*(found - true))[inside, inside]
    return rms_px(found, true, BORDER_PX), float(np.percentile(distance, 95))


def methods(slow: bool) -> list[tuple[str, str, Method | None]]:
    """Return name, package and function of every method, None for what is not installed."""
    rows = [
        ("ours, splines", "", lambda r, m: estimate_displacement(r, m).displacement),
        ("ours, published pyramid of blocks", "", estimate_by_blocks),
        ("elastix, default B-splines", "itk-elastix", of_elastix),
        ("elastix, correlation, grid of 64 px", "itk-elastix", of_elastix_with_correlation),
        ("scikit-image, ILK, radius 30, Gaussian", "scikit-image", of_lucas_kanade),
        ("scikit-image, TV-L1", "scikit-image", of_total_variation),
    ]
    if slow:
        rows.append(("SimpleITK, B-splines, Mattes information", "SimpleITK", of_simpleitk))
    return [(name, package, f if installed(package) else None) for name, package, f in rows]


def installed(package: str) -> bool:
    try:
        return package == "" or bool(version(package))
    except PackageNotFoundError:
        return False


def of_elastix(reference: np.ndarray, moving: np.ndarray, **changes: list[str]) -> np.ndarray:
    import itk

    parameters = itk.ParameterObject.New()
    parameters.AddParameterMap(parameters.GetDefaultParameterMap("translation"))
    splines = parameters.GetDefaultParameterMap("bspline", 4)
    for key, values in changes.items():
        splines[key] = values
    parameters.AddParameterMap(splines)
    fixed, free = itk.image_from_array(reference), itk.image_from_array(moving)
    _, transform = itk.elastix_registration_method(
        fixed, free, parameter_object=parameters, number_of_threads=1, log_to_console=False
    )
    return from_itk(itk.array_from_image(itk.transformix_deformation_field(free, transform)))


def of_elastix_with_correlation(reference: np.ndarray, moving: np.ndarray) -> np.ndarray:
    metric = ["AdvancedNormalizedCorrelation", "TransformBendingEnergyPenalty"]
    return of_elastix(reference, moving, Metric=metric, FinalGridSpacingInPhysicalUnits=["64"])


def of_simpleitk(reference: np.ndarray, moving: np.ndarray) -> np.ndarray:
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    fixed, free = (sitk.GetImageFromArray(image) for image in (reference, moving))
    spline = sitk.BSplineTransformInitializer(fixed, [n // 64 for n in fixed.GetSize()])
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsLBFGSB(1e-6, 100)
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SetInitialTransform(spline, True)
    method.Execute(fixed, free)
    field = sitk.TransformToDisplacementField(spline, sitk.sitkVectorFloat64, fixed.GetSize())
    return from_itk(sitk.GetArrayFromImage(field))


def from_itk(field: np.ndarray) -> np.ndarray:
    """Turn (Y, X, 2), x first, which leads from the reference to the moving image, into ours."""
    return -np.moveaxis(field[..., ::-1], -1, 0)


def of_lucas_kanade(reference: np.ndarray, moving: np.ndarray) -> np.ndarray:
    pair = equally_bright(reference, moving)
    return -optical_flow_ilk(*pair, radius=30, gaussian=True, dtype=np.float32)


def of_total_variation(reference: np.ndarray, moving: np.ndarray) -> np.ndarray:
    pair = equally_bright(reference, moving)
    return -optical_flow_tvl1(*pair, dtype=np.float32)


def equally_bright(reference: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """Return both with one mean and one deviation, from 0 to 1: optical flow takes that for given.

    Scaled from 0 to 1 each by itself, TV-L1 is lost.
    """
    pair = np.stack([(image - image.mean()) / image.std() for image in (reference, moving)])
    return (pair - pair.min()) / np.ptp(pair)


def report_estimated_error(seeds: int) -> None:
    print(f"\nOurs against light, {SIDE_PX} px, border included: medians of {seeds} pairs")
    heads = ("peak photons", "true rms px", "estimated px", "true/estimated", "texture")
    print("".join(f"{head:>16}" for head in heads))
    shape = (SIDE_PX, SIDE_PX)
    for photons in PHOTONS:
        rows = []
        for seed in range(seeds):
            displacement = waves(shape, seed)
            pair = make_pair(shape, displacement, seed=seed, peak_photons=photons)
            estimate = estimate_displacement(*pair)
            error = estimate.displacement - displacement_map(displacement, shape)
            true = float(np.sqrt(np.square(error).sum(0).mean()))
            rows.append((true, estimate.rms_px, true / estimate.rms_px, estimate.texture))
        true, estimated, ratio, texture = np.median(rows, axis=0)
        print(f"{photons:16d}{true:16.4f}{estimated:16.4f}{ratio:16.2f}{texture:16.2f}", flush=True)


def report_cost(sides: tuple[int, ...]) -> None:
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    print("\nOurs against size, each in a process of its own, the second run")
    heads = ("px", "device", "seconds", "s per Mpx", "peak MiB", "before MiB")
    print("".join(f"{head:>13}" for head in heads))
    with tempfile.TemporaryDirectory() as folder:
        for side in sides:
            path = Path(folder, f"{side}.npy")
            np.save(path, make_pair((side, side), waves((side, side), 0)))
            for device in devices:
                command = [sys.executable, __file__, "--cost-of", str(path), device]
                answer = subprocess.run(command, check=True, capture_output=True, text=True)
                seconds, peak, before = json.loads(answer.stdout)
                per_mpx = seconds / (side**2 / 2**20)
                row = f"{side:13d}{device:>13}{seconds:13.2f}{per_mpx:13.2f}"
                print(f"{row}{peak:13.0f}{before:13.0f}", flush=True)


def cost(path: str, device: str) -> tuple[float, float, float]:
    """Return seconds of the second run, and memory in MiB: its peak, and what was in use before."""
    pair = np.load(path)
    before = peak_mib(device)
    for _ in range(2):
        seconds, _ = timed(estimate_displacement, *pair, device=device)
    return seconds, peak_mib(device), before


def peak_mib(device: str) -> float:
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    # not getrusage: a process that was just started has its parent's maximum there
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10


def report_shifts() -> None:
    """Report the global shift: without noise, then with ever more until it is lost."""
    side, trials = SHIFT_SIDE_PX, SHIFT_TRIALS
    print(f"\nShift, {side} px texture, up to 10 px: {trials} pairs a row; scikit-image's is")
    print(f"phase_cross_correlation, unnormalised. Found: off by less than {SUCCESS_PX} px")
    heads = ("pair", "SNR", "ours rms px", "found", "theirs rms px", "found", "ours s")
    print("".join(f"{head:>15}" for head in heads))
    report_shift("periodic", side, np.inf)
    snr, found = 10.0, {"ours": 1.0, "scikit-image": 1.0}
    lost: dict[str, float] = {}
    while len(lost) < len(found) and snr > 0.01:
        found = dict(zip(found, report_shift("cropped", side, snr), strict=True))
        for name, rate in found.items():
            if rate < SUCCESS_RATE:
                lost.setdefault(name, snr)
        # quickly through what is easy
        snr = snr / (2 if snr > 0.7 else 2**0.25)
    for name, at in lost.items():
        print(f"{name}: fewer than {SUCCESS_RATE:.0%} found from an SNR of {at:.3g} on")


def report_shift(kind: str, side: int, snr: float) -> tuple[float, float]:
    """Print a row of shifts of one kind, and return the parts found, ours and scikit-image's."""
    rng = np.random.default_rng(0)
    errors, seconds = [], []
    for _ in range(SHIFT_TRIALS):
        true = rng.uniform(-10, 10, 2)
        reference, moving = shifted_pair(kind == "cropped", side, true, snr, rng)
        taken, ours = timed(estimate_shift, reference, moving)
        theirs, *_ = phase_cross_correlation(
            reference, moving, upsample_factor=100, normalization=None
        )
        errors.append([np.hypot(*(ours - true)), np.hypot(*(theirs - true))])
        seconds.append(taken)
    good = np.array(errors) < SUCCESS_PX
    # of those found: one that is lost may be as far off as the image is large
    squares = np.where(good, np.square(errors), 0).sum(0) / np.maximum(good.sum(0), 1)
    rms, rate = np.sqrt(squares), good.mean(0)
    cells = (rms[0], rate[0], rms[1], rate[1])
    texts = [f"{c:15.4f}" if n % 2 == 0 else f"{c:15.0%}" for n, c in enumerate(cells)]
    print(f"{kind:>15}{snr:15.3g}{''.join(texts)}{np.median(seconds):15.3f}", flush=True)
    return float(rate[0]), float(rate[1])


def shifted_pair(
    cropped: bool, side: int, shift_px: np.ndarray, snr: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a texture and the same moved by minus a shift, in noise of 1 / SNR deviations."""
    margin = 32 if cropped else 0
    texture = gaussian_filter(rng.normal(size=(side + 2 * margin,) * 2), 2.5, mode="wrap")
    moved = np.fft.ifft2(fourier_shift(np.fft.fft2(texture), -shift_px)).real
    inside = (slice(margin, margin + side),) * 2
    noise = rng.normal(size=(2, side, side)) * texture.std() / snr
    return texture[inside] + noise[0], moved[inside] + noise[1]


def timed(call: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    result = call(*arguments, **options)
    return time.perf_counter() - began, result


if __name__ == "__main__":
    main()
