"""What the simulator does wrong on demand.

By rate (`429=0.02,cutoff=0.01`), by the request header `X-Simulator-Fault: 429`, or by the model name
`simulated/fault-429`. `429*2` fails the first two times that one and the same body comes, then answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from reasoning.errors import InvalidInput
from reasoning.simulator import draws

HEADER: Final = "x-simulator-fault"
MODEL_PREFIX: Final = "simulated/fault-"


class Fault(StrEnum):
    """One way to fail. The value is its name in flags, headers and model names."""

    RATE_LIMIT = "429"
    RATE_LIMIT_DATE = "429-date"
    """Its Retry-After is a date."""
    BAD_REQUEST = "400"
    WRONG_KEY = "401"
    SERVER_ERROR = "500"
    OVERLOADED = "503"
    PROXY_PAGE = "502"
    """An HTML page of a proxy in place of JSON."""
    SLOW = "slow"
    CUTOFF = "cutoff"
    """The body ends in the middle; a stream ends without its finish_reason."""
    BROKEN_JSON = "json"
    WRONG_SCHEMA = "schema"
    EMPTY_CHOICES = "empty"
    BLANK = "blank"
    """A choice without any text."""
    LENGTH = "length"
    """The completion is cut at its token limit."""
    ONE_CHOICE = "one"
    """`n` is ignored: one choice comes, whatever was asked for."""


@dataclass(slots=True)
class Faults:
    """Rates of each fault, and how often a request that asked to fail some times has done so."""

    rates: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 0
    _requests: int = 0
    _times: Counter[int] = field(default_factory=Counter)

    @classmethod
    def parse(cls, text: str, *, seed: int = 0) -> Faults:
        """From `429=0.02,slow=0.01`. Raises `InvalidInput`."""
        rates: dict[Fault, float] = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, _, rate = part.partition("=")
            try:
                rates[_named(name)] = float(rate)
            except ValueError as error:
                raise InvalidInput(f"faults: {part!r} is not NAME=RATE") from error
        if any(rate < 0 for rate in rates.values()) or sum(rates.values()) > 1:
            raise InvalidInput("faults: rates are not negative and sum to at most 1")
        return cls(rates, seed)

    def pick(self, asked: str, body: bytes) -> Fault | None:
        """The fault for this request: the one `asked` for by name, else by the rates."""
        self._requests += 1
        if asked:
            name, _, times = asked.partition("*")
            fault = _named(name)
            if not times:
                return fault
            if not times.isdecimal():
                raise InvalidInput(f"faults: {asked!r} is not NAME*TIMES")
            key = draws.digest(asked, body)
            self._times[key] += 1
            return fault if self._times[key] <= int(times) else None
        u = draws.uniform("fault", self.seed, self._requests)
        for fault, rate in self.rates.items():
            if u < rate:
                return fault
            u -= rate
        return None


def _named(name: str) -> Fault:
    try:
        return Fault(name)
    except ValueError as error:
        raise InvalidInput(f"faults: there is no {name!r}; there are {', '.join(Fault)}") from error
