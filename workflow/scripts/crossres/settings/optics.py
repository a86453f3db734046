"""Microscopes: the optics and the pixel grid of an image, by kind, and the camera behind them."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from crossres.section import ChannelName, Length, NotNegative, Section


class Camera(Section):
    """The detector, for the simulator."""

    kind: Literal["photon_counting"] = "photon_counting"
    """Poisson noise of the photons, Gaussian noise of the readout."""
    peak_photons: Length
    """Photons at the peak of a structure of mean brightness."""
    background_photons: NotNegative
    """Photons a pixel without objects."""
    gain: Length
    """Counts a photon."""
    offset: float
    """Counts without light."""
    read_noise: NotNegative
    """Standard deviation of the read noise, in counts."""
    bit_depth: Annotated[int, Field(ge=1, le=16)]
    """Bits of the written files."""


Wavelength = Annotated[
    Annotated[Length, Tag("one")] | Annotated[dict[ChannelName, Length], Tag("by_channel")],
    Discriminator(lambda value: "by_channel" if isinstance(value, dict) else "one"),
]


class Microscope(Section):
    """Settings of every kind of microscope."""

    na: Length
    """Numerical aperture."""
    wavelength_nm: Wavelength
    """Emission wavelength, in nm; or one by channel."""
    refractive_index: Annotated[float, Field(ge=1)]
    """Refractive index of the immersion."""
    residual_blur_nm: NotNegative = 0.0
    """FWHM of a lateral Gaussian blur that the optics alone do not explain, in nm."""
    pixel_size_nm: Length | None = None
    """Pixel size at the sample, in nm. Needed by the simulator; for real images it comes from the
    files or the sheet, and must agree with this where given."""
    z_step_nm: Length | None = None
    """Distance of the slices of a volume, in nm; as `pixel_size_nm`."""
    camera: Camera | None = None
    """The detector, for the simulator."""

    @property
    def emission_nm(self) -> float:
        """The wavelength; only after :meth:`in_channel`."""
        assert not isinstance(self.wavelength_nm, dict)
        return self.wavelength_nm

    def in_channel(self, channel: str) -> "Microscope":
        """Return the microscope with the wavelength of one channel."""
        if not isinstance(self.wavelength_nm, dict):
            return self
        return self.model_copy(update={"wavelength_nm": self.wavelength_nm[channel]})

    @property
    def needs(self) -> tuple[str, ...]:
        """Keys without which this kind has no PSF; the target of measured images needs none."""
        return ()


class Widefield(Microscope):
    """Born & Wolf's PSF."""

    kind: Literal["widefield"]
    """A wide-field microscope."""


class Scanning(Microscope):
    """A laser spot that scans the sample, and a pinhole before the detector."""

    excitation_nm: Length | None = None
    """Excitation wavelength, in nm."""
    pinhole_airy_units: Length | None = None
    """Diameter of the pinhole in Airy units of the emission."""

    @property
    def needs(self) -> tuple[str, ...]:
        """A beam and a pinhole."""
        return ("excitation_nm", "pinhole_airy_units")


class Confocal(Scanning):
    """Excitation spot times detection through a pinhole."""

    kind: Literal["confocal"]
    """A confocal microscope."""


class STED(Scanning):
    """A confocal PSF narrowed by a depletion doughnut."""

    kind: Literal["sted"]
    """A STED microscope."""
    depletion_nm: Length | None = None
    """Depletion wavelength, in nm."""
    saturation_factor: NotNegative | None = None
    """Peak of the depletion doughnut over the intensity that halves fluorescence."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Two beams and a pinhole."""
        return (*super().needs, "depletion_nm", "saturation_factor")


AnyMicroscope = Annotated[Widefield | Confocal | STED, Field(discriminator="kind")]


class Modalities(Section):
    """The optics and the pixel grid of both images."""

    input: AnyMicroscope
    """The microscope whose images are restored."""
    target: AnyMicroscope
    """The microscope whose images the restoration should resemble."""

    def in_channel(self, channel: str) -> "Modalities":
        """Return both microscopes with the wavelength of one channel."""
        return self.model_copy(
            update={
                "input": self.input.in_channel(channel),
                "target": self.target.in_channel(channel),
            }
        )
