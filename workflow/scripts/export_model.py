"""Write a trained model as a bioimage.io package, for Fiji, ilastik and napari."""

from pathlib import Path

import torch

from crossres.images import fields_in, read_image
from crossres.jobs import InputError, logger
from crossres.networks import load_model
from crossres.networks.packages import write_package


def export_model(model: Path, field: Path, title: str, threads: int, package: Path) -> None:
    """Write model.bioimageio.zip, which bioimageio.core's own test has passed.

    Parameters
    ----------
    model
        model.safetensors.
    field
        An input image of the validation split with the training's pixel size: its middle becomes
        the package's test image. The blind test's fields are given to nobody.
    title
        Of the experiment.
    threads
        Of the CPU, which the test runs on.
    package
        Where to.

    Raises
    ------
    InputError
        The field is not such an image, or the package cannot be written.
    """
    torch.set_num_threads(threads)
    network, about = load_model(model)
    image = read_image(field)
    if image.axes != "ZYX"[-about.dims :]:
        raise InputError(
            f"{field}: has axes {image.axes}; the model works on {'ZYX'[-about.dims :]}: set dims "
            "in the experiment to that of its images"
        )
    write_package(package, network, about, image.array.astype("float32"), title)
    logger.info("wrote the package and tested it: %.1f MB", package.stat().st_size / 1e6)


if __name__ == "__main__":
    from crossres.jobs import run

    job = snakemake  # type: ignore[name-defined]  # noqa: F821
    run(
        export_model,
        job.log[0],
        model=Path(job.input.model),
        field=fields_in([job.input.fields])[0],
        title=job.params.title,
        threads=job.threads,
        package=Path(job.output[0]),
    )
