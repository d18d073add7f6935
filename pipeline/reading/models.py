"""Models: everything learnt or fitted that is needed to read a page."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.characters.classifier import load_classifier
from pipeline.common.errors import DataError
from pipeline.nn.unet import UNet, load_unet
from pipeline.reading.glyphs import Model
from pipeline.reading.language import Language, LanguageModel, load_language
from pipeline.reading.line_model import LineModel, line_characters, load_line_model


@dataclass(frozen=True)
class Models:
    """The models that `read` needs.

    Attributes:
        characters: classifies candidates as characters, or as not a character.
        lines: weighs the readings of a line.
        language: decides between readings that look alike.
        ink: tells what a pixel shows; None: everything darker than the paper is writing.
    """

    characters: Model
    lines: LineModel
    language: Language
    ink: UNet | None


def load_models(characters: Path, lines: Path, language: Path | None, ink: Path | None) -> Models:
    """Read the weights of the classifier, the line model and, unless None, the table of the language and the ink network.

    Raises:
        DataError: one is missing, damaged, or the line model was fitted for other characters.
    """
    classifier = load_classifier(characters)
    model = load_line_model(lines)
    wanted = line_characters(classifier.alphabet.characters)
    if model.characters != wanted:
        raise DataError(f"{lines}: fitted for {model.characters}, {characters} reads {wanted}; run `dvc repro lattice`")
    words = LanguageModel(load_language(language), model.kinds) if language else Language()
    return Models(classifier, model, words, load_unet(ink)[0] if ink else None)
