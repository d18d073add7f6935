"""Options of the online augmentation."""

from dataclasses import dataclass

from pipeline.common.checks import check_shares, check_strengths


@dataclass
class AugmentOptions:
    """Strengths; 0 switches each off.

    Attributes:
        rotation: standard deviation in degrees.
        slant: standard deviation of the horizontal shear.
        scale: standard deviation of the logarithm of the size.
        aspect: standard deviation of the logarithm of width over height.
        shift: standard deviation in pixels.
        elastic: standard deviation in pixels of a smooth random displacement of every pixel.
        width: greatest change of the stroke: 1 lets it grow or shrink by up to a pixel on each side.
        blur: greatest share of the image replaced by its blur.
        contrast: greatest loss of the ink's brightness, and of the exponent 1 of the grey values on either side.
        noise: greatest standard deviation of 255.
        erase: probability that a small rectangle loses its ink.
    """

    rotation: float
    slant: float
    scale: float
    aspect: float
    shift: float
    elastic: float
    width: float
    blur: float
    contrast: float
    noise: float
    erase: float

    def __post_init__(self) -> None:
        check_shares(self, "blur", "erase", "width", "contrast")
        check_strengths(self, "rotation", "slant", "scale", "aspect", "shift", "elastic", "noise")
