"""Serve a frozen file: its hash is its ETag, a range resumes, gzip if asked for."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request

from annotator.models import ExportFile

CHUNK: Final = 256 * 1024
RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
GZIP: Final = 16 + zlib.MAX_WBITS


def serve(request: HttpRequest | Request, file: ExportFile | None) -> HttpResponseBase:
    """200, 206 for one range, 304 where the client has it, 416 for a range beyond the end."""
    if file is None or not Path(file.path).is_file():
        raise Http404("no such file in this export")
    etag = f'"{file.sha256}"'
    response: HttpResponseBase
    if etag in _tags(request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
    elif (span := _span(request, file.bytes, etag)) is not None:
        response = _part(file, *span)
    elif "gzip" in request.headers.get("Accept-Encoding", ""):
        response = StreamingHttpResponse(_gzipped(_read(file, 0, file.bytes)))
        response["Content-Encoding"] = "gzip"
    else:
        response = StreamingHttpResponse(_read(file, 0, file.bytes))
        response["Content-Length"] = str(file.bytes)
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Content-Type"] = _type_of(file.name)
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]


def _span(request: HttpRequest | Request, size: int, etag: str) -> tuple[int, int] | None:
    """First and one past the last byte wanted; None where the whole file is. Several ranges mean the whole."""
    match = RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or match.group(0) == "bytes=-":
        return None
    if (known := request.headers.get("If-Range")) and known != etag:
        return None
    first, last = match.groups()
    if not first:  # the last N bytes
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size


def _part(file: ExportFile, first: int, end: int) -> HttpResponseBase:
    if first >= end:
        response: HttpResponseBase = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{file.bytes}"
        return response
    response = StreamingHttpResponse(_read(file, first, end), status=206)
    response["Content-Range"] = f"bytes {first}-{end - 1}/{file.bytes}"
    response["Content-Length"] = str(end - first)
    return response


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
        yield squeezer.compress(piece)
    yield squeezer.flush()


def _type_of(name: str) -> str:
    types = {".json": "application/json", ".jsonl": "application/jsonl", ".md": "text/markdown; charset=utf-8"}
    return types.get(Path(name).suffix, "application/octet-stream")
