"""Addresses of the API."""

from __future__ import annotations

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from annotator.api import exports, fits, intakes, preferences, projects, references, reviews, runs, solutions, work
from annotator.api.problems import not_found

# Swagger UI brings a <style> element of its own; scripts stay from files, as everywhere.
_docs = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(SpectacularSwaggerSplitView.as_view(url_name="schema"))

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", _docs, name="api_docs"),
    path("v1/projects/", projects.Projects.as_view()),
    path("v1/projects/<slug:slug>/", projects.ProjectDetail.as_view()),
    path("v1/projects/<slug:slug>/quality/", projects.Quality.as_view()),
    path("v1/projects/<slug:slug>/intake/", intakes.Intakes.as_view()),
    path("v1/intakes/<str:code>/", intakes.IntakeDetail.as_view()),
    path("v1/intakes/<str:code>/withdraw/", intakes.IntakeWithdrawal.as_view()),
    path("v1/projects/<slug:slug>/runs/", runs.Runs.as_view()),
    path("v1/projects/<slug:slug>/runs/estimate/", runs.RunEstimate.as_view()),
    path("v1/projects/<slug:slug>/fits/", fits.Fits.as_view()),
    path("v1/fits/<str:code>/", fits.FitDetail.as_view()),
    path("v1/runs/<str:code>/", runs.RunDetail.as_view()),
    re_path(r"^v1/runs/(?P<code>[^/]+)/(?P<move>pause|resume|cancel)/$", runs.RunMove.as_view()),
    path("v1/projects/<slug:slug>/claim/", work.Claim.as_view()),
    path("v1/assignments/<str:code>/renew/", work.Renew.as_view()),
    path("v1/assignments/<str:code>/release/", work.Release.as_view()),
    path("v1/assignments/<str:code>/submit/", work.Submit.as_view()),
    path("v1/solutions/<str:code>/annotations/", reviews.Annotations.as_view()),
    path("v1/annotations/<str:code>/review/", reviews.AnnotationReview.as_view()),
    path("v1/projects/<slug:slug>/solutions/", solutions.Solutions.as_view()),
    path("v1/problems/<str:code>/", references.ProblemDetail.as_view()),
    path("v1/solutions/<str:code>/", solutions.SolutionDetail.as_view()),
    path("v1/projects/<slug:slug>/preferences/", preferences.Preferences.as_view()),
    path("v1/projects/<slug:slug>/exports/", exports.Exports.as_view()),
    path("v1/exports/<str:code>/", exports.ExportDetail.as_view()),
    path("v1/exports/<str:code>/files/<str:name>", exports.ExportFileDetail.as_view(), name="export_file"),
    re_path("", not_found),
]
