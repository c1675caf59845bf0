"""The pairs of steps of a snapshot, each with the solution whose step is the rejected one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Exists, OuterRef

from annotator.exports.items import BATCH, Item, Pair, Settled, items, majority_of, solutions_of
from annotator.lineage import heirs_of
from annotator.models import Preference, Project, Rollout, StandIn
from reasoning.characters import unescape


def pairs(project: Project, cutoff: datetime, *, texts: bool, looks: bool = False) -> Iterator[Item]:
    """All of them by the order in which they were found, of solutions that were live at the cutoff."""
    rows = Preference.objects.filter(solution__in=solutions_of(project, cutoff).order_by(), created_at__lte=cutoff)
    gone = StandIn.objects.filter(pk=OuterRef("stand_in"), superseded_at__lte=cutoff)
    rows = rows.filter(~Exists(gone)).select_related("stand_in")
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        of = {item.pk: item for item in items(project, cutoff, texts=texts, only={row.solution_id for row in batch})}
        rests = _rests(batch, cutoff) if texts else {}
        for row in batch:
            found = of[row.solution_id]
            yield replace(found, settled=_settled(found, row), pair=_pair(row, rests.get(row.pk, "")))


def _pair(row: Preference, rest: str) -> Pair:
    return Pair(row.prefix, unescape(row.chosen), unescape(row.rejected), rest)


def _settled(item: Item, row: Preference) -> Settled:
    """What confirms the pair, or contradicts it: its solution's labels; without those it is a machine's belief."""
    elected = majority_of(row.stand_in)
    if item.settled is not None:
        simulated, majority = item.settled.simulated or row.simulated, item.settled.majority or elected
        return replace(item.settled, simulated=simulated, majority=majority)
    return Settled("machine", True, row.prefix, "", row.simulated, {}, elected)


def _rests(batch: Sequence[Preference], cutoff: datetime) -> Mapping[int, str]:
    """By pair: the first right rollout that goes on with the chosen step, whole."""
    holders: dict[int, dict[int, int]] = defaultdict(dict)
    for ancestor, heirs in heirs_of({row.solution_id for row in batch}).items():
        for fork, through in heirs:
            holders[fork][ancestor] = through
    wanted: dict[tuple[int, int], list[Preference]] = defaultdict(list)
    for row in batch:
        shared = [holder for holder, through in holders[row.solution_id].items() if row.prefix <= through]
        for holder in (row.solution_id, *shared):
            wanted[holder, row.prefix].append(row)
    drawn = Rollout.objects.filter(
        solution__in={holder for holder, _ in wanted},
        prefix__in={prefix for _, prefix in wanted},
        created_at__lte=cutoff,
        grades__verdict="right",
        grades__stand_in=None,
        grades__created_at__lte=cutoff,
    )
    found: dict[int, str] = {}
    for holder, prefix, text in drawn.order_by("pk").values_list("solution_id", "prefix", "text"):
        whole = unescape(text).strip()
        for row in wanted.get((holder, prefix), ()):
            if row.pk not in found and whole.startswith(unescape(row.chosen)):
                found[row.pk] = whole
    return found
