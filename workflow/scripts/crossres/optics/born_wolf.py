"""The scalar diffraction integral of a circular pupil: Born & Wolf's PSF."""

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.special import j0, j1

PUPIL_NODES = 128
"""Gauss-Legendre nodes over the pupil; exact to 1e-10 for |z| below about 20 um at NA 1.4."""


def airy_profile(radius_nm: np.ndarray, wavelength_nm: float, na: float) -> np.ndarray:
    """Return the in-focus intensity of a point, 1 at its centre (the Airy pattern).

    Parameters
    ----------
    radius_nm
        Distances from the optical axis, any shape.
    wavelength_nm
        Wavelength in vacuum.
    na
        Numerical aperture.

    References
    ----------
    Born & Wolf, Principles of Optics, 8.5.2: (2 J1(v) / v)^2, v = 2 pi NA r / wavelength.
    """
    v = 2 * np.pi * na / wavelength_nm * np.asarray(radius_nm, dtype=float)
    safe = np.where(v == 0, 1.0, v)
    return np.where(v == 0, 1.0, (2 * j1(safe) / safe) ** 2)


def born_wolf_slices(
    radius_nm: np.ndarray,
    z_nm: np.ndarray,
    wavelength_nm: float,
    na: float,
    refractive_index: float,
) -> np.ndarray:
    """Return the intensity of a point by radius and distance from focus.

    Parameters
    ----------
    radius_nm
        (R,) distances from the optical axis.
    z_nm
        (Z,) distances from the focal plane; their sign makes no difference.
    wavelength_nm, na, refractive_index
        As of :func:`born_wolf_psf`.

    Returns
    -------
    ndarray
        (Z, R) float64, 1 on the axis in focus.
    """
    rho, weight = leggauss(PUPIL_NODES)
    rho, weight = (rho + 1) / 2, weight / 2
    k = 2 * np.pi / wavelength_nm
    bessel = j0(k * na * radius_nm[:, None] * rho) * (2 * weight * rho)  # (radius, pupil)
    defocus = np.exp(-0.5j * k * z_nm[:, None] * (na * rho) ** 2 / refractive_index)  # (z, pupil)
    intensity: np.ndarray = np.abs(defocus @ bessel.T) ** 2
    return intensity


def born_wolf_psf(
    shape: tuple[int, ...],
    pixel_size_nm: float,
    wavelength_nm: float,
    na: float,
    refractive_index: float,
    z_step_nm: float | None = None,
) -> np.ndarray:
    """Return the Born & Wolf intensity PSF on a pixel grid, with sum 1.

    The intensity is sampled at the pixel centres, as PSF generators do, not integrated over
    them. The centre lies on pixel ``n // 2`` of every axis, where :func:`numpy.fft.fftshift`
    puts the origin.

    Parameters
    ----------
    shape
        (Y, X) for the focal plane or (Z, Y, X) for a volume.
    pixel_size_nm
        Lateral pixel size at the sample.
    wavelength_nm
        Emission wavelength in vacuum.
    na
        Numerical aperture, below ``refractive_index``.
    refractive_index
        Of the immersion.
    z_step_nm
        Distance of slices, needed for volumes.

    Returns
    -------
    ndarray
        float64 of the given shape, sum 1.

    Raises
    ------
    ValueError
        NA not below the refractive index, or a volume without ``z_step_nm``.

    References
    ----------
    Born & Wolf, Principles of Optics, 8.8: |int_0^1 J0(k NA r p) exp(-i k z NA^2 p^2 / 2n) p dp|^2.
    Used by Wang et al. 2019, Methods, for both of their deconvolutions.
    """
    if na >= refractive_index:
        raise ValueError(f"na is {na}; it must lie below refractive_index ({refractive_index})")
    if len(shape) == 3 and z_step_nm is None:
        raise ValueError("z_step_nm is needed for a PSF of shape (Z, Y, X)")
    y, x = (np.arange(n) - n // 2 for n in shape[-2:])
    squared_px, where = np.unique(y[:, None] ** 2 + x[None, :] ** 2, return_inverse=True)
    radius_nm = np.sqrt(squared_px) * pixel_size_nm
    planes = 1 if len(shape) == 2 else shape[0]
    z_nm = (np.arange(planes) - planes // 2) * (z_step_nm or 0.0)
    intensity = born_wolf_slices(radius_nm, z_nm, wavelength_nm, na, refractive_index)
    psf = intensity[:, where.ravel()].reshape(planes, *shape[-2:])
    return np.reshape(psf / psf.sum(), shape)
