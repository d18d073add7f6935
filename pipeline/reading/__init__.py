"""Pages: from a photo of hand-printed text to the text.

photo -> straighten -> ink -> layout -> segment -> classify -> decode (with words, language) -> Page -> export
"""

from pipeline.reading.options import OcrOptions
from pipeline.reading.page import Character, Line, Page, Word
from pipeline.reading.reader import read

__all__ = ["Character", "Line", "OcrOptions", "Page", "Word", "read"]
