"""Projects and their settings; the quality figures."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import quality, setup
from annotator.api.asked import ProjectShape
from annotator.api.base import View
from annotator.permissions import Right, open_to


class Projects(View):
    scopes: ClassVar = {"GET": "read", "POST": "manage"}

    @extend_schema(responses=ProjectShape(many=True), operation_id="projects_list")
    def get(self, request: Request) -> Response:
        """The projects that you are in."""
        return self.page(request, open_to(self.person), lambda found: list(ProjectShape(found, many=True).data))

    @extend_schema(request=ProjectShape, responses={201: ProjectShape})
    def post(self, request: Request) -> Response:
        """Create a project; you become its manager."""
        if not self.person.is_staff:
            raise PermissionDenied("Only those who run the installation create projects.")
        shape = ProjectShape(data=request.data)
        shape.is_valid(raise_exception=True)
        fields = dict(shape.validated_data)
        project = setup.create_project(fields.pop("slug"), fields.pop("name"), self.person, **fields)
        return Response(ProjectShape(project).data, status=201)


class ProjectDetail(View):
    scopes: ClassVar = {"GET": "read", "PATCH": "manage"}

    @extend_schema(responses=ProjectShape)
    def get(self, request: Request, slug: str) -> Response:
        """One project and its settings."""
        return Response(ProjectShape(self.project(slug, Right.VIEW)).data)

    @extend_schema(request=ProjectShape(partial=True), responses=ProjectShape)
    def patch(self, request: Request, slug: str) -> Response:
        """Change settings; those not named stay. A new threshold or overlap starts a route run, the newest of them."""
        project = self.project(slug, Right.MANAGE)
        shape = ProjectShape(project, data=request.data, partial=True)
        shape.is_valid(raise_exception=True)
        setup.change_project(project, self.person, shape.validated_data)
        return Response(ProjectShape(project).data)


class Quality(View):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """Every figure of the dashboards: by name its question, its answer in words, values, table and chart."""
        return Response(quality.everything(self.project(slug, Right.VIEW)))
