"""TCAN: a U-Net and Fourier channel attention side by side; Huang et al. 2023."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from crossres.networks.dfcan import FourierBody
from crossres.networks.image_network import ImageNetwork
from crossres.networks.layers import convolution, in_float32, initialise_he
from crossres.networks.unet import SLOPE, UNet


class TCAN(ImageNetwork):
    """Generator of TCAN: Huang et al. 2023, eq. 1-9, Fig. 1-2.

    A convolutional block; the U-Net of Wang et al. 2019, with nearest upsampling, and DFCAN with
    5 residual groups of 2 FCABs side by side; their outputs summed; a convolutional block. Each
    convolutional block is a convolution and a leaky ReLU of slope 0.1 (eq. 1-2).

    Where the text is silent or misprinted, and what is done here:

    - widths: the first block gives as many channels as the U-Net begins with, 32, of which the
      U-Net's "32 to 1" is printed; DFCAN has twice as many, 64, as in its own paper;
    - the U-Net's last convolution gives one channel, which is printed; so does DFCAN's, or they
      could not be summed (``joined``);
    - eq. 1 ends also the last block in a leaky ReLU, which flattens what is below the
      background; it is done as printed, and ``last_activation`` takes it away;
    - "global" average pooling after each down block would leave one pixel; it is 2x2;
    - "three residual convolutional blocks" a down block: one skip around three, as in eq. 3;
    - the nearest upsampling at DFCAN's end is left out: input and target have one size here;
    - gamma is not printed, nor a sigmoid in eq. 8: see
      :class:`crossres.networks.attention.FourierAttention`;
    - kernels 3x3, zero padding; initialisation: He's for the slope of 0.1, biases 0.

    Parameters
    ----------
    width
        Channels of the first block and of the U-Net's first level.
    groups
        Residual groups of DFCAN.
    blocks
        FCABs in a group.
    depth
        Down blocks of the U-Net.
    upsampling
        Of the U-Net, "nearest" or "bilinear".
    fourier_width
        Channels of DFCAN; None is twice ``width``.
    gamma
        Exponent of the spectrum.
    sigmoid
        Whether the attention ends in a sigmoid.
    joined
        Channels of the two outputs that are summed.
    last_activation
        Whether the output passes a leaky ReLU.
    pooling_px
        As for :class:`crossres.networks.image_network.ImageNetwork`.
    """

    def __init__(
        self,
        width: int,
        groups: int,
        blocks: int,
        depth: int,
        upsampling: str,
        fourier_width: int | None,
        gamma: float,
        sigmoid: bool,
        joined: int,
        last_activation: bool,
        pooling_px: Sequence[int] | None = None,
    ) -> None:
        unet = UNet(width, depth, upsampling, channels_in=width, channels_out=joined)
        fourier = FourierBody(
            width, joined, fourier_width or 2 * width, groups, blocks, gamma, sigmoid, pooling_px
        )
        reach = max(unet.reach_px[0], fourier.reach_px) + 2
        live = width + joined + max(unet.live_channels, fourier.live_channels)
        super().__init__(unet.stride_px, (reach, reach), live, pooling_px)
        self.last_activation = last_activation
        self.first = convolution(2, 1, width)
        self.unet = unet
        self.fourier = fourier
        self.last = convolution(2, joined, 1)
        initialise_he(self, SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, Y, X) to the same."""
        features = F.leaky_relu_(self.first(x), SLOPE)
        x = in_float32(self.last, self.unet(features) + self.fourier(features))
        return F.leaky_relu(x, SLOPE) if self.last_activation else x
