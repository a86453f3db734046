"""Claims of Huang et al., PhotoniX 4, 2 (2023)."""

from collections.abc import Mapping

from crossres.claims.evidence import NOT_JUDGED, Evidence, verdict
from crossres.claims.registry import claim
from crossres.claims.transfer import gets_there_sooner

BEADS = ("confocal_sted_beads",)
TRANSFER = ("confocal_sted_nuclei", "confocal_sted_nuclei_scratch")


@claim("T1", experiments=BEADS, channels="first")
def bead_widths(evidence: Evidence) -> tuple[str, str]:
    """Bead FWHM of confocal, TCAN and STED, each within 10 % of the published mean."""
    peaks = {name: evidence.peak(name) for name in ("input", "tcan", "target")}
    if peaks["input"] is None or peaks["target"] is None:
        return "no spots to measure", NOT_JUDGED
    measured = f"confocal {peaks['input'].centre:.0f} nm, STED {peaks['target'].centre:.0f} nm"
    if peaks["tcan"] is None:
        return f"{measured}; no TCAN was trained, and the optics are Wang's", NOT_JUDGED
    measured += f", TCAN {peaks['tcan'].centre:.0f} nm"
    published = {"input": 239, "tcan": 58, "target": 83}
    close = [
        abs(peak.centre - published[name]) <= 0.1 * published[name]
        for name, peak in peaks.items()
        if peak is not None
    ]
    return measured, verdict(all(close))


@claim("T9", experiments=TRANSFER)
def transfer_shortens_training(
    transferred: Mapping[str, Evidence], random: Mapping[str, Evidence]
) -> tuple[str, str]:
    """Begun from the beads' model, TCAN gets there in fewer iterations than at random."""
    return gets_there_sooner("tcan", transferred, random)
