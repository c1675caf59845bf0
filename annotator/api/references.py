"""The reference answer of a problem."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import stand_ins
from annotator.api.asked import AnswerRequest
from annotator.api.base import View
from annotator.api.shapes import ProblemRowShape
from annotator.models import Problem
from annotator.permissions import Right
from reasoning.characters import unescape


def shown(problem: Problem) -> dict[str, Any]:
    answer = None if problem.answer is None else unescape(problem.answer)
    return {"code": problem.code, "statement": unescape(problem.statement), "answer": answer}


class ProblemDetail(View):
    scopes: ClassVar = {"GET": "read", "PATCH": "manage"}

    @extend_schema(responses=ProblemRowShape)
    def get(self, request: Request, code: str) -> Response:
        """A problem, with its reference answer where one is known; no majority answer is one."""
        return Response(shown(self.owned(Problem.objects.select_related("project"), code, Right.VIEW)))

    @extend_schema(request=AnswerRequest, responses=ProblemRowShape)
    def patch(self, request: Request, code: str) -> Response:
        """Give or correct the reference answer. What was graded otherwise is graded anew and decided again."""
        problem = self.owned(Problem.objects.select_related("project"), code, Right.MANAGE)
        asked = AnswerRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(shown(stand_ins.give_answer(problem, asked.validated_data["answer"], self.person)))
