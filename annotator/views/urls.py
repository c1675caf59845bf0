"""Addresses of the pages."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, re_path

from annotator.views import (
    account,
    adjudicate,
    endpoints,
    intake,
    label,
    people,
    project,
    projects,
    quality,
    runs,
    settings,
    solutions,
    tokens,
)


def not_built(request: HttpRequest, **_: str) -> HttpResponse:
    """Stands in for pages that are being written; none is left at the end."""
    raise Http404("not built yet")


urlpatterns = [
    path("login/", account.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", account.ChangePassword.as_view(), name="password"),
    path("", projects.projects, name="projects"),
    path("projects/<slug:slug>/label/", label.page, name="label"),
    path("projects/<slug:slug>/label/claim/", label.claim, name="label_claim"),
    path("projects/<slug:slug>/label/<str:code>/submit/", label.submit, name="label_submit"),
    path("projects/<slug:slug>/label/<str:code>/draft/", label.draft, name="label_draft"),
    path("projects/<slug:slug>/label/<str:code>/renew/", label.renew, name="label_renew"),
    path("projects/<slug:slug>/label/<str:code>/skip/", label.skip, name="label_skip"),
    path("projects/<slug:slug>/label/<str:code>/evidence/<int:index>/", label.evidence, name="label_evidence"),
    path("projects/<slug:slug>/disagreements/", adjudicate.page, name="disagreements"),
    path("projects/<slug:slug>/disagreements/<str:code>/", adjudicate.one, name="disagreement"),
    path("projects/<slug:slug>/exports/", not_built, name="exports"),
    path("projects/new/", projects.new_project, name="new_project"),
    path("projects/<slug:slug>/", project.project, name="project"),
    path("projects/<slug:slug>/settings/", settings.project_settings, name="project_settings"),
    path("projects/<slug:slug>/settings/archive/", settings.archive, name="archive"),
    path("projects/<slug:slug>/people/", people.project_people, name="project_people"),
    path("projects/<slug:slug>/people/<str:username>/", people.change_member, name="change_member"),
    path("projects/<slug:slug>/people/<str:username>/password/", people.reset_member, name="reset_member"),
    path("projects/<slug:slug>/intake/", intake.intakes, name="intakes"),
    path("projects/<slug:slug>/intake/upload/", intake.upload, name="upload"),
    path("projects/<slug:slug>/intake/look/", intake.look, name="look"),
    path("projects/<slug:slug>/intake/<str:code>/", intake.intake, name="intake"),
    path("projects/<slug:slug>/intake/<str:code>/refused.csv", intake.refusals_csv, name="refusals_csv"),
    path("projects/<slug:slug>/intake/<str:code>/withdraw/", intake.withdraw, name="withdraw"),
    path("projects/<slug:slug>/solutions/", solutions.solutions, name="solutions"),
    path("projects/<slug:slug>/solutions/<str:code>/", solutions.solution, name="solution"),
    path("projects/<slug:slug>/runs/", runs.runs, name="runs"),
    path("projects/<slug:slug>/runs/new/", runs.new_run, name="new_run"),
    path("projects/<slug:slug>/runs/start/", runs.start_run, name="start_run"),
    path("projects/<slug:slug>/runs/<str:code>/", runs.run, name="run"),
    re_path(
        "^projects/(?P<slug>[-\\w]+)/runs/(?P<code>[^/]+)/(?P<act>pause|resume|cancel)/$",
        runs.change_run,
        name="change_run",
    ),
    path("projects/<slug:slug>/quality/", quality.quality, name="quality"),
    path("projects/<slug:slug>/quality/<str:name>.csv", quality.quality_csv, name="quality_csv"),
    path("endpoints/", endpoints.endpoints, name="endpoints"),
    path("endpoints/new/", endpoints.new_endpoint, name="new_endpoint"),
    path("endpoints/<str:code>/", endpoints.endpoint, name="endpoint"),
    path("endpoints/<str:code>/ask/", endpoints.ask_endpoint, name="ask_endpoint"),
    path("endpoints/<str:code>/test/", endpoints.endpoint_test, name="endpoint_test"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", tokens.revoke_token, name="revoke_token"),
    path("people/", people.people, name="people"),
    path("people/<str:username>/", people.change_person, name="change_person"),
]
