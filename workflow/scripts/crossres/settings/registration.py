"""How the target is moved onto the input."""

from typing import Annotated, Literal

from pydantic import Field

from crossres.section import Count, Length, NotNegative, Part, Section


class Registration(Section):
    """How the target is moved onto the input."""

    method: Literal["shift", "affine", "elastic", "none"] = "shift"
    """`shift` corrects the drift between two images, by the peak of the normalised
    cross-correlation fitted with a Gaussian; `affine` also rotates, magnifies and shears; `elastic`
    follows the distortions of two objectives (images only); `none` trusts the microscope."""
    locate: bool = False
    """The target shows only a part of the input's field: find which. Always done for stage
    scans; images only."""
    scheme: Literal["spline", "blocks"] = "spline"
    """Scheme of `elastic`: `spline` fits one smooth field to all pixels; `blocks` is the published
    pyramid of shrinking blocks."""
    spacing_px: Annotated[float, Field(ge=16)] = 48.0
    """Distance of the control points of `spline`, in pixels of the target."""
    max_shift_nm: NotNegative = 300.0
    """Pairs further apart than this are not accepted, in nm."""
    min_correlation: Annotated[float, Field(ge=-1, le=1)] = 0.2
    """Pairs that correlate less once aligned, the target blurred as the input is, are not
    accepted."""
    max_deformation_px: Length = 10.0
    """`elastic`: pairs whose displacement anywhere differs more from its mean are not accepted,
    in pixels of the target."""
    max_residual_px: Length = 0.3
    """`elastic`: pairs with a larger estimated residual (root mean square) are not accepted, in
    pixels of the target."""
    min_texture: Part = 0.03
    """`elastic`: pairs are not accepted if less than this part of their 64-px blocks has enough
    texture to be located to a pixel."""
    crop_px: Count = 10
    """Cropped from every side after registration, in pixels of the target; volumes keep all of
    their slices."""
