"""Is it alive, can it work, and what does it count: for supervisors, load balancers and Prometheus."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from annotator.metrics import REGISTRY

FRESH_SECONDS: Final = 2.0
"""How long one look at the parts is good for, when all was well; half a second when not."""
WORKER_SECONDS: Final = 1.0
"""How long a worker may take to answer."""


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers at all."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when database, broker and a worker answer; 503 names what does not."""
    parts = READINESS.look()
    ready = all(answer == "ok" for answer in parts.values())
    return JsonResponse({"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text: for the machine itself, or with `Authorization: Bearer $STEPWISE_METRICS_TOKEN`."""
    if not (_is_local(request) or _has_metrics_token(request)):
        return HttpResponse(
            "Only from this machine, or with the metrics token.\n", status=403, content_type="text/plain"
        )
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _is_local(request: HttpRequest) -> bool:
    # Behind a proxy on this machine everybody comes from the loopback; such a request says for whom it was forwarded.
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"))
    peer = request.META.get("REMOTE_ADDR") or "127.0.0.1"  # a UNIX socket has no address
    return not forwarded and ip_address(peer).is_loopback


def _has_metrics_token(request: HttpRequest) -> bool:
    offered = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(offered.encode(), settings.METRICS_TOKEN.encode())


class Readiness:
    """The last look at the parts, shared by all threads and good for FRESH_SECONDS."""

    def __init__(self, checks: dict[str, Callable[[], str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._checks = checks
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, str] = {}
        self._until = float("-inf")

    def look(self) -> dict[str, str]:
        """Every part's name with "ok", or with what is wrong with it."""
        with self._lock:
            if self._clock() >= self._until:
                self._seen = {name: check() for name, check in self._checks.items()}
                well = all(answer == "ok" for answer in self._seen.values())
                self._until = self._clock() + (FRESH_SECONDS if well else FRESH_SECONDS / 4)
            return self._seen


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"does not answer: {_first_line(error)}"
    return "ok"


def _broker() -> str:
    try:
        with current_app.connection_for_write(connect_timeout=WORKER_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=WORKER_SECONDS)
    except (OperationalError, OSError) as error:
        return f"does not answer: {_first_line(error)}"
    return "ok"


def _worker() -> str:
    try:
        answers = current_app.control.ping(timeout=WORKER_SECONDS, limit=1)
    except (OperationalError, OSError) as error:
        return f"cannot be asked: {_first_line(error)}"
    return "ok" if answers else "no worker answers"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


READINESS: Final = Readiness({"database": _database, "broker": _broker, "worker": _worker})
