"""The one error tree of the library.

ReasoningError
├── InvalidInput            a value that the caller handed in is out of its domain
├── EndpointError           a model endpoint did not answer as asked; its own words are in `detail`
│   ├── EndpointUnavailable     down, timed out, refused: worth trying later
│   ├── RateLimited             429 after all retries; `retry_after` in seconds where it was told
│   ├── EndpointRefused         wrong key, unknown model, bad request: trying again changes nothing
│   └── MalformedReply          it answered, but not in the protocol or not to the schema
├── BudgetExceeded          the next call would cost more than what is left; nothing was sent
└── Cancelled               the caller asked to stop
"""

from __future__ import annotations


class ReasoningError(Exception):
    """Base of everything that this library raises on purpose."""


class InvalidInput(ReasoningError, ValueError):
    """A value is out of its domain; the message names the field and the reason."""


class EndpointError(ReasoningError):
    """A model endpoint did not answer as asked."""

    def __init__(self, detail: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        """The endpoint's own words, cut to a readable length."""
        self.status = status
        """HTTP status, where there was a reply."""
        self.retry_after = retry_after
        """Seconds the endpoint asked us to wait, where it did."""


class EndpointUnavailable(EndpointError):
    """The endpoint is down, timed out or answered 5xx after all retries."""


class RateLimited(EndpointError):
    """The endpoint answered 429 after all retries."""


class EndpointRefused(EndpointError):
    """The endpoint refuses: wrong key, unknown model, bad request. The same call will fail again."""


class MalformedReply(EndpointError):
    """The endpoint answered, but not in the protocol or not to the schema asked for."""


class BudgetExceeded(ReasoningError):
    """The next call would cost more than what is left; nothing was sent."""


class Cancelled(ReasoningError):
    """The caller asked to stop; what was already stored stays."""
