"""Options of the generator."""

from dataclasses import dataclass

from pipeline.common.checks import check_each, check_shares, check_strengths
from pipeline.common.errors import ConfigError


@dataclass
class StrokesOptions:
    """How far a hand departs from its model. Lengths are in heights of a capital; 0 switches each off.

    Attributes:
        lower_case: probability of the lower-case shape where the hand has one that people write for the capital.
        signs: samples of a sign for one of a letter or digit; their shapes are fewer and simpler.
        nothing: share of the samples that are no character, where the alphabet has such a class.
        variants: probability in the training split of one of the library's rarer shapes of the character.
        bend: standard deviation of the smooth random field that moves all points.
        shift, turn: standard deviation of a single stroke's displacement, and of its rotation in degrees.
        corner_break: probability that the pen is lifted at a sharp corner, so that both sides move on their own.
        lean: mean of the horizontal shear: most people lean to the right.
        slant: standard deviation of the horizontal shear.
        rotation: standard deviation in degrees.
        widen: mean of the logarithm of width over height, against the model: people write wider than fonts.
        stretch: standard deviation of the same.
        tremor: standard deviation of the pen's shaking.
        gap: probability that the pen skips somewhere.
        pen_min, pen_max: width of the pen; in between, its logarithm is uniform.
        pressure: standard deviation of the logarithm of the width along a stroke.
        faint: greatest share of the ink that an uneven pen or the grain of paper takes away.
        pixels_min, pixels_max: height of the character in the photo; few pixels blur it.
        blur: greatest standard deviation in pixels of the photo's blur.
        noise: standard deviation of the photo's noise, of 255.
    """

    lower_case: float
    signs: float
    nothing: float
    variants: float
    bend: float
    shift: float
    turn: float
    corner_break: float
    lean: float
    slant: float
    rotation: float
    widen: float
    stretch: float
    tremor: float
    gap: float
    pen_min: float
    pen_max: float
    pressure: float
    faint: float
    pixels_min: int
    pixels_max: int
    blur: float
    noise: float

    def __post_init__(self) -> None:
        check_shares(self, "lower_case", "variants", "corner_break", "gap", "faint")
        check_each(self, ("signs",), lambda value: 0 < value <= 1, "must be above 0 and at most 1")
        check_each(self, ("nothing",), lambda value: 0 <= value < 1, "must be 0 or more and below 1")
        check_strengths(self, "bend", "shift", "turn", "slant", "rotation", "stretch", "tremor", "pressure", "blur", "noise")
        check_each(self, ("lean", "widen"), lambda value: -1 <= value <= 1, "must be from -1 to 1")
        if not 0 < self.pen_min <= self.pen_max <= 0.5:
            raise ConfigError(f"pen_min: {self.pen_min} must be above 0 and at most pen_max, {self.pen_max} at most 0.5")
        if not 8 <= self.pixels_min <= self.pixels_max <= 512:
            raise ConfigError(f"pixels_min: {self.pixels_min} must be from 8 to pixels_max, {self.pixels_max} at most 512")
