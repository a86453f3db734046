"""The discriminator of a training: how it is built, and its part in the loss."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from crossres.section import Blocks, Channels, Count, Length, Levels, NotNegative, Section

Term = Literal["mse", "mae", "ssim", "log_ssim"]
"""What compares a restoration with its target."""

Share = Annotated[float, Field(ge=0, lt=1)]


class Joining(NamedTuple):
    """When a discriminator joins in, and how fast it learns."""

    warm_up_iterations: int
    alone_iterations: int
    learning_rate: float

    @property
    def meets_at(self) -> int:
        """First iteration in which the generator meets it."""
        return self.warm_up_iterations + self.alone_iterations


BALANCED: dict[str, Any] = {
    "kind": "relativistic",
    "learning_rate": None,
    "warm_up_iterations": None,
    "alone_iterations": None,
    "gradient_share": 0.3,
    "camera_noise": True,
    "gradient_penalty": 0.1,
}
"""A discriminator that has a say and does not have noise painted (docs/methods.md)."""


class Adversarial(Section):
    """The discriminator and its part in the loss."""

    recipe: Literal["published", "balanced"] = "published"
    """`published` is the paper's loss, which paints the target's noise. `balanced` is pair by pair,
    with three tenths of the generator's gradient, restorations shown with the camera's noise, and
    R1. Either is for the keys that are not given."""
    kind: Literal["standard", "relativistic", "relativistic_average"] = "standard"
    """`standard` as Wang et al. 2019; `relativistic` compares pair by pair (Huang et al. 2023),
    `relativistic_average` with the batch's mean (ESRGAN)."""
    width: Channels = 32
    """Channels of the discriminator's first block."""
    blocks: Levels = 5
    """Its blocks of two convolutions."""
    leading_convolution: bool = True
    """Begin with a single convolution."""
    fully_connected: Blocks = 2
    """Its fully connected layers."""
    downsample: bool = False
    """Halve the size after each of its blocks but the last."""
    learning_rate: Length | None = 1.0e-5
    """Learning rate of its Adam; null is the generator's."""
    warm_up_iterations: Count | None = 0
    """Iterations on `loss` alone before it joins in; null is half of all."""
    weight: Length = 1.0
    """Weight of its term in the generator's loss."""
    shares: dict[Term, Share] = {}
    """Share of each term in the generator's loss once the discriminator has joined in; the weights
    (lambda, nu) follow. Every term of `loss` needs one. With `shares: {}` the weights of `loss`
    hold instead."""
    gradient_share: Share | None = None
    """Part of the generator's gradient, at its last convolution, that comes from the discriminator;
    `weight` follows from it, and the weights of `loss` hold. In place of `shares`: a share of the
    loss says little of the weight."""
    camera_noise: bool = False
    """Show the discriminator restorations with fresh noise of the target's camera, so that it does
    not judge by the noise, which no network can draw."""
    gradient_penalty: NotNegative = 0.0
    """Weight gamma of R1, gamma / 2 times the squared gradient of the discriminator at the targets
    (Mescheder et al. 2018), every fourth iteration with four times the weight."""
    alone_iterations: Count | None = 0
    """Iterations after the warm-up in which the discriminator learns and the generator waits; null
    is a tenth of all, 150 at most."""

    @model_validator(mode="before")
    @classmethod
    def _as_the_recipe_says(cls, given: Any) -> Any:
        """Fill in what the recipe says; ``shares`` and ``gradient_share`` rule each other out."""
        if not isinstance(given, dict):
            return given
        if given.get("recipe", cls.model_fields["recipe"].default) == "balanced":
            loss: dict[str, Any] = {"shares": {}}
            if given.get("shares"):
                loss = {"gradient_share": None}
            given = {**BALANCED, **loss, **given}
        return {"shares": {}, **given} if given.get("gradient_share") is not None else given

    @model_validator(mode="after")
    def _not_both(self) -> "Adversarial":
        if self.gradient_share is not None and self.shares:
            raise ValueError("has shares and gradient_share; give one of them")
        return self
