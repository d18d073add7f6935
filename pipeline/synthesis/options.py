"""Options of the generator."""

from dataclasses import dataclass
from typing import Annotated

from pipeline.common.errors import ConfigError
from pipeline.common.options import SHARE, STRENGTH, Options, Range


@dataclass
class StrokesOptions(Options):
    """How a generated character differs from its skeleton. Lengths are in heights of a capital; 0 switches a change off."""

    lower_case: Annotated[float, "probability of the lower-case shape, where people write it for the capital", SHARE]
    signs: Annotated[float, "samples of a sign for each sample of a letter or digit", Range(above=0, high=1)]
    nothing: Annotated[float, "share of samples that are not a character, if the alphabet has this class", Range(0, below=1)]
    variants: Annotated[float, "probability of a rarer shape of the character, in training", SHARE]
    bend: Annotated[float, "standard deviation of the smooth random field that moves all points", STRENGTH]
    shift: Annotated[float, "standard deviation of the displacement of each stroke", STRENGTH]
    turn: Annotated[float, "standard deviation of the rotation of each stroke, in degrees", STRENGTH]
    corner_break: Annotated[float, "probability that the pen is lifted at a sharp corner", SHARE]
    lean: Annotated[float, "mean of the horizontal shear: most people lean to the right", Range(-1, 1)]
    slant: Annotated[float, "standard deviation of the horizontal shear", STRENGTH]
    rotation: Annotated[float, "standard deviation, in degrees", STRENGTH]
    widen: Annotated[float, "mean logarithm of width over height: people write wider than fonts", Range(-1, 1)]
    stretch: Annotated[float, "standard deviation of the logarithm of width over height", STRENGTH]
    tremor: Annotated[float, "standard deviation of the shaking of the pen", STRENGTH]
    gap: Annotated[float, "probability that the pen skips a part of a stroke", SHARE]
    pen_min: Annotated[float, "smallest width of the pen; the logarithm of its width is uniform", Range(above=0)]
    pen_max: Annotated[float, "largest width of the pen", Range(high=0.5)]
    pressure: Annotated[float, "standard deviation of the logarithm of the width along a stroke", STRENGTH]
    faint: Annotated[float, "largest share of the ink that an uneven pen or the grain of paper takes away", SHARE]
    pixels_min: Annotated[int, "smallest height of the character in the photo, in pixels", Range(8)]
    pixels_max: Annotated[int, "largest height of the character in the photo, in pixels", Range(high=512)]
    blur: Annotated[float, "largest standard deviation of the blur of the photo, in pixels", STRENGTH]
    noise: Annotated[float, "largest standard deviation of the noise of the photo, of 255", STRENGTH]

    def __post_init__(self) -> None:
        super().__post_init__()
        for low, high in (("pen_min", "pen_max"), ("pixels_min", "pixels_max")):
            if getattr(self, low) > getattr(self, high):
                raise ConfigError(f"{low}: {getattr(self, low)} must be at most {high}, {getattr(self, high)}")
