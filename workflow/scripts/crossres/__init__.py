"""crossres: what one microscope sees, restored to what a better one would have shown.

Rooms, from the ground up; each imports only from those before it:

jobs            what surrounds a library call in a script: clear errors, log, progress
experiments     the configuration and the sheets: which fields, which split, which settings
images          an image is an array with axes, pixel size and channel; reading and writing it
optics          point-spread functions and cameras
simulate        samples and the raw files that a microscope would have written of them
preprocess      background, resampling to the target's pixel size, normalisation
registration    what moves one image of a pair onto the other, and how good that is
patches         where to cut training patches and what to reject
networks        one file a network, a registry by configuration name, model files
restoration     applying a model to images of any size; classical deconvolution
training        losses, loop, selection of the best model, checkpoints
measure         one file a measurement
figures         one file a figure
claims          the papers' figures against ours
"""

__version__ = "0.1.0"
