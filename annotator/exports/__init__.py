"""Labels out: frozen, hashed datasets.

choices    the named choices              items      what stood at the cutoff
resolve    labels by the choices          formats/   how one row is written
splits     parts, by problem              counting   what goes out and what does not
building   the files                      manifest   manifest.json and the card
snapshot   ask, find, build
"""

from annotator.exports.choices import CHOICES, MIN_SOURCES, Choices
from annotator.exports.counting import Preview
from annotator.exports.formats import FORMATS
from annotator.exports.snapshot import build, make, preview, request

__all__ = ["CHOICES", "FORMATS", "MIN_SOURCES", "Choices", "Preview", "build", "make", "preview", "request"]
