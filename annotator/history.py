"""What happened to one solution, and when: who or what looked at it, where it was sent, how it was settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from annotator.models import Annotation, Judgement, Person, Rater, Review, Rollout, Routing, Settlement, Solution


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the history."""

    at: datetime
    who: str
    what: str
    detail: str = ""
    current: bool = True
    sways: bool = False
    """Does it tell what somebody thought of the steps?"""


def _beginning(solution: Solution) -> Happening:
    if solution.forked_from is None:
        return Happening(solution.created_at, "intake", "read in", str(solution.intake or ""))
    where = f"after step {solution.forked_at}" if solution.forked_at else "before its first step"
    return Happening(solution.created_at, "search", "made of a wrong rollout", f"off {solution.forked_from} {where}")


def history_of(
    solution: Solution,
    routings: Iterable[Routing],
    settlements: Iterable[Settlement],
    annotations: Iterable[Annotation],
    judgements: Iterable[Judgement],
) -> list[Happening]:
    """Newest first."""
    lines = [_beginning(solution)]
    rollouts: dict[str, list[datetime]] = defaultdict(list)
    for model, at in Rollout.objects.filter(solution=solution).order_by("pk").values_list("model", "created_at"):
        rollouts[model].append(at)
    lines += [Happening(times[-1], model, f"{len(times)} rollouts") for model, times in rollouts.items()]
    lines += [Happening(one.created_at, one.model, "judged", _place(one.first_error), sways=True) for one in judgements]
    for routing in routings:
        where = {"machine": "labelled by machines", "people": "sent to people", "audit": "drawn for audit"}
        what = where.get(routing.destination, routing.destination)
        lines.append(Happening(routing.created_at, "routing", what, routing.reason, routing.superseded_at is None))
    for done in annotations:
        detail = " · ".join(filter(None, (done.get_finish_reason_display(), done.comment)))
        lines.append(Happening(done.created_at, name_of(done), "read it", detail, done.superseded_at is None, True))
    for review in Review.objects.filter(annotation__solution=solution).select_related("reviewer__person"):
        what = "accepted what was read" if review.accepted else "returned what was read"
        lines.append(Happening(review.created_at, _called(review.reviewer), what, review.comment, sways=True))
    for settled in settlements:
        source = f"{settled.source}, provisional" if settled.provisional else settled.source
        source += ", by a majority answer" if settled.stand_in_id else ""
        what = f"settled: {_place(settled.first_error)}"
        lines.append(Happening(settled.created_at, source, what, "", settled.superseded_at is None, True))
    return sorted(lines, key=lambda line: line.at, reverse=True)


def name_of(annotation: Annotation) -> str:
    """Who made it."""
    return _called(annotation.rater)


def _called(rater: Rater) -> str:
    """The account's name, or the rater's code where the account was cut off."""
    person: Person | None = getattr(rater, "person", None)
    return person.get_username() if person else str(rater)


def _place(first_error: int | None) -> str:
    if first_error is None:
        return "first error left open"
    return "no error" if first_error < 0 else f"first error at step {first_error + 1}"
