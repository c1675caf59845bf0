"""Files into problems, solutions and steps, and the evidence or labels that come along.

containers   how rows lie in a file            formats/    how one row is written
prepared     checks, escapes, splits, hashes   store       one batch, one transaction
looks        what machines and other annotators said
"""

from annotator.intake.formats import FORMATS, reader_of
from annotator.intake.options import Options
from annotator.intake.preview import HEAD, IntakePreview, PreviewRow, guess, preview
from annotator.intake.purging import purge
from annotator.intake.reading import load, read, receive
from annotator.intake.withdrawing import withdraw

__all__ = [
    "FORMATS",
    "HEAD",
    "IntakePreview",
    "Options",
    "PreviewRow",
    "guess",
    "load",
    "preview",
    "purge",
    "read",
    "reader_of",
    "receive",
    "withdraw",
]
