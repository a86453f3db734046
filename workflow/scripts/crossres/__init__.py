"""crossres: predicts the image of a better microscope from that of another.

Rooms, from the ground up; each imports only from those before it:

jobs            what surrounds a library call in a script: clear errors, log, progress, threads
section         what every section of a configuration has in common
catalogue       what networks, classical methods, figures and tables are called; loads no torch
samples         one file a sample: its settings, and the light it gives
settings        the configuration, typed: one file a section; reading it, and what is wrong with it
experiments     which fields, in which split, through which stages, and every path of the results
planning        what each rule takes: input functions and params, a file a rule file
images          an image is an array with axes, a grid and channels; reading and writing it
optics          one file a kind of microscope: point-spread functions; cameras
simulate        samples through microscopes, to the raw files they would have written
preprocess      background, resampling to the target's grid, normalisation
registration    what moves one image or volume of a pair onto the other, and how good that is
stitching       the tiles of a stage scan to mosaics
deconvolution   classical deconvolution, one file a method
patches         where to cut training patches and what to reject
networks        one file a network, a registry by configuration name, model files
restoration     applying a model to images of any size
training        loop, losses, selection of the best model, checkpoints
export          trained models as packages for other programs
measure         one file a measurement
figures         one file a figure
report          the page that sums up a run
claims          the papers' figures against ours
"""

__version__ = "0.1.0"
