"""All addresses: health, API, pages."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from annotator import health
from annotator.api import problems

handler400 = problems.bad_request
handler500 = problems.server_error

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/", include("annotator.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("annotator.views.urls")),
]
