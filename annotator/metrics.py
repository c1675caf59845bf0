"""What Prometheus may read of this process, and of the queue of work in the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from django.db import DatabaseError
from django.db.models import Count
from django.http import HttpRequest, HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

REQUESTS: Final = Counter(
    "stepwise_http_requests", "Answered requests", ["method", "view", "status"], registry=REGISTRY
)
SECONDS: Final = Histogram(
    "stepwise_http_seconds",
    "Time to answer a request",
    ["method", "view"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)


class RequestMetrics:
    """Middleware that counts and times requests by the name of their view, never by their path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begin = time.perf_counter()
        response = self.get_response(request)
        view = request.resolver_match.view_name if request.resolver_match else "none"
        method = request.method if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else "other"
        REQUESTS.labels(method, view, response.status_code).inc()
        SECONDS.labels(method, view).observe(time.perf_counter() - begin)
        return response


class Work(Collector):
    """Counts of what waits in the database, read when asked for."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        from annotator.models import Assignment, Run, Slot

        for name, model, text in (
            ("stepwise_slots", Slot, "Slots for annotations by state"),
            ("stepwise_assignments", Assignment, "Assignments by state"),
            ("stepwise_runs", Run, "Runs by state"),
        ):
            family = GaugeMetricFamily(name, text, labels=["state"])
            try:
                rows = list(model._default_manager.values_list("state").annotate(Count("pk")))
            except DatabaseError:
                continue  # /readyz says that the database is gone; the process's own figures are still worth having
            for state, count in rows:
                family.add_metric([state], count)
            yield family


REGISTRY.register(Work())
