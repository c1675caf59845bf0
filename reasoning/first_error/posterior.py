"""P(first error | evidence): one joint grid over (F, s, r) per chain, many chains at once.

`settled` is the part of the evidence that a planner never changes (prior, scores, shown answer, judges, people); counts
of rollouts come on top. Within a problem the chains share one solve rate s: each says how likely its own evidence is at
every s, and the product of what its siblings say is its prior.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import groupby
from typing import Final

import numpy as np

from reasoning.errors import InvalidInput
from reasoning.first_error.model import DEFAULTS, Confusion, Parameters
from reasoning.first_error.tables import ChainTable, Floats, Ints, Tables, logit, tables_for
from reasoning.types import NO_ERROR, Evidence, PersonRating, Posterior, Verdict

_CHUNK_CELLS: Final = 4_000_000
_FLOOR: Final = 1e-4
"""No judge and no rater is ever taken to exclude a step altogether."""


def posterior(evidence: Evidence, parameters: Parameters = DEFAULTS) -> Posterior:
    """P(F) of one solution. Raises InvalidInput for evidence that cannot be of a solution of that length."""
    return posteriors([evidence], parameters)[0]


def posteriors(
    evidence: Sequence[Evidence],
    parameters: Parameters = DEFAULTS,
    problems: Sequence[Hashable] | None = None,
    *,
    tables: Tables | None = None,
) -> list[Posterior]:
    """P(F) of many solutions, in order.

    `problems` names the problem of each; solutions of one problem share its solve rate. Without it each stands alone.
    `tables` are those of `parameters` unless others, on a finer grid say, are given.
    Raises InvalidInput for evidence that cannot be of a solution of its length.
    """
    tables = tables or tables_for(parameters)
    index = problem_index(evidence, problems)
    return mean_over_solve_rates(*by_solve_rate(evidence, parameters, tables, index), index)


def by_solve_rate(
    evidence: Sequence[Evidence], parameters: Parameters, tables: Tables, index: Ints
) -> tuple[Floats, list[Floats]]:
    """(problems, S) log P(s, all evidence of the problem), and of each chain (F, S) P(F | s, its evidence)."""
    shared: Floats = np.tile(tables.log_solve, (int(index.max(initial=-1)) + 1, 1))
    conditional: list[Floats] = [np.empty(0)] * len(evidence)
    for steps, chosen in by_length(evidence):
        per_chunk = max(1, _CHUNK_CELLS // ((steps + 1) * len(tables.s)))
        for start in range(0, len(chosen), per_chunk):
            chunk = chosen[start : start + per_chunk]
            given, says = split_by_solve_rate(log_joint([evidence[c] for c in chunk], parameters, tables), tables)
            np.add.at(shared, index[chunk], says)
            for c, row in zip(chunk, given.sum(3), strict=True):
                conditional[c] = row
    return shared, conditional


def mean_over_solve_rates(shared: Floats, conditional: Sequence[Floats], index: Ints) -> list[Posterior]:
    """P(F) of each chain, from what `by_solve_rate` gives."""
    weight = softmax(shared)
    found = [rows @ weight[index[c]] for c, rows in enumerate(conditional)]
    return [Posterior(tuple((p / p.sum()).tolist())) for p in found]


def problem_index(evidence: Sequence[Evidence], problems: Sequence[Hashable] | None) -> Ints:
    """(n,) number of each chain's problem."""
    if problems is None:
        return np.arange(len(evidence))
    if len(problems) != len(evidence):
        raise InvalidInput(f"{len(problems)} problems for {len(evidence)} solutions")
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(problem, len(numbers)) for problem in problems], np.int64)


def by_length(evidence: Sequence[Evidence]) -> Iterator[tuple[int, list[int]]]:
    """(steps, positions of the chains that long), shortest first."""
    for number, each in enumerate(evidence):
        check(each, f"solution {number}")
    order = sorted(range(len(evidence)), key=lambda c: evidence[c].steps)
    for steps, group in groupby(order, key=lambda c: evidence[c].steps):
        yield steps, list(group)


def softmax(z: Floats) -> Floats:
    """Along the last axis."""
    e: Floats = np.exp(z - z.max(-1, keepdims=True))
    e /= e.sum(-1, keepdims=True)
    return e


def split_by_solve_rate(joint: Floats, tables: Tables) -> tuple[Floats, Floats]:
    """P(F, r | s, evidence) as (n, F, S, R), and (n, S) log P(evidence | s)."""
    n, f, _ = joint.shape
    grid = joint.reshape(n, f, len(tables.solve), len(tables.recovery))
    top = grid.max((1, 3), keepdims=True)
    given = np.exp(grid - top)
    total = given.sum((1, 3), keepdims=True)
    return given / total, (top + np.log(total))[:, 0, :, 0]


def log_joint(evidence: Sequence[Evidence], parameters: Parameters, tables: Tables) -> Floats:
    """(n, F, G) log P(F, r, all evidence | s) of n solutions of one length."""
    joint = settled(evidence, parameters, tables)
    cell = tables.chain(evidence[0].steps).cell
    for prefix in sorted({i for each in evidence for i in each.counts}):
        rows = [c for c, each in enumerate(evidence) if prefix in each.counts]
        seen = [(count.graded, count.successes) for c in rows for count in (evidence[c].counts[prefix],)]
        kinds = {kind: k for k, kind in enumerate(dict.fromkeys(seen))}
        table = np.stack([tables.log_counts(*kind) for kind in kinds])
        joint[rows] += table[:, cell[prefix]][[kinds[kind] for kind in seen]]
    return joint


def settled(evidence: Sequence[Evidence], parameters: Parameters, tables: Tables) -> Floats:
    """(n, F, G) log P(F, r, everything but rollouts | s) of n solutions of one length."""
    steps = evidence[0].steps
    chain = tables.chain(steps)
    per_r = len(tables.recovery)
    prior = np.repeat(chain.log_prior, per_r, axis=1) + np.tile(tables.log_recovery, len(tables.solve))
    joint = np.tile(prior, (len(evidence), 1, 1))
    answer = {Verdict.RIGHT: np.log(chain.own_right), Verdict.WRONG: np.log1p(-chain.own_right)}
    for c, each in enumerate(evidence):
        if each.own_answer in answer:
            joint[c] += answer[each.own_answer]
        if each.scores is not None:
            joint[c] += np.repeat(_tilt(each.scores, parameters, tables, chain), per_r, axis=1)
        joint[c] += testimony(each, parameters)[:, None]
    return joint


def _tilt(scores: Sequence[float], parameters: Parameters, tables: Tables, chain: ChainTable) -> Floats:
    """(F, S) what a PRM's scores add to the log prior: each step's log-odds of being the first wrong one move."""
    q = np.clip(np.asarray(scores, np.float64), 1e-4, 1.0 - 1e-4)
    odds = logit(np.clip(tables.hazard(len(q)), 1e-6, 1.0 - 1e-6)) - parameters.score_tilt * logit(q)[:, None]
    return tables.log_prior(np.clip(1.0 / (1.0 + np.exp(-odds)), 1e-9, 1.0 - 1e-9)) - chain.log_prior


def testimony(evidence: Evidence, parameters: Parameters) -> Floats:
    """(F,) log P(what judges and people said | F)."""
    total = np.zeros(evidence.steps + 1)
    votes = Counter(judgement.model for judgement in evidence.judgements)  # one model errs alike, however it is asked
    for judgement in evidence.judgements:
        confusion = parameters.judges.get((judgement.model, judgement.prompt), parameters.judge)
        k = votes[judgement.model]
        weight = (1.0 + (k - 1) * parameters.vote_temper) / k
        total += weight * log_says(confusion, judgement.first_error, evidence.steps)
    for rating in evidence.people:
        total += _person(rating, parameters, evidence.steps)
    return total


def _person(rating: PersonRating, parameters: Parameters, steps: int) -> Floats:
    """(F,) of one person. Who found none spoke only of the first `through` steps: an error beyond is none to them."""
    confusion = parameters.raters.get(rating.rater, parameters.rater)
    if rating.first_error != NO_ERROR:
        return log_says(confusion, rating.first_error, steps)
    if rating.through == 0:
        return np.zeros(steps + 1)
    return log_says(confusion, NO_ERROR, rating.through)[np.minimum(np.arange(steps + 1), rating.through)]


def log_says(confusion: Confusion, said: int, steps: int) -> Floats:
    """(F,) log P(names `said` | F) over `steps` steps; `said` is an index or NO_ERROR."""
    if said == NO_ERROR:
        row = np.full(steps + 1, confusion.miss)
        row[steps] = 1.0 - confusion.false_alarm
    else:
        other = max(1.0 - confusion.hit - confusion.near - confusion.miss, 0.0)
        row = np.full(steps + 1, other / steps)
        row[said] += confusion.hit
        for f in (said - 1, said + 1):
            if 0 <= f < steps:
                row[f] += confusion.near / 2
        if said in (0, steps - 1):  # what lies beyond either end is said of the end itself
            row[said] += confusion.near / 2 * ((said == 0) + (said == steps - 1))
        row[steps] = confusion.false_alarm / steps
    logs: Floats = np.log(np.maximum(row, _FLOOR))
    return logs


def check(evidence: Evidence, name: str = "evidence") -> None:
    """Raises InvalidInput where a value cannot be of a solution of `evidence.steps` steps."""
    steps = evidence.steps
    if steps < 1:
        raise InvalidInput(f"{name}: a solution has at least one step, not {steps}")
    for prefix, count in evidence.counts.items():
        if not 0 <= prefix <= steps:
            raise InvalidInput(f"{name}: counts of prefix {prefix} of {steps} steps")
        if not 0 <= count.successes <= count.graded:
            raise InvalidInput(f"{name}: {count.successes} successes of {count.graded} rollouts")
    if evidence.scores is not None and len(evidence.scores) != steps:
        raise InvalidInput(f"{name}: {len(evidence.scores)} scores for {steps} steps")
    for said in [each.first_error for each in evidence.judgements] + [each.first_error for each in evidence.people]:
        if not NO_ERROR <= said < steps:
            raise InvalidInput(f"{name}: first error {said} of {steps} steps")
    for rating in evidence.people:
        if not 0 <= rating.through <= steps or rating.first_error >= max(rating.through, 1):
            raise InvalidInput(f"{name}: first error {rating.first_error} after {rating.through} rated steps")
