"""The typed configuration: one file per section of an experiment, config.yaml, and reading.

Sections are plain values with units and bounds. Jobs get them as params, so that editing a
description here reruns nothing (:func:`crossres.experiments.code_hash`). :func:`load_config` and
:func:`load_experiment_settings` read files and report errors in one sentence.
"""

from crossres.settings.acquisition import (
    PairAcquisition,
    RepeatsAcquisition,
    StageAcquisition,
    VolumeAcquisition,
)
from crossres.settings.config import Config
from crossres.settings.deconvolution import Deconvolution
from crossres.settings.experiment import ExperimentSettings
from crossres.settings.experiment_files import find_experiment, nearest
from crossres.settings.measure import Measure, Modulation, Spots
from crossres.settings.optics import STED, Camera, Confocal, Microscope, Modalities, Widefield
from crossres.settings.patches import Patches
from crossres.settings.preprocess import Background, Preprocess, Region
from crossres.settings.reading import load_config, load_experiment_settings
from crossres.settings.registration import Registration
from crossres.settings.restoration import Restoration
from crossres.settings.source import Cut, FieldGrid, Simulator, Source, Stitch

__all__ = [
    "STED",
    "Background",
    "Camera",
    "Config",
    "Confocal",
    "Cut",
    "Deconvolution",
    "ExperimentSettings",
    "FieldGrid",
    "Measure",
    "Microscope",
    "Modalities",
    "Modulation",
    "PairAcquisition",
    "Patches",
    "Preprocess",
    "Region",
    "Registration",
    "RepeatsAcquisition",
    "Restoration",
    "Simulator",
    "Source",
    "Spots",
    "StageAcquisition",
    "Stitch",
    "VolumeAcquisition",
    "Widefield",
    "find_experiment",
    "load_config",
    "load_experiment_settings",
    "nearest",
]
