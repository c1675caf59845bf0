"""Keyset paging: newest first, by public code, so that neither a count nor a key leaks and no page is slow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, QueryDict

SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows; `newer` and `older` are query strings of its neighbours, empty where there is none."""

    rows: list[Any]
    newer: str
    older: str


def page_of(request: HttpRequest, rows: QuerySet[Any], size: int = SIZE) -> Page:
    """The page that `?before=CODE` or `?after=CODE` asks for, else the first. Http404 for a code that is unknown."""
    before, after = request.GET.get("before"), request.GET.get("after")
    model = rows.model._default_manager
    anchor = before or after
    key = model.filter(code=anchor).values_list("pk", flat=True).first() if anchor else None
    if anchor and key is None:
        raise Http404("That page is gone.")
    if after:
        found = list(rows.filter(pk__gt=key).order_by("pk")[: size + 1])
        more, found = len(found) > size, found[:size][::-1]
        return _page(request, found, newer=more, older=bool(found))
    if before:
        rows = rows.filter(pk__lt=key)
    found = list(rows.order_by("-pk")[: size + 1])
    return _page(request, found[:size], newer=bool(before and found), older=len(found) > size)


def _page(request: HttpRequest, rows: list[Any], *, newer: bool, older: bool) -> Page:
    return Page(
        rows,
        query_with(request, after=rows[0].code, before=None) if newer else "",
        query_with(request, before=rows[-1].code, after=None) if older else "",
    )


def query_with(request: HttpRequest, **changes: str | None) -> str:
    """The request's query string with some parameters set, or dropped where None."""
    query: QueryDict = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return query.urlencode()
