"""How far is the project, and by whose hand?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from annotator.models import Annotation, Project, Settlement, Solution, SolutionStatus, Source
from annotator.quality.figures import Figure, count, percent, ratio

PEOPLE: Final = (Source.HUMAN, Source.ADJUDICATED, Source.GOLD)
HANDS: Final = {"people": PEOPLE, "machines": (Source.MACHINE,), "imported": (Source.IMPORTED,)}
TONES: Final = {"people": "accent", "machines": "good", "imported": "muted"}


def by_status(projects: Iterable[Project]) -> dict[int, Counter[str]]:
    """Live solutions by status, for many projects in one query."""
    found: dict[int, Counter[str]] = {project.pk: Counter() for project in projects}
    rows = Solution.objects.live().filter(project__in=list(found)).values_list("project", "status")
    for project, status, number in rows.annotate(Count("pk")):
        found[project][status] = number
    return found


def _current(project: Project) -> Any:
    live = Solution.objects.live().filter(project=project)
    return Settlement.objects.filter(solution__in=live, superseded_at=None)


def settled_by_day(project: Project) -> dict[date, Counter[str]]:
    """Current settlements by the day they were made and by hand (people, machines, imported)."""
    hands = {source: hand for hand, sources in HANDS.items() for source in sources}
    days: dict[date, Counter[str]] = {}
    rows = _current(project).annotate(day=TruncDate("created_at", tzinfo=UTC)).values_list("day", "source")
    for day, source, number in rows.annotate(Count("pk")).order_by("day"):
        days.setdefault(day, Counter())[hands[source]] += number
    return days


def throughput(project: Project, days: int = 14) -> list[tuple[date, int]]:
    """Solutions that people read on each of the last `days` days, today included, oldest first."""
    today = timezone.now().astimezone(UTC).date()
    first = today - timedelta(days=days - 1)
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    made = Annotation.objects.filter(solution__project=project, created_at__gte=begin)
    rows = made.annotate(day=TruncDate("created_at", tzinfo=UTC)).values_list("day").annotate(Count("pk"))
    found: dict[date, int] = dict(rows.order_by("day"))
    return [(day, found.get(day, 0)) for day in (first + timedelta(days=i) for i in range(days))]


def _answer(total: int, hands: Counter[str], statuses: Counter[str]) -> str:
    if not total:
        return "There are no solutions yet."
    done = hands.total()
    said = [f"{hands[hand]:,} {words}" for hand, words in _BY.items() if hands[hand]]
    parts = f": {', '.join(said)}" if said else ""
    left = [
        f"{count(statuses[status], 'waits', 'wait')} {words}" for status, words in _WAITING.items() if statuses[status]
    ]
    rest = f" {', '.join(left)}." if left else " Nothing waits."
    return f"{done:,} of {count(total, 'solution')} are labelled ({percent(done / total)}){parts}.{rest}"


_BY: Final = {"people": "by people", "machines": "by machines", "imported": "came with their labels"}
_WAITING: Final = {
    SolutionStatus.NEW: "for a machine to look",
    SolutionStatus.QUEUED: "for people",
    SolutionStatus.DISPUTED: "for an expert, for people disagree",
}


def figure(project: Project) -> Figure:
    statuses = by_status([project])[project.pk]
    days = settled_by_day(project)
    hands: Counter[str] = sum(days.values(), Counter())
    provisional = _current(project).filter(provisional=True).count()
    total = statuses.total()
    running: Counter[str] = Counter()
    sums = {day: running.copy() for day, made in days.items() if running.update(made) is None}
    return {
        "question": "How far is the project?",
        "answer": _answer(total, hands, statuses),
        "values": {
            "solutions": total,
            "by_status": {status: statuses[status] for status in SolutionStatus.values},
            "by_hand": {hand: hands[hand] for hand in HANDS},
            "provisional": provisional,
            "share_labelled": ratio(hands.total(), total),
        },
        "table": {
            "columns": ["day", *(f"by {hand}" if hand != "imported" else hand for hand in HANDS), "labelled so far"],
            "rows": [
                [day.isoformat(), *(made[hand] for hand in HANDS), sums[day].total()]
                for day, made in reversed(days.items())
            ],
        },
        "chart": {
            "x": [datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() for day in days],
            "time": True,
            "y_label": "labelled so far",
            "series": [
                {"label": hand, "tone": TONES[hand], "values": [sums[day][hand] for day in days]} for hand in HANDS
            ],
        }
        if days
        else None,
    }
