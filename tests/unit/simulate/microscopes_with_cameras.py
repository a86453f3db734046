"""Microscopes that several tests simulate."""

from crossres.settings import Camera, Confocal

CAMERA = Camera(
    peak_photons=2000.0, background_photons=10.0, gain=1.0, offset=10.0, read_noise=2.0,
    bit_depth=16,
)  # fmt: skip
CONFOCAL = Confocal(
    kind="confocal", na=1.4, refractive_index=1.515, excitation_nm=633.0, wavelength_nm=645.0,
    pinhole_airy_units=1.0, pixel_size_nm=40.0, camera=CAMERA,
)  # fmt: skip


def changed(section, **settings):
    return section.model_copy(update=settings)
