"""Claim, renew, release, submit: labelling by programs."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar, Final

import orjson
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import beliefs, queue
from annotator.api.base import View
from annotator.api.shapes import AnnotationShape, ClaimShape, LeaseShape, SubmitRequest
from annotator.errors import Invalid
from annotator.models import Assignment, FinishReason
from annotator.permissions import Right
from reasoning.types import NO_ERROR

RETRY_AFTER: Final = "30"
"""Seconds until it makes sense to ask an empty queue again."""


def shown(assignment: Assignment) -> dict[str, Any]:
    solution = beliefs.solution_value(assignment.solution)
    asked = set(assignment.asked)
    return {
        "assignment": assignment.code,
        "lease_until": assignment.lease_until,
        "problem": solution.problem.statement,
        "answer": solution.problem.answer,
        "solution": assignment.solution.code,
        "steps": [{"index": step.index, "text": step.text, "asked": step.index in asked} for step in solution.steps],
    }


class Claim(View):
    scopes: ClassVar = {"POST": "label"}

    @extend_schema(
        request=None,
        responses={200: ClaimShape, 204: OpenApiResponse(description="Nothing is free; see Retry-After")},
    )
    def post(self, request: Request, slug: str) -> Response:
        """The right to label one solution until the lease ends; never one that you hold or did."""
        project = self.project(slug, Right.LABEL)
        assignment = queue.claim(project, self.person.work_as())
        if assignment is None:
            return Response(status=204, headers={"Retry-After": RETRY_AFTER})
        return Response(shown(assignment))


class _OfAssignment(View):
    scopes: ClassVar = {"POST": "label"}

    def check(self, code: str) -> None:
        """404 where the person is not in the assignment's project (any more); whose it is, the queue knows."""
        row = Assignment.objects.select_related("solution__project").filter(code=code).first()
        self.project(row.solution.project.slug if row else "", Right.LABEL)


class Renew(_OfAssignment):
    @extend_schema(request=None, responses=LeaseShape)
    def post(self, request: Request, code: str) -> Response:
        self.check(code)
        assignment = queue.renew(code, self.person.work_as())
        return Response({"assignment": assignment.code, "lease_until": assignment.lease_until})


class Release(_OfAssignment):
    @extend_schema(request=None, responses=LeaseShape)
    def post(self, request: Request, code: str) -> Response:
        """Give it back; it is free for others."""
        self.check(code)
        queue.release(code, self.person.work_as())
        return Response({"assignment": code})


class Submit(_OfAssignment):
    @extend_schema(
        request=SubmitRequest,
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        responses={200: AnnotationShape, 201: AnnotationShape},
    )
    def post(self, request: Request, code: str) -> Response:
        """Hand the work in. 201 the first time, 200 with the same answer again."""
        self.check(code)
        key = request.headers.get("Idempotency-Key") or None
        if key is not None and len(key) > 200:
            raise Invalid("Idempotency-Key", "is longer than 200 characters")
        submission = queue.read_submission(request.data)
        canonical = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS)
        annotation, created = queue.submit(
            code, self.person.work_as(), submission, key=key, body_hash=hashlib.sha256(canonical).hexdigest()
        )
        body = {
            "annotation": annotation.code,
            "solution": annotation.solution.code,
            "first_error": _first_error(submission),
            "finish_reason": annotation.finish_reason,
        }
        return Response(body, status=201 if created else 200)


def _first_error(submission: queue.Submission) -> int | None:
    """The first step rated −1; −1 where the solution was found right, None where that was left open."""
    bad = [rating.index for rating in submission.ratings if rating.rating == "-1"]
    if bad:
        return min(bad)
    return NO_ERROR if submission.finish_reason == FinishReason.SOLUTION else None
