"""What an endpoint can do wrong, each mapped once to `reasoning.errors`, with the endpoint's own words in `detail`."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping
from datetime import UTC

import httpx2
import openai

from reasoning.characters import shorten
from reasoning.errors import EndpointError, EndpointRefused, EndpointUnavailable, MalformedReply, RateLimited

LONGEST_WAIT = 366 * 86_400.0
"""Seconds: whatever is told beyond a year is never."""
RETRIED_STATUSES = frozenset({408, 409, 425, 429})

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds from `retry-after-ms` or `Retry-After` (seconds or a date, RFC 9110 §10.2.3); None where not told."""
    milliseconds = headers.get("retry-after-ms", "").strip()
    if _NUMBER.fullmatch(milliseconds):
        return min(float(milliseconds) / 1000, LONGEST_WAIT)
    value = headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(value):
        return min(float(value), LONGEST_WAIT)
    try:
        at = email.utils.parsedate_to_datetime(value)
        told = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()  # the obsolete forms leave GMT out
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, told - (time.time() if now is None else now)), LONGEST_WAIT)


def words_of(body: object, text: str) -> str:
    """The message out of an error body of any of the shapes seen in the wild, or the body itself."""
    match body:
        case {"error": {"message": str(message)}} | {"error": str(message)} | {"message": str(message)}:
            return shorten(message)
        case {"detail": str(message)}:
            return shorten(message)
    return shorten(text)


def from_openai(error: openai.APIError, key: str = "") -> EndpointError:
    """The error of this library for one of the openai package. Proxies repeat the `key` they refuse: it is left out."""
    if isinstance(error, openai.APIStatusError):
        return _from_status(error, key)
    cause = error.__cause__
    if isinstance(error, openai.APITimeoutError):
        # the transport over aiohttp calls every lost connection a timeout: its own cause knows better
        root = cause.__cause__ if cause is not None else None
        if root is None or isinstance(root, TimeoutError):
            return EndpointUnavailable("timed out: no reply came in time")
    if isinstance(cause, httpx2.RemoteProtocolError | httpx2.ReadError | httpx2.DecodingError):
        return MalformedReply(shorten(f"the reply was cut off: {cause or type(cause).__name__}"))
    return EndpointUnavailable(shorten(f"no connection: {cause or error}"))


def _from_status(error: openai.APIStatusError, key: str) -> EndpointError:
    response, status = error.response, error.status_code
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    words = words_of(body, response.text) or shorten(response.reason_phrase)
    if response.has_redirect_location:
        words = shorten(f"it sends us on to {response.headers['location']}: that is the address to use, if any")
    detail = f"{status}: {words.replace(key, '…') if key else words}"
    wait = retry_after(response.headers)
    if status == 429 and not _is_spent(body):
        return RateLimited(detail, status=status, retry_after=wait)
    if (status in RETRIED_STATUSES and status != 429) or status >= 500:
        return EndpointUnavailable(detail, status=status, retry_after=wait)
    return EndpointRefused(detail, status=status)


def _is_spent(body: object) -> bool:
    """OpenAI says 429 too where the account has no money left: no wait mends that."""
    match body:
        case {"error": {"code": "insufficient_quota"}} | {"error": {"type": "insufficient_quota"}}:
            return True
    return False
