"""Contradictions between keys of an experiment."""

from collections.abc import Iterator

from crossres.catalogue.networks import NETWORKS, Network
from crossres.settings.acquisition import StageAcquisition, VolumeAcquisition
from crossres.settings.experiment import ExperimentSettings
from crossres.settings.optics import AnyMicroscope


def contradictions(settings: ExperimentSettings) -> Iterator[str]:
    """Yield a sentence for every two keys that contradict each other."""
    yield from _of_source(settings)
    yield from _of_simulator(settings)
    for role in ("input", "target"):
        yield from _of_microscope(settings, role, getattr(settings.modalities, role))
    background = settings.preprocess.background
    if background.method == "region" and background.region is None:
        yield "preprocess.background.region is missing; give it or use find"
    low, high = settings.patches.percentiles
    if low >= high:
        yield f"patches.percentiles are {low:g} and {high:g}; give low, then high"
    yield from _of_dims(settings)
    yield from _of_sizes(settings)
    for name, network in settings.networks.trained.items():
        yield from _of_network(f"networks.{name}", network, settings.patches.size_px)


def _of_source(settings: ExperimentSettings) -> Iterator[str]:
    source = settings.source
    given = [key for key in ("simulator", "sheet") if getattr(source, key) is not None]
    if len(given) != 1:
        yield (
            f"source needs one of `simulator` and `sheet`; it has {' and '.join(given) or 'none'}"
        )
        return
    if source.stitch is not None and source.cut is not None:
        yield "source.cut and source.stitch both cut fields; delete one"
    if source.cut is not None and source.simulator is not None:
        yield "source.cut cuts the images of a sheet, not simulated ones; delete it"
    staged = source.simulator and isinstance(source.simulator.acquisition, StageAcquisition)
    if source.simulator and not staged and source.stitch is not None:
        yield "source.stitch has no tiles to stitch; delete it"
    if staged and source.stitch is None:
        yield "source.stitch is missing; a stage scan needs it"


def _of_simulator(settings: ExperimentSettings) -> Iterator[str]:
    simulator = settings.source.simulator
    if simulator is None:
        return
    sample, acquisition = simulator.sample, simulator.acquisition
    if acquisition.kind not in sample.imaged_by:
        yield (
            f"source.simulator.acquisition.kind is {acquisition.kind}, which does not image the "
            f"sample {sample.name()}; it can be {', '.join(sample.imaged_by)}"
        )
    if isinstance(acquisition, VolumeAcquisition) != (settings.dims == 3):
        yield (
            f"dims is {settings.dims}, but source.simulator.acquisition.kind is "
            f"{acquisition.kind}; volumes need both dims: 3 and kind: volume, images neither"
        )
    for name in acquisition.channels if isinstance(acquisition, StageAcquisition) else ():
        if name not in sample.stains:
            yield (
                f"source.simulator.acquisition.channels.{name} is none of the stains "
                f"{', '.join(sample.stains)}; rename or delete it"
            )


def _of_microscope(
    settings: ExperimentSettings, role: str, microscope: AnyMicroscope
) -> Iterator[str]:
    """Check the optics of one modality, and the keys that its PSF and data need."""
    where = f"modalities.{role}"
    if microscope.na >= microscope.refractive_index:
        yield (
            f"{where}.na is {microscope.na:g}; it must lie below the refractive_index of "
            f"{microscope.refractive_index:g}"
        )
    simulated = settings.source.simulator is not None
    needed = ["pixel_size_nm", "camera"] if simulated else []
    if simulated and settings.dims == 3:
        needed.append("z_step_nm")
    # the target's PSF is never computed for measured images
    if simulated or role == "input":
        needed += microscope.needs
    for key in needed:
        if getattr(microscope, key) is None:
            yield f"{where}.{key} is missing; a {microscope.kind} microscope needs it here"


def _of_dims(settings: ExperimentSettings) -> Iterator[str]:
    """Check that all settings work with the experiment's ``dims``."""
    if settings.dims == 2:
        if settings.patches.slices is not None:
            yield "patches.slices is given, but dims is 2; delete it, or set dims: 3"
        return
    if settings.registration.method == "elastic":
        yield "registration.method is elastic, but dims is 3; volumes take shift, affine or none"
    for key, asked in (
        ("registration.locate", settings.registration.locate),
        ("source.stitch", settings.source.stitch),
        ("measure.modulation", settings.measure.modulation),
    ):
        if asked:
            yield f"{key} is for images, but dims is 3; delete it"
    for name, network in settings.networks.trained.items():
        if 3 not in network.dims:
            able = ", ".join(other for other, entry in NETWORKS.items() if 3 in entry.dims)
            yield f"networks.{name} is for images, but dims is 3; volumes take {able}"
    spots = settings.measure.spots
    if spots is not None and spots.axial_fwhm_nm is None:
        yield "measure.spots.axial_fwhm_nm is missing; spots in volumes need it"


def _of_sizes(settings: ExperimentSettings) -> Iterator[str]:
    """Check that a patch fits into a field, where the field's size is known."""
    source, patches = settings.source, settings.patches
    if source.stitch is not None:
        side_px = source.stitch.fields.size_px
    elif source.simulator is not None:
        acquisition = source.simulator.acquisition
        if isinstance(acquisition, StageAcquisition):
            return
        side_px = acquisition.field_px
        slices = acquisition.slices if isinstance(acquisition, VolumeAcquisition) else 0
        if slices and (patches.slices or 0) > slices:
            yield (
                f"patches.slices is {patches.slices}, but a field has {slices} slices; make "
                "patches thinner or fields thicker"
            )
    else:
        return
    left_px = side_px - 2 * settings.registration.crop_px
    if patches.size_px > left_px:
        yield (
            f"patches.size_px is {patches.size_px}, but a field of {side_px} px has {left_px} px "
            "left after registration.crop_px; make patches smaller or fields larger"
        )


def _of_network(where: str, network: Network, patch_px: int) -> Iterator[str]:
    """Check a network's keys against each other."""
    if network.crop_px is not None and network.crop_px > patch_px:
        yield f"{where}.crop_px is {network.crop_px}; it cannot exceed patches.size_px ({patch_px})"
    if not any(network.loss.values()):
        yield f"{where}.loss has no term above 0; give one, such as {{mse: 1}}"
    adversarial = network.adversarial
    if adversarial is None:
        return
    joining = network.joining
    if joining and joining.warm_up_iterations >= network.iterations:
        yield (
            f"{where}.adversarial.warm_up_iterations is {joining.warm_up_iterations}; it "
            f"must lie below iterations ({network.iterations})"
        )
    elif joining and joining.meets_at >= network.iterations:
        yield (
            f"{where}.adversarial: the generator would never meet its discriminator, after "
            f"{joining.warm_up_iterations} iterations of warm-up and {joining.alone_iterations} of "
            f"the discriminator alone; both must end before iterations ({network.iterations})"
        )
    if any(adversarial.shares.values()) and adversarial.weight != 1:
        yield (
            f"{where}.adversarial.weight is {adversarial.weight:g} beside shares, which already "
            "say how much each term counts; leave one of them out"
        )
    shares = {term for term, share in adversarial.shares.items() if share > 0}
    unheard = {term for term, weight in network.loss.items() if weight > 0} - shares
    if shares and unheard:
        yield (
            f"{where}.loss has {' and '.join(sorted(unheard))}, which adversarial.shares lacks, so "
            "that it would not count beside the discriminator; give it a share, or set "
            "adversarial.shares: {} for the weights of loss to hold"
        )
    if sum(adversarial.shares.values()) >= 1:
        yield (
            f"{where}.adversarial.shares sum to {sum(adversarial.shares.values()):g}; they must "
            "sum to less than 1, the rest being the adversarial term"
        )
