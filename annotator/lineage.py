"""Forks: solutions that a search let branch off others. What was rolled out before the branching is known of both.

The text up to the branching is one, so a rollout stored at an ancestor, after no more steps than the two share, is
evidence about the fork too. It is stored once; here is who it counts for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Final

from django.db import connection

from annotator.models import Selection, Solution

_ANCESTORS: Final = """
    WITH RECURSIVE line (fork, ancestor, through) AS (
        SELECT id, forked_from_id, forked_at FROM annotator_solution
        WHERE id = ANY(%s) AND forked_from_id IS NOT NULL
        UNION ALL
        SELECT line.fork, older.forked_from_id, least(line.through, older.forked_at)
        FROM line JOIN annotator_solution older ON older.id = line.ancestor
        WHERE older.forked_from_id IS NOT NULL
    )
    SELECT ancestor, fork, through FROM line ORDER BY ancestor, fork
"""

_FORKS: Final = """
    WITH RECURSIVE line (fork) AS (
        SELECT id FROM annotator_solution WHERE forked_from_id = ANY(%s)
        UNION
        SELECT younger.id FROM line JOIN annotator_solution younger ON younger.forked_from_id = line.fork
    )
    SELECT fork FROM line
"""

_KIN: Final = """
    WITH RECURSIVE line (solution, ancestor, parent) AS (
        SELECT id, id, forked_from_id FROM annotator_solution WHERE id = ANY(%s)
        UNION ALL
        SELECT line.solution, older.id, older.forked_from_id
        FROM line JOIN annotator_solution older ON older.id = line.parent
    ), tree (root, member) AS (
        SELECT DISTINCT ancestor, ancestor FROM line WHERE parent IS NULL
        UNION ALL
        SELECT tree.root, younger.id
        FROM tree JOIN annotator_solution younger ON younger.forked_from_id = tree.member
    )
    SELECT line.solution, tree.member FROM line JOIN tree ON tree.root = line.ancestor
    WHERE line.parent IS NULL AND tree.member <> line.solution ORDER BY 1, 2
"""


def heirs_of(solutions: Iterable[int]) -> dict[int, list[tuple[int, int]]]:
    """By ancestor: which of these solutions forked from it, at whatever remove, and how many steps they share.

    One query, however long the lines are.
    """
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_ANCESTORS, [list(solutions)])
        for ancestor, fork, through in cursor.fetchall():
            found[ancestor].append((fork, through))
    return found


def forks_of(solutions: Iterable[int]) -> set[int]:
    """All that forked from one of these, at whatever remove, withdrawn ones too: what is rolled out at these may be
    evidence about them. One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FORKS, [list(solutions)])
        return {fork for (fork,) in cursor.fetchall()}


def ancestors_of(solution: Solution) -> dict[int, int]:
    """How many steps it shares with each solution that it comes from, by key; none where it is no fork."""
    if solution.forked_from_id is None:
        return {}
    return {ancestor: through for ancestor, [(_, through)] in heirs_of([solution.pk]).items()}


def kin_of(solutions: Iterable[int]) -> dict[int, list[int]]:
    """By solution: all others of its tree, withdrawn ones too. They may begin alike, and what is said of one then says
    something of the other. One query.
    """
    found: dict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_KIN, [list(solutions)])
        for solution, other in cursor.fetchall():
            found[solution].append(other)
    return found


def origins_of(solutions: Iterable[int]) -> dict[int, int]:
    """By fork: the rollout that it is made of. How that one ended is the fork's own answer."""
    made = Selection.objects.filter(solution__in=list(solutions), rollout__isnull=False).order_by("-pk")
    return {solution: rollout for solution, rollout in made.values_list("solution_id", "rollout_id") if rollout}


def problem_key(solution: Solution) -> Hashable:
    """Whom it shares a solve rate with, as `posteriors` and planners take it.

    A fork shares with nobody: its rollouts are its ancestors' in part, and would tell of the problem twice.
    """
    return solution.problem_id if solution.forked_from_id is None else ("fork", solution.pk)
