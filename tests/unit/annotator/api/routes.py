"""Every address of the API, read off the resolver: no list to keep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.urls import URLPattern

from annotator.api.urls import urlpatterns

_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


class Route(NamedTuple):
    """`path` is below /api/v1/, with {slug}, {code} and the like in it."""

    path: str
    view: type[Any]

    def at(self, **names: str) -> str:
        """The address with these in it; a code may be given by what it is a code of: `runs="abc"`."""
        kind = self.path.partition("/")[0]
        return self.path.format(**{"code": names.get(kind, ""), **names})


def _routes() -> Iterator[Route]:
    for pattern in urlpatterns:
        path = str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLPattern) and path.startswith("v1/"):
            names = _PARAMETER.sub(lambda found: f"{{{found[1] or found[2]}}}", path.removeprefix("v1/"))
            yield Route(names, pattern.callback.cls)  # type: ignore[attr-defined]


ROUTES: Final = tuple(_routes())
