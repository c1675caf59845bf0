"""Addresses of the pages."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from annotator.views import account


def not_built(request: HttpRequest, **_: str) -> HttpResponse:
    """Stands in for pages that are being written; none is left at the end."""
    raise Http404("not built yet")


urlpatterns = [
    path("login/", account.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", account.ChangePassword.as_view(), name="password"),
    path("", not_built, name="projects"),
    path("projects/<slug:slug>/", not_built, name="project"),
    path("projects/<slug:slug>/label/", not_built, name="label"),
    path("projects/<slug:slug>/disagreements/", not_built, name="disagreements"),
    path("projects/<slug:slug>/solutions/", not_built, name="solutions"),
    path("projects/<slug:slug>/quality/", not_built, name="quality"),
    path("projects/<slug:slug>/exports/", not_built, name="exports"),
    path("projects/<slug:slug>/settings/", not_built, name="project_settings"),
]
