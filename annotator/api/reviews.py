"""What people handed in, read and reviewed by a second person."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import reviews, settlement, sightings
from annotator.api.asked import ReviewRequest
from annotator.api.base import View
from annotator.api.shapes import ReviewableShape, ReviewShape
from annotator.errors import Conflict
from annotator.models import Annotation, Review, Solution
from annotator.permissions import Right
from reasoning.characters import unescape


def _review(review: Review) -> dict[str, Any]:
    return {"accepted": review.accepted, "comment": unescape(review.comment), "created_at": review.created_at}


def _shown(found: reviews.Reviewable) -> dict[str, Any]:
    row = found.annotation
    return {
        "code": row.code,
        "rater": row.rater.code,
        "purpose": row.purpose,
        "finish_reason": row.finish_reason,
        "blind": row.blind,
        "comment": unescape(row.comment),
        "ratings": [
            {
                "index": each.index,
                "rating": each.rating if each.rating == "unsure" else int(each.rating),
                "reason": unescape(each.reason),
                "correction": unescape(each.correction),
            }
            for each in row.rating_rows.all()
        ],
        "reviews": [_review(review) for review in found.reviews],
    }


class Annotations(View):
    scopes: ClassVar = {"GET": "read"}
    pagination_class = None  # as many as people read one solution

    @extend_schema(responses=ReviewableShape(many=True), operation_id="annotations_list")
    def get(self, request: Request, code: str) -> Response:
        """What people handed in on a solution, as it counts now. 409 while you are at work on the solution."""
        solution = self.owned(Solution.objects.select_related("project"), code, Right.REVIEW)
        if words := sightings.at_work(self.person, solution):
            raise Conflict(words)
        work = reviews.standing(solution, self.person.work_as())
        if work:
            sightings.note(self.person, [solution])
        return Response([_shown(found) for found in work])


class AnnotationReview(View):
    scopes: ClassVar = {"POST": "label"}

    @extend_schema(request=ReviewRequest, responses={201: ReviewShape})
    def post(self, request: Request, code: str) -> Response:
        """Accept somebody's work, or return it to them with a comment: it is then the first that they are given.

        409 where you reviewed it, where it was returned or superseded, or an expert has settled the solution.
        """
        rows = Annotation.objects.select_related("solution__project")
        annotation = self.owned(rows, code, Right.REVIEW, "solution.project")
        shape = ReviewRequest(data=request.data)
        shape.is_valid(raise_exception=True)
        return Response(
            _review(settlement.review(annotation, self.person.work_as(), **shape.validated_data)), status=201
        )
