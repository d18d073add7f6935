"""Models: everything learnt or fitted that a page is read with."""

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
    """What `read` needs.

    Attributes:
        characters: tells characters apart, and what is none.
        lines: weighs what a line could be.
        language: settles what the others cannot.
        ink: says what each pixel shows; None takes all that stands out from the paper for writing.
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
