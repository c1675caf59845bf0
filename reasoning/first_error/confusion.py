"""Fit what judges and raters say, given the truth, where the truth is known as far as labels and rollouts tell.

Expectation–maximisation: which step is the first wrong one (unless it is labelled), and which of hit, near, miss or
other made a speaker say what it said. A few pseudo-counts hold every speaker near the default of its kind.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from reasoning.first_error.likelihood import Likelihood, log_sum
from reasoning.first_error.model import Confusion, Parameters
from reasoning.first_error.posterior import posteriors
from reasoning.first_error.tables import Floats, Ints
from reasoning.types import NO_ERROR, Evidence

PSEUDO_COUNTS: Final = 4.0
_ROUNDS: Final = 12
_TEMPERS: Final = tuple(np.linspace(0.0, 1.0, 11).tolist())
_TILTS: Final = tuple(np.linspace(0.0, 2.0, 17).tolist())


@dataclass(frozen=True)
class _Sayings:
    """All that one speaker said: one row per saying and hypothesis about its chain."""

    hypothesis: Ints
    first: Ints
    """The hypothesis, as this speaker could see it; `steps` is none."""
    said: Ints
    """`steps` is none."""
    steps: Ints
    weight: Floats


def fit_speakers(likelihood: Likelihood, p: Parameters, prior: Parameters) -> Parameters:
    """`p` with a confusion for every judge and every rater who was heard."""
    judges, raters = _judges(likelihood), _raters(likelihood)
    silent = _silent(likelihood, p)
    for _ in range(_ROUNDS):
        belief = _belief(likelihood, p, silent)
        p = replace(
            p,
            judges={**p.judges, **_estimates(judges, belief, p.judges, p.judge, prior.judge)},
            raters={**p.raters, **_estimates(raters, belief, p.raters, p.rater, prior.rater)},
        )
    return p


def fit_weights(evidence: Sequence[Evidence], labels: Sequence[int | None], p: Parameters) -> Parameters:
    """`p` with the temper of repeated votes and the tilt of scores that say most of the labels, where there are any."""
    known = [(each, label) for each, label in zip(evidence, labels, strict=True) if label is not None]
    repeated = [(each, label) for each, label in known if len(each.judgements) > 1]
    if repeated:
        p = max((replace(p, vote_temper=temper) for temper in _TEMPERS), key=lambda p: _log_score(repeated, p))
    scored = [(each, label) for each, label in known if each.scores is not None]
    if scored:
        p = max((replace(p, score_tilt=tilt) for tilt in _TILTS), key=lambda p: _log_score(scored, p))
    return p


def _log_score(known: Sequence[tuple[Evidence, int]], p: Parameters) -> float:
    found = posteriors([each for each, _ in known], p)
    return float(sum(np.log(max(q.probabilities[label], 1e-12)) for q, (_, label) in zip(found, known, strict=True)))


def _judges(likelihood: Likelihood) -> dict[Hashable, _Sayings]:
    heard: dict[Hashable, list[tuple[int, int, int, float]]] = {}
    for chain, each in enumerate(likelihood.evidence):
        keys = [(judgement.model, judgement.prompt) for judgement in each.judgements]
        for key, judgement in zip(keys, each.judgements, strict=True):
            heard.setdefault(key, []).append((chain, judgement.first_error, each.steps, 1.0 / keys.count(key)))
    return {key: _sayings(likelihood, said) for key, said in heard.items()}


def _raters(likelihood: Likelihood) -> dict[Hashable, _Sayings]:
    heard: dict[Hashable, list[tuple[int, int, int, float]]] = {}
    for chain, each in enumerate(likelihood.evidence):
        for rating in each.people:
            through = each.steps if rating.first_error != NO_ERROR else rating.through
            if through:
                heard.setdefault(rating.rater, []).append((chain, rating.first_error, through, 1.0))
    return {key: _sayings(likelihood, said) for key, said in heard.items()}


def _sayings(likelihood: Likelihood, said: Sequence[tuple[int, int, int, float]]) -> _Sayings:
    ends = np.append(likelihood.starts[1:], len(likelihood.chain))
    spans = [np.arange(likelihood.starts[chain], ends[chain]) for chain, *_ in said]
    lengths = [len(span) for span in spans]
    hypothesis = np.concatenate(spans)
    steps = np.repeat([steps for *_, steps, _ in said], lengths)
    first = np.repeat([first for _, first, *_ in said], lengths)
    return _Sayings(
        hypothesis,
        np.minimum(likelihood.first[hypothesis], steps),
        np.where(first == NO_ERROR, steps, first),
        steps,
        np.repeat([weight for *_, weight in said], lengths),
    )


def _silent(likelihood: Likelihood, p: Parameters) -> Floats:
    """(H,) log P(F, own answer, rollouts): all but what was said."""
    solve, recovery = likelihood.log_weights(p)
    return log_sum(likelihood.by_hypothesis(p) + (solve[:, None] + recovery).ravel(), 1)


def _belief(likelihood: Likelihood, p: Parameters, silent: Floats) -> Floats:
    """(H,) P(F | everything); 1 for a label."""
    joint = silent + likelihood.spoken(p)
    top = np.maximum.reduceat(joint, likelihood.starts)
    weight = np.exp(joint - top[likelihood.chain])
    belief: Floats = weight / np.add.reduceat(weight, likelihood.starts)[likelihood.chain]
    return belief


def _estimates(
    heard: Mapping[Hashable, _Sayings],
    belief: Floats,
    now: Mapping[Any, Confusion],
    unknown: Confusion,
    prior: Confusion,
) -> dict[Any, Confusion]:
    return {key: _estimate(said, belief, now.get(key, unknown), prior) for key, said in heard.items()}


def _estimate(said: _Sayings, belief: Floats, now: Confusion, prior: Confusion) -> Confusion:
    """One step of expectation–maximisation."""
    weight = belief[said.hypothesis] * said.weight
    wrong, none = said.first < said.steps, said.said == said.steps
    last = said.steps - 1
    beside = (said.said == np.clip(said.first - 1, 0, last)) * 0.5 + (
        said.said == np.clip(said.first + 1, 0, last)
    ) * 0.5
    hit = now.hit * (said.said == said.first)
    near = now.near * beside
    other = max(1.0 - now.hit - now.near - now.miss, 1e-4) / said.steps
    share = weight * (wrong & ~none) / (hit + near + other)
    counts = np.array(
        [(share * hit).sum(), (share * near).sum(), (weight * (wrong & none)).sum(), (share * other).sum()]
    )
    before = np.array([prior.hit, prior.near, prior.miss, max(1.0 - prior.hit - prior.near - prior.miss, 0.0)])
    counts += PSEUDO_COUNTS * before
    rates = counts / counts.sum()
    alarms, quiet = (weight * (~wrong & ~none)).sum(), (weight * (~wrong & none)).sum()
    alarm = (alarms + PSEUDO_COUNTS * prior.false_alarm) / (alarms + quiet + PSEUDO_COUNTS)
    return Confusion(float(rates[0]), float(rates[1]), float(rates[2]), float(alarm))
