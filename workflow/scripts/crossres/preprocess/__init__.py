"""From imported pixels to two images on one grid and one scale."""

from crossres.preprocess.background import background_of, find_background, subtract_background
from crossres.preprocess.constants import Constants, RoleConstants
from crossres.preprocess.noise import NoiseLine, NoNoiseLine, noise_line
from crossres.preprocess.normalise import Scale, scale_from_percentiles
from crossres.preprocess.quantiles import PixelQuantiles
from crossres.preprocess.resample import resample

__all__ = [
    "Constants",
    "NoNoiseLine",
    "NoiseLine",
    "PixelQuantiles",
    "RoleConstants",
    "Scale",
    "background_of",
    "find_background",
    "noise_line",
    "resample",
    "scale_from_percentiles",
    "subtract_background",
]
