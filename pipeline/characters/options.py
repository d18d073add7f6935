"""Options of the online augmentation."""

from dataclasses import dataclass
from typing import Annotated

from pipeline.common.options import SHARE, STRENGTH, Options


@dataclass
class AugmentOptions(Options):
    """How much each epoch changes the characters; 0 switches a change off."""

    rotation: Annotated[float, "standard deviation, in degrees", STRENGTH]
    slant: Annotated[float, "standard deviation of the horizontal shear", STRENGTH]
    scale: Annotated[float, "standard deviation of the logarithm of the size", STRENGTH]
    aspect: Annotated[float, "standard deviation of the logarithm of width over height", STRENGTH]
    shift: Annotated[float, "standard deviation, in pixels", STRENGTH]
    elastic: Annotated[float, "standard deviation in pixels of a smooth random displacement", STRENGTH]
    width: Annotated[float, "most pixels that a stroke grows or shrinks on each side", SHARE]
    blur: Annotated[float, "largest share of the image that its blur replaces", SHARE]
    contrast: Annotated[float, "largest share of the brightness lost; largest change of the logarithm of gamma", SHARE]
    noise: Annotated[float, "largest standard deviation, of 255", STRENGTH]
    erase: Annotated[float, "probability that a small rectangle loses its ink", SHARE]
