"""Claim, renew, release, submit: labelling by programs."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import beliefs, queue, reviews
from annotator.api.asked import SubmitRequest
from annotator.api.base import View
from annotator.api.shapes import AnnotationShape, ClaimShape, LeaseShape
from annotator.errors import Invalid
from annotator.models import Assignment, FinishReason, Rater
from annotator.permissions import Right
from reasoning.types import NO_ERROR

RETRY_AFTER: Final = "30"
"""Seconds until it makes sense to ask an empty queue again."""
LONGEST_KEY: Final = 200


IDEMPOTENCY_KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": LONGEST_KEY},
    OpenApiParameter.HEADER,
    description="The same key with another body is refused",
)


def shown(assignment: Assignment) -> dict[str, Any]:
    solution = beliefs.solution_value(assignment.solution)
    asked = set(assignment.asked)
    return {
        "assignment": assignment.code,
        "lease_until": assignment.lease_until,
        "problem": solution.problem.statement,
        "answer": solution.problem.answer,
        "solution": assignment.solution.code,
        "returned": reviews.returned_because(assignment),
        "steps": [{"index": step.index, "text": step.text, "asked": step.index in asked} for step in solution.steps],
    }


class Claim(View):
    scopes: ClassVar = {"POST": "label"}

    @extend_schema(
        request=None,
        responses={200: ClaimShape, 204: OpenApiResponse(description="Nothing is free; see Retry-After")},
    )
    def post(self, request: Request, slug: str) -> Response:
        """The right to label one solution until the lease ends; never one that you hold or did.

        Work of yours that a reviewer returned comes first, until you hand it in or release it.
        """
        project = self.project(slug, Right.LABEL)
        assignment = queue.claim(project, self.person.work_as())
        if assignment is None:
            return Response(status=204, headers={"Retry-After": RETRY_AFTER})
        return Response(shown(assignment))


class _OfAssignment(View):
    scopes: ClassVar = {"POST": "label"}

    def rater(self, code: str) -> Rater:
        """The person's rater. 404 where the assignment is not theirs, 403 where they may not label any more."""
        rater = self.person.work_as()
        self.project(queue.find(code, rater).solution.project.slug, Right.LABEL)
        return rater


class Renew(_OfAssignment):
    @extend_schema(request=None, responses=LeaseShape)
    def post(self, request: Request, code: str) -> Response:
        """Begin the lease anew. 409 where it went to somebody else."""
        assignment = queue.renew(code, self.rater(code))
        return Response({"assignment": assignment.code, "lease_until": assignment.lease_until})


class Release(_OfAssignment):
    @extend_schema(request=None, responses=LeaseShape)
    def post(self, request: Request, code: str) -> Response:
        """Give it back; it is free for others. 409 where it went to somebody else."""
        queue.release(code, self.rater(code))
        return Response({"assignment": code})


class Submit(_OfAssignment):
    @extend_schema(
        request=SubmitRequest,
        parameters=[IDEMPOTENCY_KEY],
        responses={200: AnnotationShape, 201: AnnotationShape},
    )
    def post(self, request: Request, code: str) -> Response:
        """Hand the work in: every asked step up to the first −1 must be rated.

        201 the first time, 200 with the same answer again. 409 where the lease went to somebody else.
        """
        rater = self.rater(code)
        key = request.headers.get("Idempotency-Key") or None
        if key is not None and len(key) > LONGEST_KEY:
            raise Invalid("Idempotency-Key", f"is longer than {LONGEST_KEY} characters")
        submission = queue.read_submission(request.data)
        annotation, created = queue.submit(code, rater, submission, key=key)
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
