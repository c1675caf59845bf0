"""What a person hands in: its values, what is refused of it, and its rows."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from django.db.models import Q
from django.utils import timezone

from annotator.errors import Invalid
from annotator.models import Annotation, Assignment, FinishReason, Rater, Rating, Solution
from annotator.models.work import RATINGS
from reasoning.characters import escape

BAD: Final = "-1"
ADJUDICATION: Final = "adjudication"
LONGEST: Final = 10**9
"""Seconds; what JSON can write is more than a float can hold."""
_DECIDES: Final = (FinishReason.FOUND_ERROR, FinishReason.SOLUTION)


@dataclass(frozen=True, slots=True)
class RatingInput:
    index: int
    rating: str
    """"-1", "0", "1" or "unsure"."""
    reason: str = ""
    correction: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    ratings: tuple[RatingInput, ...]
    finish_reason: str
    comment: str = ""
    seconds: float = 0.0

    def hash(self) -> str:
        """The same for the same content, whatever order the ratings came in."""
        content = asdict(self) | {"ratings": sorted(tuple(asdict(each).values()) for each in self.ratings)}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_submission(body: object) -> Submission:
    """A submission as the API and the page send it: ratings are −1, 0, 1 or "unsure".

    Raises Invalid with the path of the first field that has the wrong type; `check` does the rest.
    """
    if not isinstance(body, Mapping):
        raise Invalid("body", "must be an object")
    ratings = body.get("ratings")
    if not isinstance(ratings, list | tuple):
        raise Invalid("ratings", "must be a list")
    seconds = body.get("seconds", 0.0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise Invalid("seconds", "must be a number")
    if seconds > LONGEST:
        raise Invalid("seconds", f"must be at most {LONGEST:,}")
    return Submission(
        tuple(_read_rating(each, f"ratings[{number}]") for number, each in enumerate(ratings)),
        _read_text(body, "finish_reason", "finish_reason"),
        _read_text(body, "comment", "comment"),
        float(seconds),
    )


def _read_rating(each: object, path: str) -> RatingInput:
    if not isinstance(each, Mapping):
        raise Invalid(path, "must be an object")
    index, rating = each.get("index"), each.get("rating")
    if isinstance(index, bool) or not isinstance(index, int):
        raise Invalid(f"{path}.index", "must be the step's index, from 0")
    if isinstance(rating, bool) or str(rating) not in RATINGS:
        raise Invalid(f"{path}.rating", 'must be -1, 0, 1 or "unsure"')
    reason = _read_text(each, "reason", f"{path}.reason")
    return RatingInput(index, str(rating), reason, _read_text(each, "correction", f"{path}.correction"))


def _read_text(body: Mapping[str, object], name: str, path: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise Invalid(path, "must be a text")
    return value


def check(submission: Submission, steps: int, asked: Collection[int]) -> None:
    """Raises Invalid, naming the field, for what cannot be a reading of a solution of `steps` steps.

    Every asked step up to the first −1 must be rated; who gives up or finds the problem faulty may leave some out.
    """
    if submission.finish_reason not in FinishReason.values:
        raise Invalid("finish_reason", f"must be one of {', '.join(FinishReason.values)}")
    if not (math.isfinite(submission.seconds) and submission.seconds >= 0):
        raise Invalid("seconds", "must be 0 or more")
    rated: dict[int, str] = {}
    for number, each in enumerate(submission.ratings):
        if not 0 <= each.index < steps:
            raise Invalid(
                f"ratings[{number}].index", f"the solution has no step {each.index}: they run 0 … {steps - 1}"
            )
        if each.index in rated:
            raise Invalid(f"ratings[{number}].index", f"step {each.index} is rated twice")
        if each.rating not in RATINGS:
            raise Invalid(f"ratings[{number}].rating", 'must be -1, 0, 1 or "unsure"')
        rated[each.index] = each.rating
    first_error = min((index for index, rating in rated.items() if rating == BAD), default=None)
    if submission.finish_reason == FinishReason.FOUND_ERROR and first_error is None:
        raise Invalid("finish_reason", "found_error needs a step rated -1")
    if submission.finish_reason == FinishReason.SOLUTION and first_error is not None:
        raise Invalid("finish_reason", f"solution says that no step is wrong, but step {first_error} is rated -1")
    if submission.finish_reason in _DECIDES:
        end = steps if first_error is None else first_error
        missing = sorted(index for index in asked if index < end and index not in rated)
        if missing:
            raise Invalid("ratings", f"{_listed(missing)} asked and not rated")


def _listed(indices: list[int]) -> str:
    if len(indices) == 1:
        return f"step {indices[0]} is"
    return f"steps {', '.join(map(str, indices))} are"


def store(
    submission: Submission,
    *,
    solution: Solution,
    rater: Rater,
    purpose: str,
    blind: bool,
    assignment: Assignment | None = None,
    key: str | None = None,
    body_hash: str = "",
) -> Annotation:
    """Write the annotation and its ratings; what the rater had handed in before on this solution is superseded."""
    earlier = Annotation.objects.filter(Q(solution=solution) & Q(rater=rater) & Q(superseded_at=None))
    earlier.update(superseded_at=timezone.now())
    annotation = Annotation.objects.create(
        assignment=assignment,
        solution=solution,
        rater=rater,
        purpose=purpose,
        finish_reason=submission.finish_reason,
        comment=escape(submission.comment),
        seconds=submission.seconds,
        blind=blind,
        idempotency_key=key,
        body_hash=body_hash or submission.hash(),
    )
    Rating.objects.bulk_create(
        Rating(
            annotation=annotation,
            solution=solution,
            index=each.index,
            rating=each.rating,
            reason=escape(each.reason),
            correction=escape(each.correction),
        )
        for each in submission.ratings
    )
    return annotation
