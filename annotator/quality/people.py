"""Who has read how much, how fast, and how often do they stand with what was settled?"""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import Any

from django.db.models import Count, Q

from annotator.models import FinishReason, Project, Rater, Rating, Settlement, Solution, Source
from annotator.quality.figures import Figure, count, percent, ratio
from annotator.quality.readings import Reading, readings


def settled_by_others(project: Project) -> dict[int, int]:
    """Solution → settled first error, where more than one voice settled it: one person alone always agrees with
    themselves."""
    live = Solution.objects.live().filter(project=project)
    current = Settlement.objects.filter(solution__in=live, superseded_at=None).exclude(first_error=None)
    voices = current.exclude(source=Source.MACHINE).annotate(voices=Count("annotations"))
    sure = voices.filter(Q(source__in=(Source.ADJUDICATED, Source.GOLD, Source.IMPORTED)) | Q(voices__gte=2))
    rows = sure.values_list("solution", "first_error")
    return {solution: first_error for solution, first_error in rows if first_error is not None}


def names(raters: set[int]) -> dict[int, str]:
    """The account's name, or the rater's code where the account was cut off."""
    rows = Rater.objects.filter(pk__in=raters).values_list("pk", "person__username", "code")
    return {pk: username or f"rater {code}" for pk, username, code in rows}


def _unsure(annotations: list[int]) -> dict[int, tuple[int, int]]:
    """Annotation → (ratings, of which unsure)."""
    rows = Rating.objects.filter(annotation__in=annotations).values_list("annotation")
    counted = rows.annotate(Count("pk"), unsure=Count("pk", filter=Q(rating="unsure")))
    return {annotation: (total, unsure) for annotation, total, unsure in counted}


def _one(made: list[Reading], settled: dict[int, int], unsure: dict[int, tuple[int, int]]) -> dict[str, Any]:
    compared = [one for one in made if one.first_error is not None and one.solution in settled]
    same = sum(one.first_error == settled[one.solution] for one in compared)
    ratings = [unsure.get(one.annotation, (0, 0)) for one in made]
    ends = Counter(one.finish_reason for one in made)
    timed = [one.seconds for one in made if one.seconds > 0]
    return {
        "annotations": len(made),
        "median_seconds": median(timed) if timed else None,
        "compared": len(compared),
        "agreement": ratio(same, len(compared)),
        "share_unsure": ratio(sum(u for _, u in ratings), sum(t for t, _ in ratings)),
        "share_no_error": ratio(ends[FinishReason.SOLUTION], len(made)),
        "share_given_up": ratio(ends[FinishReason.GIVE_UP], len(made)),
    }


def _answer(people: list[dict[str, Any]], made: list[Reading]) -> str:
    if not people:
        return "Nobody has read anything yet."
    timed = [one.seconds for one in made if one.seconds > 0]
    pace = f", {median(timed):.0f} seconds each in the median" if timed else ""
    return f"{count(len(people), 'person', 'people')} submitted {count(len(made), 'annotation')}{pace}."


def figure(project: Project) -> Figure:
    made = [one for one in readings(project) if one.purpose != "adjudication"]
    by_rater: dict[int, list[Reading]] = defaultdict(list)
    for one in made:
        by_rater[one.rater].append(one)
    settled, unsure = settled_by_others(project), _unsure([one.annotation for one in made])
    called = names(set(by_rater))
    people = [{"name": called[rater], **_one(mine, settled, unsure)} for rater, mine in by_rater.items()]
    people.sort(key=lambda one: (-one["annotations"], one["name"]))
    return {
        "question": "Who has read how much, and how well?",
        "answer": _answer(people, made),
        "values": {"people": people},
        "table": {
            "columns": [
                "person",
                "annotations",
                "median seconds",
                "agree with settled",
                "of",
                "unsure",
                "no error",
                "gave up",
            ],
            "rows": [
                [
                    one["name"],
                    one["annotations"],
                    "–" if one["median_seconds"] is None else f"{one['median_seconds']:.0f}",
                    percent(one["agreement"]),
                    one["compared"],
                    percent(one["share_unsure"]),
                    percent(one["share_no_error"]),
                    percent(one["share_given_up"]),
                ]
                for one in people
            ],
        },
        "chart": None,
    }
