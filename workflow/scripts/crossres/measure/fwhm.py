"""Full width at half maximum of isolated spots."""

from collections.abc import Iterator

import numpy as np

from crossres.measure.measured import MeasuredImage
from crossres.measure.registry import Quantity, Value, measurement

FWHM = Quantity("fwhm_nm", "nm", "FWHM", column=10)
FWHM_AXIAL = Quantity("fwhm_axial_nm", "nm", "axial FWHM", column=11)
PEAK = Quantity("peak", "counts", "peak")


@measurement(FWHM, FWHM_AXIAL, PEAK)
def spot_widths(seen: MeasuredImage) -> Iterator[Value]:
    """Measure each isolated spot, and the median over the field.

    The width of a field is NaN where no spot could be fitted. In volumes the lateral width is the
    geometric mean of both lateral ones. The peak includes the background.
    """
    if seen.settings.spots is None:
        return
    fits = seen.bead_fits
    widths = [q.name for q in (FWHM, FWHM_AXIAL) if q.name in fits]
    for number, place in enumerate(seen.beads_px):
        fit, where = fits.iloc[number], (f"bead_{number}", seen.place_nm(place))
        for name in widths:
            yield Value(name, fit[name], *where)
        yield Value(PEAK.name, fit.peak + fit.background, *where)
    for name in widths:
        known = fits[name].dropna()
        yield Value(name, float(np.median(known)) if len(known) else float("nan"))
