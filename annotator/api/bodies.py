"""JSON in and out, and raw bodies: what the API reads and writes, whatever a client sends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

CHUNK: Final = 256 * 1024
LARGEST: Final = 16 * 2**20
"""Bytes of a JSON body; files have no such limit."""


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"A JSON body may have {LARGEST:,} bytes."


class LengthRequired(APIException):
    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_detail = "This server cannot read a chunked body: send its Content-Length."


class JSON(JSONRenderer):
    """A lone surrogate, which UTF-8 cannot hold, leaves as its escape, such as `\\ud800`."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if data is None:
            return b""
        text = json.dumps(data, cls=self.encoder_class, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        # Outside strings JSON is ASCII, and inside them this handler's \udXXX is JSON's own escape.
        return text.encode("utf-8", "backslashreplace")


class JSONBody(BaseParser):
    """Any JSON value, escaped lone surrogates and NUL too; at most `LARGEST` bytes of it."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        assert parser_context is not None
        body = bytearray()
        for piece in pieces(parser_context["request"]):
            body += piece
            if len(body) > LARGEST:
                raise TooLarge
        try:
            return json.loads(body, parse_constant=_no_constant)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deep.") from error
        except ValueError as error:
            raise ParseError(f"This is not JSON: {error}") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


class Untouched(BaseParser):
    """Leaves the body unread, whatever its type."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return stream


class OneForm(BaseContentNegotiation):
    """Answers have one form, whatever `Accept` says: a problem must reach whoever asked for a file."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        """The view's one parser; JSON may come as such, as a kind of it, or without a type."""
        sent = (request.content_type or "").partition(";")[0].strip().lower()
        is_json = sent in ("", JSONBody.media_type) or sent.endswith("+json")
        return parsers[0] if is_json or not isinstance(parsers[0], JSONBody) else None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def is_chunked(request: Request) -> bool:
    return "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()


def pieces(request: Request) -> Iterator[bytes]:
    """The body as it comes, in pieces of at most `CHUNK`. Raises ParseError where it breaks off before its end."""
    if is_chunked(request):
        if not request.META.get("wsgi.input_terminated"):
            raise LengthRequired
        # A chunked body has no length, so Django takes it to be empty: read what the server reads.
        source, expected = request.META["wsgi.input"], None
    else:
        source, expected = request._request, int(request.META.get("CONTENT_LENGTH") or 0)
    received = 0
    try:
        while piece := source.read(CHUNK):
            received += len(piece)
            yield piece
    except OSError as error:
        raise ParseError("The body broke off before its end.") from error
    if expected is not None and received < expected:
        raise ParseError(f"The body broke off after {received:,} of {expected:,} bytes.")
