"""What an endpoint can do wrong, each mapped once to `reasoning.errors`, with the endpoint's own words in `detail`."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping

import httpx2
import openai

from reasoning.errors import EndpointError, EndpointRefused, EndpointUnavailable, MalformedReply, RateLimited

DETAIL_LENGTH = 500
RETRIED_STATUSES = frozenset({408, 409, 425, 429})


def shorten(text: str) -> str:
    """At most `DETAIL_LENGTH` characters, white space collapsed."""
    flat = " ".join(text.split())
    return flat if len(flat) <= DETAIL_LENGTH else flat[: DETAIL_LENGTH - 1] + "…"


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds from `retry-after-ms` or `Retry-After` (seconds or a date, RFC 9110 §10.2.3); None where not told."""
    milliseconds = headers.get("retry-after-ms", "")
    if milliseconds.replace(".", "", 1).isdigit():
        return float(milliseconds) / 1000
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, at.timestamp() - (time.time() if now is None else now))


def words_of(body: object, text: str) -> str:
    """The message out of an error body of any of the shapes seen in the wild, or the body itself."""
    match body:
        case {"error": {"message": str(message)}} | {"error": str(message)} | {"message": str(message)}:
            return shorten(message)
        case {"detail": str(message)}:
            return shorten(message)
    return shorten(text)


def from_openai(error: openai.APIError) -> EndpointError:
    """The error of this library for one of the openai package."""
    if isinstance(error, openai.APIStatusError):
        return _from_status(error)
    cause = error.__cause__
    if isinstance(error, openai.APITimeoutError):
        # the transport over aiohttp calls every lost connection a timeout: its own cause knows better
        root = cause.__cause__ if cause is not None else None
        if root is None or isinstance(root, TimeoutError):
            return EndpointUnavailable("timed out: no reply came in time")
    if isinstance(cause, httpx2.RemoteProtocolError | httpx2.ReadError | httpx2.DecodingError):
        return MalformedReply(shorten(f"the reply was cut off: {cause or type(cause).__name__}"))
    return EndpointUnavailable(shorten(f"no connection: {cause or error}"))


def _from_status(error: openai.APIStatusError) -> EndpointError:
    response, status = error.response, error.status_code
    try:
        words = words_of(response.json(), response.text)
    except ValueError:
        words = shorten(response.text)
    detail = f"{status}: {words or response.reason_phrase}"
    wait = retry_after(response.headers)
    if status == 429:
        return RateLimited(detail, status=status, retry_after=wait)
    if status in RETRIED_STATUSES or status >= 500:
        return EndpointUnavailable(detail, status=status, retry_after=wait)
    return EndpointRefused(detail, status=status)
