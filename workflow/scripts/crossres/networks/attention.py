"""Channel attention over a fixed field: by the channels' means, and by their spectra."""

import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crossres.networks.layers import convolution, is_tracing
from crossres.networks.windows import between_windows, window_means, window_starts


class WindowedAttention(nn.Module):
    """Weighs every channel by the content of a field around each pixel.

    Published attention pools over its whole input, so that a tile is restored differently from
    the image it was cut from. Here it pools over windows of one field, the size of the training
    patches, and is interpolated between their centres. An image no larger than the field has one
    window: there the attention is as published.

    Parameters
    ----------
    pooling_px
        ([z, ]y, x); None pools over the whole image.
    """

    def __init__(self, pooling_px: Sequence[int] | None) -> None:
        super().__init__()
        self.pooling_px = None if pooling_px is None else [int(n) for n in pooling_px]

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, [Z, ]Y, X) to the same."""
        field = self.pooling_px
        # one window is the whole image too; traced, the windows serve images of any size
        if field is None or (not is_tracing() and _within(x, field)):
            return x * self.weigh(self.describe(x))
        return x * between_windows(self.weigh(self.describe_windows(x, field)), x, field)

    def describe(self, x: Tensor) -> Tensor:
        """Map (N, C, [Z, ]Y, X) to (N, C, [1, ]1, 1)."""
        raise NotImplementedError

    def describe_windows(self, x: Tensor, pooling_px: list[int]) -> Tensor:
        """Map (N, C, [Z, ]Y, X) to (N, C, windows along each axis)."""
        raise NotImplementedError

    def weigh(self, described: Tensor) -> Tensor:
        """Map descriptions of fields, (N, C, ...), to weights of their channels, same shape."""
        raise NotImplementedError


class MeanAttention(WindowedAttention):
    """Channel attention by means: Zhang et al. 2018, eq. 7-9, as Chen et al. 2021 use it.

    The means of all channels pass a 1x1 convolution to fewer channels, ReLU, a 1x1 convolution
    back and a sigmoid; both convolutions have biases.

    Parameters
    ----------
    dims
        2 or 3.
    channels
        C.
    reduction
        The first convolution has 1 / reduction of the channels.
    pooling_px
        As for :class:`WindowedAttention`.
    """

    def __init__(
        self, dims: int, channels: int, reduction: int, pooling_px: Sequence[int] | None = None
    ) -> None:
        super().__init__(pooling_px)
        narrow = max(1, channels // reduction)
        self.squeeze = convolution(dims, channels, narrow, kernel=1)
        self.excite = convolution(dims, narrow, channels, kernel=1)

    def describe(self, x: Tensor) -> Tensor:
        """Return the means of (N, C, [Z, ]Y, X), (N, C, [1, ]1, 1)."""
        return x.mean(tuple(range(2, x.dim())), keepdim=True)

    def describe_windows(self, x: Tensor, pooling_px: list[int]) -> Tensor:
        """Return the means over windows."""
        return window_means(x, pooling_px)

    def weigh(self, described: Tensor) -> Tensor:
        """Return weights between 0 and 1."""
        return torch.sigmoid(self.excite(F.relu(self.squeeze(described))))


class FourierAttention(WindowedAttention):
    """Channel attention by spectra: Huang et al. 2023, eq. 8; Qiao et al. 2021.

    |FFT|^gamma of every channel, zero frequency in the middle, averaged down to a fixed grid,
    a 3x3 convolution, ReLU, the mean over the grid, a 1x1 convolution to fewer channels, ReLU,
    a 1x1 convolution back, a sigmoid.

    Where the texts are silent, and what is done here:

    - gamma: 0.8, the value of the DFCAN of Qiao et al.;
    - eq. 8 prints no sigmoid at the end; DFCAN has one, and so has this by default;
    - 16 times fewer channels between the 1x1 convolutions, as in DFCAN;
    - the spectrum is averaged (adaptive average pooling) to ``spectrum_px`` squared, so that a
      frequency meets the same weights at any size of field. DFCAN interpolates to 128 squared,
      which skips frequencies of larger fields; 64 costs a quarter;
    - the transform is divided by the root of the number of pixels (``norm="ortho"``): the mean
      of |FFT|^2 is then the mean of the squared pixels (Parseval), for any size of the field;
    - spectra are always computed in float32: the transform is not defined in bfloat16, and
      powers of small numbers would lose too much.

    Parameters
    ----------
    channels
        C.
    gamma
        Exponent; below 1 it lifts high frequencies.
    sigmoid
        Whether the weights end in a sigmoid.
    reduction
        The first 1x1 convolution has 1 / reduction of the channels.
    spectrum_px
        Side of the grid that spectra are averaged to.
    pooling_px
        As for :class:`WindowedAttention`.
    """

    def __init__(
        self,
        channels: int,
        gamma: float,
        sigmoid: bool,
        reduction: int = 16,
        spectrum_px: int = 64,
        pooling_px: Sequence[int] | None = None,
    ) -> None:
        super().__init__(pooling_px)
        self.gamma, self.sigmoid, self.spectrum_px = gamma, sigmoid, spectrum_px
        narrow = max(1, channels // reduction)
        self.spectral = convolution(2, channels, channels)
        self.squeeze = convolution(2, channels, narrow, kernel=1)
        self.excite = convolution(2, narrow, channels, kernel=1)

    def describe(self, x: Tensor) -> Tensor:
        """Describe the spectrum of (N, C, Y, X), (N, C, 1, 1)."""
        averaging = None
        if x.is_cuda:
            x = x.contiguous()
            averaging = averaging_of_spectra(x.shape[-2], x.shape[-1], self.spectrum_px, x)
        weight, bias = self.spectral.weight, self.spectral.bias
        described = describe_spectrum(x, weight, bias, self.spectrum_px, self.gamma, averaging)
        return described[..., None, None]

    def describe_windows(self, x: Tensor, pooling_px: list[int]) -> Tensor:
        """Describe the spectra of windows."""
        # a trace would unroll the loop over windows; a script keeps it
        describe = _scripted() if is_tracing() else describe_spectra_of_windows
        return describe(
            x, self.spectral.weight, self.spectral.bias, pooling_px, self.spectrum_px, self.gamma
        )

    def weigh(self, described: Tensor) -> Tensor:
        """Return weights, between 0 and 1 with a sigmoid."""
        weights = self.excite(F.relu(self.squeeze(described)))
        return torch.sigmoid(weights) if self.sigmoid else weights


def spectrum(x: Tensor, gamma: float) -> Tensor:
    """Return |FFT|^gamma of real maps, (..., Y, X), zero frequency in the middle, float32."""
    rows, columns = x.shape[-2], x.shape[-1]
    half = (torch.fft.rfft2(x.float(), norm="ortho").abs() + 1e-8) ** gamma
    # the spectrum of a real map is point-symmetric about zero frequency
    turned = half[..., 1 : (columns + 1) // 2].flip([-2, -1]).roll([1], [-2])
    whole = torch.cat([half, turned], -1)
    return whole.roll([rows // 2, columns // 2], [-2, -1])


def averaging_of_spectra(rows: int, columns: int, spectrum_px: int, like: Tensor) -> list[Tensor]:
    """Return the matrices of :func:`averaged_spectrum`, on the device of a tensor.

    Returns
    -------
    list of Tensor
        (2 spectrum_px, rows): for the half of the spectrum that is computed, and for that which
        mirrors it; (columns // 2 + 1, 2 spectrum_px) likewise.
    """
    down = _averaging(rows, spectrum_px, like)
    across = _averaging(columns, spectrum_px, like)
    # frequency -f of the other half is f of this one
    down_mirrored, mirrored = (m.flip([1]).roll([1], [1]) for m in (down, across))
    half = columns // 2 + 1
    # zero frequency and, of an even number, the highest one are in the first half alone
    kept = torch.arange(half, device=like.device)
    other = (kept > 0) & (kept < (columns + 1) // 2)
    both = torch.cat([across[:, :half], mirrored[:, :half] * other])
    return [torch.cat([down, down_mirrored]), both.T]


def averaged_spectrum(x: Tensor, gamma: float, averaging: list[Tensor]) -> Tensor:
    """Return adaptive_avg_pool2d of :func:`spectrum`, as a GPU has it in half the time.

    Averaging, shift and symmetry are linear, and so products with matrices; what they pass over is
    half of the spectrum, once. Under autocast the products are of bfloat16 numbers, as is the
    convolution after them; the transform and its power are float32. A CPU takes longer for them.

    Parameters
    ----------
    x
        (..., Y, X).
    gamma
        Exponent.
    averaging
        From :func:`averaging_of_spectra`.
    """
    down, across = averaging
    side = down.shape[0] // 2
    root = (x.shape[-2] * x.shape[-1]) ** 0.5
    # of the orthonormal transform, whose division by the root is left to the end
    half = (torch.fft.rfft2(x.float()).abs() + 1e-8 * root) ** gamma
    both = torch.matmul(half, across)
    averaged = torch.matmul(down[:side], both[..., :side])
    averaged = averaged + torch.matmul(down[side:], both[..., side:])
    scaled: Tensor = averaged * root**-gamma
    return scaled


def _averaging(size: int, spectrum_px: int, like: Tensor) -> Tensor:
    """Return (spectrum_px, size): adaptive average pooling of frequencies, in the FFT's order."""
    bins = torch.arange(spectrum_px, device=like.device)[:, None]
    first = bins * size // spectrum_px
    last = ((bins + 1) * size + spectrum_px - 1) // spectrum_px
    place = (torch.arange(size, device=like.device) + size // 2) % size
    inside = (place >= first) & (place < last)
    return inside.to(torch.float32) / (last - first)


def describe_spectrum(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    spectrum_px: int,
    gamma: float,
    averaging: list[Tensor] | None = None,
) -> Tensor:
    """Map (N, C, Y, X) to (N, C): spectrum, convolution, ReLU, mean.

    ``averaging`` is from :func:`averaging_of_spectra`, on a GPU.
    """
    if averaging is not None:
        averaged = averaged_spectrum(x, gamma, averaging)
    else:
        averaged = F.adaptive_avg_pool2d(spectrum(x, gamma), spectrum_px)
    convolved = F.conv2d(averaged.to(weight.dtype), weight, bias, padding=1)
    return F.relu(convolved).mean([-2, -1])


def describe_spectra_of_windows(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    pooling_px: list[int],
    spectrum_px: int,
    gamma: float,
) -> Tensor:
    """Map (N, C, Y, X) to (N, C, windows along Y, windows along X).

    Windows are transformed in groups of a quarter of the image's pixels, so that the memory is
    bounded by the image.
    """
    images, channels, height, width = x.shape
    tall, wide = min(pooling_px[0], height), min(pooling_px[1], width)
    tops, lefts = window_starts(height, pooling_px[0]), window_starts(width, pooling_px[1])
    averaging: list[Tensor] | None = None
    if x.is_cuda:
        # a window is cut from rows that lie together, as the transform needs them
        x = x.to(torch.float32, memory_format=torch.contiguous_format)
        averaging = averaging_of_spectra(tall, wide, spectrum_px, x)
    at_once = max(1, height * width // (4 * tall * wide))
    group: list[Tensor] = []
    described: list[Tensor] = []
    for number in range(len(tops) * len(lefts)):
        top, left = tops[number // len(lefts)], lefts[number % len(lefts)]
        group.append(x[:, :, top : top + tall, left : left + wide])
        if len(group) == at_once or number == len(tops) * len(lefts) - 1:
            windows = torch.cat(group)
            described.append(
                describe_spectrum(windows, weight, bias, spectrum_px, gamma, averaging)
            )
            group.clear()
    grid = torch.cat(described).reshape(len(tops), len(lefts), images, channels)
    return grid.permute(2, 3, 0, 1)


@cache
def _scripted() -> Any:
    with warnings.catch_warnings():
        # deprecated in torch, but bioimage.io packages still need TorchScript
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(describe_spectra_of_windows)


def _within(x: Tensor, pooling_px: Sequence[int]) -> bool:
    return all(size <= field for size, field in zip(x.shape[2:], pooling_px, strict=True))
