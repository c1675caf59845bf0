"""Serve a frozen file: its hash is its ETag, a range resumes, gzip if asked for."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request

from annotator.api.problems import plain
from annotator.models import ExportFile

CHUNK: Final = 256 * 1024
RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
NO_GZIP: Final = re.compile(r"q=0(\.0*)?")
GZIP: Final = 16 + zlib.MAX_WBITS
TYPES: Final = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
}


def serve(request: Request, file: ExportFile | None) -> HttpResponseBase:
    """200, 206 for one range, 304 where the client has it, 416 for a range beyond the end. Raises Http404."""
    if file is None or not Path(file.path).is_file():
        raise Http404("There is no such file in this export.")
    response = _answer(request, file, f'"{file.sha256}"')
    response["ETag"] = f'"{file.sha256}"'
    response["Accept-Ranges"] = "bytes"
    patch_vary_headers(response, ["Accept-Encoding", "Authorization"])
    return response


def _answer(request: Request, file: ExportFile, etag: str) -> HttpResponseBase:
    if _has(request.headers.get("If-None-Match", ""), etag):
        return HttpResponse(status=HTTPStatus.NOT_MODIFIED)
    span = _span(request, file.bytes, etag)
    if span is not None and span[0] >= span[1]:
        response: HttpResponseBase = plain(416, f"The file has {file.bytes} bytes.")
        response["Content-Range"] = f"bytes */{file.bytes}"
        return response
    gzip = span is None and _wants_gzip(request.headers.get("Accept-Encoding", ""))
    first, end = span or (0, file.bytes)
    body = iter(()) if request.method == "HEAD" else _read(file, first, end)
    response = StreamingHttpResponse(_gzipped(body) if gzip and request.method != "HEAD" else body)
    if gzip:
        response["Content-Encoding"] = "gzip"
    else:
        response["Content-Length"] = str(end - first)
    if span is not None:
        response.status_code = HTTPStatus.PARTIAL_CONTENT
        response["Content-Range"] = f"bytes {first}-{end - 1}/{file.bytes}"
    response["Content-Type"] = TYPES.get(Path(file.name).suffix, "application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return response


def _has(header: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or tags == ["*"]


def _wants_gzip(header: str) -> bool:
    for coding in header.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return NO_GZIP.fullmatch(weight.strip()) is None
    return False


def _span(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """First and one past the last byte wanted; None where the whole file is.

    Several ranges, one that runs backwards and one of another version mean the whole (RFC 9110, 14.2).
    """
    match = RANGE.fullmatch(request.headers.get("Range", "").strip())
    known = request.headers.get("If-Range", etag).strip()
    if match is None or match[0] == "bytes=-" or known != etag or request.method != "GET":
        return None
    first, last = match.groups()
    if not first:  # the last N bytes
        return max(size - int(last), 0), size
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size


def _read(file: ExportFile, first: int, end: int) -> Iterator[bytes]:
    with Path(file.path).open("rb") as source:
        source.seek(first)
        left = end - first
        while left and (piece := source.read(min(CHUNK, left))):
            left -= len(piece)
            yield piece


def _gzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    squeezer = zlib.compressobj(6, zlib.DEFLATED, GZIP)
    for piece in pieces:
        if squeezed := squeezer.compress(piece):
            yield squeezed
    yield squeezer.flush()
