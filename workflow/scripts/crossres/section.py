"""What every section of a configuration has in common."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict


class Section(BaseModel):
    """A part of a configuration file: typed, closed, and never changed once it is read.

    A string below a field is its description; config/README.md and the JSON schemas are generated
    from it (:mod:`crossres.settings.keys`). A string is never coerced to a number, so that mistakes
    are reported. Validators are built at first use, because every start of Snakemake loads all
    sections.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        defer_build=True,
        validate_default=True,
        allow_inf_nan=False,
    )

    def as_params(self) -> dict[str, Any]:
        """Return all values as a plain dict, which a rule passes to its script.

        The script builds the section again: ``Registration(**job.params.settings)``.
        """
        return self.model_dump()


Count = Annotated[int, Field(ge=0)]
"""How many, 0 allowed."""

Positive = Annotated[int, Field(ge=1)]
"""How many, at least 1."""

Channels = Annotated[int, Field(ge=1, le=1024)]
"""Channels of a network's maps."""

Blocks = Annotated[int, Field(ge=1, le=100)]
"""Blocks, groups or layers of a network."""

Levels = Annotated[int, Field(ge=1, le=8)]
"""Levels of a network, each with half the pixels and twice the channels of the one before."""

Length = Annotated[float, Field(gt=0)]
"""A length, time or rate above 0; its unit is in the name of the key."""

NotNegative = Annotated[float, Field(ge=0)]

Part = Annotated[float, Field(ge=0, le=1)]
"""A part of a whole, 0 to 1."""

Pair = Annotated[tuple[float, float], Strict(False)]
"""Two numbers, written [low, high] or [y, x]."""

Lengths = Annotated[tuple[NotNegative, NotNegative], Strict(False)]
"""Two lengths, the smaller first."""

ChannelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
"""Letters, digits, - and _: it becomes the name of a folder."""
