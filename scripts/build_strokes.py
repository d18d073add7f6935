"""Builds the stroke library `data/strokes.npz` and `NOTICE` from handwriting fonts with an open licence.

    python -m scripts.build_strokes --packages | xargs npm install --prefix fonts
    pip install fonttools brotli
    python -m scripts.build_strokes fonts/node_modules/@fontsource
    python -m scripts.build_strokes --variants               # only renews what stroke_variants.txt holds

Each font package holds the family's outlines as WOFF2, its licence and the name of its author. The skeletons of the
capitals, the digits, the signs and the lower-case letters are kept, and once more, at the size of capitals, those of some
lower-case letters that people also write as capitals. The shapes that fonts rarely show stand in `stroke_variants.txt`
beside this script.
"""

import argparse
import io
import json
import sys
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from joblib import Parallel, delayed
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from scipy.interpolate import CubicSpline

from pipeline.characters.alphabet import ALPHANUMERIC, LOWER_CASE, SIGNS
from pipeline.synthesis.skeleton import strokes_from_mask
from pipeline.synthesis.stroke_library import VARIANTS, Glyph, load_library, save_library

ROOT = Path(__file__).resolve().parents[1]
CAP_HEIGHT = 150  # pixels of a capital H while its skeleton is taken
LOWER = "cfkmnopsuvwxyz"  # lower-case shapes that people write for capitals
OPEN_LICENCES = {"OFL-1.1", "Apache-2.0"}

# package: capitals and digits that are no separately printed character in this family, `-` before the lower-case
# ones, and `*` for a family whose lower-case letters are small capitals or cursive: none of them is taken.
FAMILIES = dict(
    line.split(maxsplit=1) if " " in line else (line, "")
    for line in """\
amatic-sc *
andika
annie-use-your-telescope
architects-daughter
bad-script GQYZ *
balsamiq-sans
beth-ellen ABCDEFGHIJKLMNOPQRSTUVWXYZ *
calligraffitti ABDGHJQWYZ *
caveat
caveat-brush
cedarville-cursive AGHIJLSUXYZ *
chilanka
comfortaa
comic-neue
comic-relief
coming-soon
covered-by-your-grace
crafty-girls GQVY
dekko
delicious-handrawn
delius
delius-unicase *
dongle
east-sea-dokdo
edu-nsw-act-foundation *
edu-qld-beginner *
edu-sa-beginner *
edu-tas-beginner *
edu-vic-wa-nt-beginner *
englebert
finger-paint
fuzzy-bubbles
gaegu
gamja-flower
give-you-glory *
gloria-hallelujah
gochi-hand
grandstander
grape-nuts
gruppo
hachi-maru-pop
handlee
happy-monkey *
hi-melody
homemade-apple ABCDEFGHIJKLMNOPQRSTUVWXYZ *
indie-flower
itim
just-another-hand
just-me-again-down-here
kalam
kavivanar
klee-one
kristi *
liu-jian-mao-cao F *
long-cang
loved-by-the-king
mali
mansalva
mclaren
mynerve
nanum-brush-script
nanum-pen-script
neucha
nothing-you-could-do *
nova-round
oooh-baby *
over-the-rainbow F *
pangolin
patrick-hand
patrick-hand-sc *
permanent-marker *
playpen-sans
poor-story
quicksand
rancho
reenie-beanie
rock-salt *
schoolbell
sedgwick-ave 0
shadows-into-light
shadows-into-light-two
shantell-sans
short-stack
single-day
sour-gummy
square-peg
sriracha
sue-ellen-francisco
sunshiney ABDJKPQRSY
swanky-and-moo-moo
the-girl-next-door
tillana
varela-round
vibur OVW *
waiting-for-the-sunrise
walter-turncoat
yomogi
yusei-magic
zen-kurenaido
zeyada JQX
zhi-mang-xing ABCDEFGHIJKLMNOPQRSTUVWXYZ *
""".splitlines()
)

# Families of one designer or of one design share a split, so that a test never sees a hand it was trained on.
RELATED = [
    {"caveat", "caveat-brush"},
    {"comic-neue", "comic-relief"},
    {"delius", "delius-unicase"},
    {"edu-nsw-act-foundation", "edu-qld-beginner", "edu-sa-beginner", "edu-tas-beginner", "edu-vic-wa-nt-beginner"},
    {"patrick-hand", "patrick-hand-sc"},
    {"shadows-into-light", "shadows-into-light-two"},
    {"liu-jian-mao-cao", "over-the-rainbow"},
    {"nanum-brush-script", "nanum-pen-script"},
]
VALID = {
    "coming-soon",
    "gochi-hand",
    "hi-melody",
    "just-me-again-down-here",
    "kavivanar",
    "mansalva",
    "nova-round",
    "pangolin",
    "rock-salt",
    "short-stack",
    "square-peg",
    "the-girl-next-door",
}
TEST = {
    "annie-use-your-telescope",
    "chilanka",
    "east-sea-dokdo",
    "grape-nuts",
    "indie-flower",
    "mali",
    "neucha",
    "nothing-you-could-do",
    "schoolbell",
    "shantell-sans",
    "waiting-for-the-sunrise",
    "yomogi",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fonts", type=Path, nargs="?", help="folder that holds one folder per font package")
    parser.add_argument("--packages", action="store_true", help="print the packages' names and stop")
    parser.add_argument("--variants", action="store_true", help="keep the fonts' glyphs in --output, renew the others")
    parser.add_argument("--output", type=Path, default=ROOT / "data" / "strokes.npz")
    arguments = parser.parse_args()
    if arguments.packages:
        print("\n".join(f"@fontsource/{name}" for name in FAMILIES))
        return
    if arguments.variants:
        renew_variants(arguments.output)
        return
    if arguments.fonts is None:
        parser.error("name the folder that holds the font packages, or ask for --packages")
    check_splits()
    notices = [read_notice(arguments.fonts / name) for name in FAMILIES]
    families = Parallel(n_jobs=-1)(delayed(read_family)(arguments.fonts / name, name) for name in FAMILIES)
    glyphs = [glyph for family in families for glyph in family]
    glyphs += read_variants(Path(__file__).with_name("stroke_variants.txt"))
    splits = ["valid" if name in VALID else "test" if name in TEST else "train" for name in FAMILIES]
    licences = [*(notice[2] for notice in notices), "MIT"]
    hands = [f"hand-{number:03}" for number in range(1, len(FAMILIES) + 1)]  # the fonts' licence reserves their names
    save_library(arguments.output, [*hands, VARIANTS], [*splits, VARIANTS], licences, glyphs)
    write_notice(notices)
    print(f"{arguments.output}: {len(FAMILIES)} families, {len(glyphs)} glyphs, {arguments.output.stat().st_size / 1e6:.2f} MB")


def renew_variants(path: Path) -> None:
    """Write the library anew with the table of variants as it is now."""
    library = load_library(path)
    glyphs = [glyph for glyph in library.glyphs if glyph.hand != library.variants]
    glyphs += read_variants(Path(__file__).with_name("stroke_variants.txt"))
    save_library(path, library.hands, library.splits, library.licences, glyphs)
    print(f"{path}: {len(glyphs)} glyphs")


def check_splits() -> None:
    for related in RELATED:
        if related & (VALID | TEST):
            sys.exit(f"related families must stay in the training split: {', '.join(sorted(related))}")


def read_family(package: Path, name: str) -> list[Glyph]:
    """The glyphs of one font in heights of its capitals; those of `LOWER` once more, each stretched to that height."""
    left_out, _, left_out_lower = FAMILIES[name].partition("-")
    hand = list(FAMILIES).index(name)
    font, known = load_font(package, name)
    lower = "" if "*" in left_out + left_out_lower else "".join(c for c in LOWER_CASE if c not in left_out_lower)
    glyphs = []
    for character in ALPHANUMERIC + SIGNS + lower:
        if character not in left_out and ord(character) in known:
            strokes = [(s - [0, 2 * CAP_HEIGHT]) / CAP_HEIGHT + [0, 1] for s in skeleton(font, character)]
            if strokes:
                glyphs.append(Glyph(hand, character, False, strokes))
    for character in "" if "*" in left_out else LOWER:
        if character not in left_out_lower:
            strokes = skeleton(font, character)
            points = np.vstack(strokes)
            low, high = points.min(axis=0), points.max(axis=0)
            strokes = [(s - low) / (high[1] - low[1]) for s in strokes]
            glyphs.append(Glyph(hand, character.upper(), True, strokes))
    return glyphs


def load_font(package: Path, name: str) -> tuple[ImageFont.FreeTypeFont, set[int]]:
    """The font at the size that makes its capitals CAP_HEIGHT pixels tall, and the code points that it has."""
    files = sorted(package.glob(f"files/{name}-latin-[0-9]*-normal.woff2"))
    regular = [f for f in files if "-400-" in f.name] or files
    plain = io.BytesIO()
    font = TTFont(regular[0])
    font.flavor = None
    font.save(plain)
    size = CAP_HEIGHT
    for _ in range(2):  # the second time corrects the rounding of the first
        plain.seek(0)
        loaded = ImageFont.truetype(plain, size)
        top, bottom = loaded.getbbox("H", anchor="ls")[1::2]
        size = round(size * CAP_HEIGHT / (bottom - top))
    plain.seek(0)
    return ImageFont.truetype(plain, size), set(font.getBestCmap())


def skeleton(font: ImageFont.FreeTypeFont, character: str) -> list[np.ndarray]:
    """Strokes in pixels of one character drawn with its baseline at 2 CAP_HEIGHT."""
    image = Image.new("L", (5 * CAP_HEIGHT, 4 * CAP_HEIGHT), 0)
    ImageDraw.Draw(image).text((CAP_HEIGHT, 2 * CAP_HEIGHT), character, font=font, fill=255, anchor="ls")
    smooth = ndimage.gaussian_filter(np.asarray(image, float), 1.5) > 110
    filled = ndimage.binary_closing(smooth, iterations=2)  # the pinholes of a dry brush
    labels, count = ndimage.label(filled)
    sizes = ndimage.sum(filled, labels, range(1, count + 1))
    kept = 1 + np.flatnonzero(sizes > 0.03 * sizes.max())
    dots = [] if character in ALPHANUMERIC else [label for label in kept if is_dot(labels == label)]
    touches = [
        np.array([middle, middle + 0.03 * CAP_HEIGHT]) for middle in (np.argwhere(labels == d).mean(0)[::-1] for d in dots)
    ]
    rest = np.isin(labels, [label for label in kept if label not in dots])
    return (strokes_from_mask(rest) if rest.any() else []) + touches


def is_dot(mask: np.ndarray) -> bool:
    """Whether a part of a character is a touch of the pen, which has no skeleton."""
    height, width = (1 + values.max() - values.min() for values in np.nonzero(mask))
    return max(height, width) < 0.3 * CAP_HEIGHT and max(height, width) < 1.5 * min(height, width)


def read_variants(path: Path) -> list[Glyph]:
    """The glyphs of the table of variants; its first lines describe its format."""
    glyphs = []
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            line = line.removeprefix("\\")
            glyphs.append(Glyph(len(FAMILIES), line[0], False, [read_stroke(s) for s in line[1:].split("|")]))
    return glyphs


def read_stroke(text: str) -> np.ndarray:
    """Points (K, 2) of one stroke of the table."""
    pieces = []
    for piece in text.split("/"):
        points = np.array([pair.split(",") for pair in piece.replace("~", "").split()], float).reshape(-1, 2)
        if "~" in piece and len(points) > 2:
            along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
            closed = bool((points[0] == points[-1]).all())
            curve = CubicSpline(along, points, bc_type="periodic" if closed else "natural")
            points = curve(np.linspace(0, along[-1], 2 + int(along[-1] / 0.07)))
        pieces.append(points)
    return np.concatenate(pieces)


def read_notice(package: Path) -> tuple[str, str, str]:
    """Family, copyright line, licence; the licence must be an open one."""
    metadata = json.loads((package / "metadata.json").read_text())
    licence = metadata["license"]["type"] if isinstance(metadata["license"], dict) else "unknown"
    if licence not in OPEN_LICENCES:
        sys.exit(f"{package}: licence {licence} is not one of {', '.join(sorted(OPEN_LICENCES))}")
    return metadata["family"], metadata["license"]["attribution"], licence


def write_notice(notices: list[tuple[str, str, str]]) -> None:
    lines = [
        f"hand-{number:03} {family}: {author.rstrip('.')}. {licence}."
        for number, (family, author, licence) in enumerate(notices, start=1)
    ]
    about, _, *rest = (ROOT / "NOTICE").read_text().split("\n\n")  # the list is the second paragraph
    (ROOT / "NOTICE").write_text("\n\n".join([about, "\n".join(lines), *rest]))


if __name__ == "__main__":
    main()
