"""Write a trained model as a bioimage.io package, for Fiji, ilastik and napari."""

from pathlib import Path

from crossres.export import write_package
from crossres.images import fields_in, read_image
from crossres.jobs import InputError, logger
from crossres.networks import load_model


def export_model(model: Path, field: Path, title: str, package: Path) -> None:
    """Write model.bioimageio.zip, after it has passed bioimageio.core's own test.

    Parameters
    ----------
    model
        model.safetensors.
    field
        An input image of the validation split with the training's pixel size; its middle becomes
        the package's test image. Fields of the blind test are not published.
    title
        Of the experiment.
    package
        Where to write it.

    Raises
    ------
    InputError
        The field is not such an image, or the package cannot be written.
    """
    network, model_file = load_model(model)
    image = read_image(field)
    axes = "ZYX"[-model_file.dims :]
    if image.axes != axes:
        raise InputError(
            f"{field}: has axes {image.axes}; the model works on {axes}: set dims in the "
            "experiment to that of its images"
        )
    write_package(package, network, model_file, image.array.astype("float32"), title)
    logger.info("wrote the package and tested it: %.1f MB", package.stat().st_size / 1e6)


if __name__ == "__main__":
    from crossres.jobs import limit_threads, run

    job = snakemake
    limit_threads(job.threads)
    run(
        export_model,
        job.log[0],
        model=Path(job.input.model),
        field=fields_in([job.input.fields])[0],
        title=job.params.title,
        package=Path(job.output[0]),
    )
