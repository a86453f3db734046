"""The terms of every loss: fidelity to the target, and adversarial terms.

Each is a mean over the images of a batch, so that the mean over two half batches is that of the
whole. Only the relativistic average compares with the whole batch.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from crossres.training.process_group import ProcessGroup

SSIM_WINDOW_PX = 11
SSIM_SIGMA_PX = 1.5
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2
"""Window and constants of Wang, Bovik et al. 2004, for images of range 1."""


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Structural similarity of every image (Wang 2019, eq. 2), for images of range 1.

    Means and variances are taken over a Gaussian window of 11 pixels, sigma 1.5; the paper
    prints the formula and not the window.

    Parameters
    ----------
    x, y
        (N, 1, [Z,] Y, X), Y and X at least 11; volumes give the mean over slices.

    Returns
    -------
    Tensor
        (N,).
    """
    images = len(x)
    height, width = x.shape[-2:]
    x, y = (t.float().reshape(-1, 1, height, width) for t in (x, y))
    offset = torch.arange(SSIM_WINDOW_PX, device=x.device, dtype=x.dtype) - SSIM_WINDOW_PX // 2
    g = torch.exp(-(offset**2) / (2 * SSIM_SIGMA_PX**2))
    g = (g / g.sum()).repeat(5, 1, 1, 1)
    maps = torch.cat([x, y, x * x, y * y, x * y], dim=1)
    maps = F.conv2d(maps, g, groups=5)
    maps = F.conv2d(maps, g.transpose(-2, -1), groups=5)
    mx, my, mxx, myy, mxy = maps.unbind(dim=1)
    vx, vy, cov = mxx - mx**2, myy - my**2, mxy - mx * my
    numerator = (2 * mx * my + SSIM_C1) * (2 * cov + SSIM_C2)
    similarity = numerator / ((mx**2 + my**2 + SSIM_C1) * (vx + vy + SSIM_C2))
    return similarity.reshape(images, -1).mean(dim=1)


def ssim_loss(x: Tensor, y: Tensor) -> Tensor:
    """1 - SSIM. Huang 2023, eq. 11, prints +SSIM, which would drive images apart."""
    return (1 - ssim(x, y)).mean()


def log_ssim_loss(x: Tensor, y: Tensor) -> Tensor:
    """-log[(1 + SSIM) / 2], the last term of Wang 2019, eq. 1."""
    return -torch.log((1 + ssim(x, y)) / 2).mean()


FIDELITY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "ssim": ssim_loss,
    "log_ssim": log_ssim_loss,
}
"""Terms that compare a restored image with its target, by their name in the configuration."""


def generator_term(
    kind: str, restored: Tensor, target: Tensor | None, group: ProcessGroup
) -> Tensor:
    """The adversarial term of the generator's loss, from the discriminator's logits.

    softplus(-z) = -log sigmoid(z) neither overflows nor rounds to log 0.

    Parameters
    ----------
    kind
        ``standard``: -log D(G(x)) (Wang 2019, eq. 1). ``relativistic``: binary cross entropy of
        D(G(x)) - D(y) with 1, pair by pair (Huang 2023, eq. 11). ``relativistic_average``: of
        each side's logits minus the other side's mean (Wang, Yu et al. 2018, eq. 1-2); the mean
        of both sides instead of ESRGAN's sum, so that it is ln 2 in equilibrium like the others.
    restored, target
        (N,) logits; ``standard`` does not use the target's.
    group
        The processes that share the batch.
    """
    if kind == "standard":
        return F.softplus(-restored).mean()
    assert target is not None, kind
    if kind == "relativistic":
        return F.softplus(target - restored).mean()
    mean_restored, mean_target = group.mean(restored.mean()), group.mean(target.mean())
    real = F.softplus(target - mean_restored).mean()
    return (F.softplus(mean_target - restored).mean() + real) / 2


def equilibrium(kind: str) -> float:
    """Return the loss of a discriminator that cannot tell a target from a restoration."""
    return 2 * math.log(2) if kind == "standard" else math.log(2)


def discriminator_term(kind: str, restored: Tensor, target: Tensor, group: ProcessGroup) -> Tensor:
    """The discriminator's loss; :func:`equilibrium` has its value when it cannot tell.

    Parameters as of :func:`generator_term`. ``standard`` is -log D(y) - log[1 - D(G(x))]. Both
    halves of Huang 2023, eq. 12, are the same number: the cross entropy of D(G(x)) - D(y) with 0
    is that of D(y) - D(G(x)) with 1.
    """
    if kind == "standard":
        return F.softplus(-target).mean() + F.softplus(restored).mean()
    if kind == "relativistic":
        return F.softplus(restored - target).mean()
    mean_restored, mean_target = group.mean(restored.mean()), group.mean(target.mean())
    real = F.softplus(mean_restored - target).mean()
    return (F.softplus(restored - mean_target).mean() + real) / 2
