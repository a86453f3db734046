"""How many parameters layers have, by hand."""


def convolution(channels_in, channels_out, kernel=3, dims=2):
    """Weights and biases of a convolution."""
    return kernel**dims * channels_in * channels_out + channels_out


def attention(channels, narrow, dims=2):
    """Two 1x1 convolutions, to fewer channels and back."""
    return convolution(channels, narrow, 1, dims) + convolution(narrow, channels, 1, dims)


def fourier_block(width):
    """FCAB: two convolutions, one on the spectrum, and the attention of 16 times fewer."""
    return 3 * convolution(width, width) + attention(width, max(1, width // 16))


def triple(channels_in, channels_out):
    return convolution(channels_in, channels_out) + 2 * convolution(channels_out, channels_out)


def u_net(width, channels_in=1, channels_out=1):
    """Wang 2019, eq. 3-5: four down blocks, the bottom, four up blocks on concatenations, last."""
    w1, w2, w3, w4, w5 = (width * 2**level for level in range(5))
    down = triple(channels_in, w1) + triple(w1, w2) + triple(w2, w3) + triple(w3, w4)
    up = triple(w5 + w4, w4) + triple(w4 + w3, w3) + triple(w3 + w2, w2) + triple(w2 + w1, w1)
    return down + convolution(w4, w5) + up + convolution(w1, channels_out)


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())
