"""Everything that can keep the stack from running, each with a message of one line that says what to do.

EmbeddedError
├── HomeUnusable            the state folder cannot be made or written
├── DiskFull                too little space is left for a database
├── AlreadyRunning          another supervisor holds this home
├── PortTaken               the address to serve on is in use or not ours
├── ProgramMissing          no PostgreSQL or broker program was found
├── DataUnusable            the data folder is of another version, or not a data folder
└── ProgramFailed           a program stopped before it was ready
"""

from __future__ import annotations


class EmbeddedError(Exception):
    """Base of every reason why the stack does not run; `str()` is one line for the terminal."""


class HomeUnusable(EmbeddedError):
    """The state folder cannot be made, entered or written."""


class DiskFull(EmbeddedError):
    """Too little space is left where the state folder is."""


class AlreadyRunning(EmbeddedError):
    """Another supervisor holds this home."""


class PortTaken(EmbeddedError):
    """The address to serve on is in use, forbidden, or not an address of this machine."""


class ProgramMissing(EmbeddedError):
    """A program that the stack is made of is not installed."""


class DataUnusable(EmbeddedError):
    """The data is of another major version, damaged, or not what its folder's name says."""


class ProgramFailed(EmbeddedError):
    """A program of the stack stopped, or did not answer in time."""
