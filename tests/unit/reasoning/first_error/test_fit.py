"""The fit finds what made the evidence, says what it gained, and falls back when it must."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reasoning.first_error import DEFAULTS, Confusion, Parameters, posterior, posteriors
from reasoning.first_error.fit import FEWEST, fit
from reasoning.first_error.likelihood import Likelihood
from reasoning.types import NO_ERROR, Count, Evidence, PersonRating, Verdict
from tests.unit.reasoning.first_error.examples import judgement

TRUTH = Parameters(solve_rate=(3.0, 1.5), recovery=0.05, noise=0.4, false_positive=0.2, fade=0.9)
JUDGE = Confusion(hit=0.8, near=0.1, miss=0.05, false_alarm=0.3)


def says(confusion: Confusion, first: int, steps: int, g: np.random.Generator) -> int:
    anywhere = int(g.integers(steps))
    if first == steps:
        return anywhere if g.random() < confusion.false_alarm else NO_ERROR
    u = g.random() - confusion.hit
    if u < 0:
        return first
    if u < confusion.near:
        return int(np.clip(first + g.choice([-1, 1]), 0, steps - 1))
    return NO_ERROR if u < confusion.near + confusion.miss else anywhere


def world(chains: int, seed: int = 0, rolls: int = 3) -> tuple[list[Evidence], list[int]]:
    """Chains of 6 steps from TRUTH, with `rolls` rollouts at every other prefix and one judge."""
    g, p, steps = np.random.default_rng(seed), TRUTH, 6
    evidence, labels = [], []
    for _ in range(chains):
        s, r = np.clip(g.beta(*p.solve_rate), 0.05, 0.98), g.beta(1, 1 / p.recovery - 1)
        first = min(int(g.geometric(1 - s ** (1 / steps))) - 1, steps)
        base = s ** ((steps - np.arange(steps + 1)) / steps)
        after = np.arange(steps + 1) - 1 - first
        value = np.where(after < 0, base + (1 - base) * r / 2, r * base * p.fade ** np.maximum(after, 0))
        odds = np.exp(p.noise * g.standard_normal(steps + 1)) * value / np.maximum(1 - value, 1e-9)
        value = odds / (1 + odds)
        right = first == steps or g.random() < value[-1] or g.random() < p.false_positive
        counts = {i: Count(int(g.binomial(rolls, value[i])), rolls) for i in (1, 3, 5)} if rolls else {}
        evidence.append(
            Evidence(
                steps,
                Verdict.RIGHT if right else Verdict.WRONG,
                counts,
                (judgement(says(JUDGE, first, steps, g), steps),),
            )
        )
        labels.append(NO_ERROR if first == steps else first)
    return evidence, labels


@pytest.fixture(scope="module")
def chains() -> tuple[list[Evidence], list[int]]:
    return world(300)


def test_with_labels_it_finds_what_made_them(chains: tuple[list[Evidence], list[int]]) -> None:
    report = fit(*chains)
    p = report.parameters
    assert not report.fell_back
    assert (report.chains, report.labelled, report.held_out) == (300, 300, 60)
    assert report.log_likelihood > report.log_likelihood_before
    assert p.solve_rate[0] / sum(p.solve_rate) == pytest.approx(2 / 3, abs=0.08)
    assert p.recovery == pytest.approx(0.05, abs=0.025)
    assert p.false_positive == pytest.approx(0.2, abs=0.1)
    judge = p.judges["judge", "prompt"]
    assert judge.hit == pytest.approx(0.8, abs=0.08)
    assert judge.false_alarm == pytest.approx(0.3, abs=0.08)


def test_without_labels_rollouts_tell_enough(chains: tuple[list[Evidence], list[int]]) -> None:
    report = fit(chains[0][:100])
    assert report.labelled == 0
    assert not report.fell_back
    assert report.parameters.recovery < 0.1
    assert report.parameters.judges["judge", "prompt"].hit > 0.6


def test_fitted_parameters_say_more_of_new_chains(chains: tuple[list[Evidence], list[int]]) -> None:
    evidence, labels = world(300, seed=1)
    fitted = fit(*chains).parameters
    scores = [
        sum(np.log(posterior(e, p).probabilities[label]) for e, label in zip(evidence, labels, strict=True))
        for p in (fitted, DEFAULTS)
    ]
    assert scores[0] > scores[1]


def test_few_chains_fall_back_and_say_so(chains: tuple[list[Evidence], list[int]]) -> None:
    few = [*chains[0][: FEWEST - 1], *[Evidence(5)] * 100]
    report = fit(few)
    assert report.fell_back
    assert report.parameters is DEFAULTS
    assert f"{FEWEST - 1} solutions" in report.reason


def test_a_fit_that_does_worse_on_the_chains_held_out_is_not_kept(
    chains: tuple[list[Evidence], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = replace(DEFAULTS, recovery=0.85, noise=3.0)
    monkeypatch.setattr("reasoning.first_error.fit._climb", lambda data, start, prior=None: odd)
    report = fit(*chains, start=TRUTH)
    assert report.fell_back
    assert report.parameters is TRUTH
    assert "worse" in report.reason


def test_the_likelihood_agrees_with_the_posterior(chains: tuple[list[Evidence], list[int]]) -> None:
    e = chains[0][0]
    log_p = [Likelihood([e], [f]).per_problem(DEFAULTS).sum() for f in (0, 1, 2, 3, 4, 5, NO_ERROR)]
    p = np.exp(np.array(log_p) - max(log_p))
    assert p / p.sum() == pytest.approx(posterior(e).probabilities, abs=0.03)
    assert Likelihood([e], [None]).per_problem(DEFAULTS).sum() == pytest.approx(np.log(np.exp(log_p).sum()))


def test_chains_of_one_problem_are_explained_by_one_solve_rate() -> None:
    easy = Evidence(4, Verdict.RIGHT, {1: Count(6, 6)})
    together = Likelihood([easy] * 4, [None] * 4, ["p"] * 4).per_problem(DEFAULTS).sum()
    apart = Likelihood([easy] * 4, [None] * 4, list("pqrs")).per_problem(DEFAULTS).sum()
    assert together > apart


def test_labels_alone_fit_the_prior() -> None:
    g = np.random.default_rng(7)
    firsts = [min(int(g.geometric(0.15)), 8) for _ in range(300)]  # never the first step, which restates the problem
    labels = [NO_ERROR if first == 8 else first for first in firsts]
    report = fit([Evidence(8)] * 300, labels)
    assert not report.fell_back
    assert report.parameters.first_step < 0.3
    fitted = posterior(Evidence(8), report.parameters).probabilities
    assert fitted[-1] == pytest.approx(labels.count(NO_ERROR) / 300, abs=0.05)
    assert fitted[0] < 0.05 < posterior(Evidence(8)).probabilities[0]


PROCESSBENCH = Path(__file__).parents[5] / "shared" / "data" / "processbench.public.jsonl"


@pytest.mark.skipif(not PROCESSBENCH.exists(), reason="the shared ProcessBench rows are not here")
def test_the_prior_fits_where_people_found_first_errors() -> None:
    rows = [json.loads(line) for line in PROCESSBENCH.read_text().splitlines()]
    evidence, labels = [Evidence(len(row["steps"])) for row in rows], [row["first_error"] for row in rows]
    report = fit(evidence, labels)
    found = [each.probabilities for each in posteriors(evidence, report.parameters)]
    for position in range(6):
        model = np.mean([p[position] if position < len(p) - 1 else 0.0 for p in found])
        assert model == pytest.approx(np.mean([label == position for label in labels]), abs=0.03)
    assert np.mean([p[-1] for p in found]) == pytest.approx(np.mean([label == NO_ERROR for label in labels]), abs=0.03)
    assert report.log_likelihood > report.log_likelihood_before


def test_raters_are_fitted_each_alone() -> None:
    g = np.random.default_rng(5)
    evidence, labels = world(150, seed=2, rolls=0)
    good, bad = Confusion(0.95, 0.02, 0.02, 0.02), Confusion(0.4, 0.1, 0.4, 0.3)
    rated = []
    for e, label in zip(evidence, labels, strict=True):
        first = e.steps if label == NO_ERROR else label
        people = [
            PersonRating(name, said := says(confusion, first, e.steps, g), e.steps if said < 0 else said + 1)
            for name, confusion in (("good", good), ("bad", bad))
        ]
        rated.append(replace(e, judgements=(), people=(*people, PersonRating("absent", NO_ERROR, 0))))
    raters = fit(rated, labels).parameters.raters
    assert set(raters) == {"good", "bad"}
    assert raters["good"].hit > 0.85
    assert raters["bad"].miss > 0.25


def test_repeated_votes_and_scores_get_the_weight_that_labels_give_them(
    chains: tuple[list[Evidence], list[int]],
) -> None:
    evidence, labels = chains[0][:120], chains[1][:120]
    told = [
        replace(
            e,
            judgements=e.judgements * 3,  # the same vote three times tells no more than once
            scores=tuple(0.02 if i == label else 0.98 for i in range(e.steps)),
        )
        for e, label in zip(evidence, labels, strict=True)
    ]
    p = fit(told, labels).parameters
    assert p.score_tilt >= 1.0
    assert p.vote_temper <= 0.3


def test_without_labels_repeated_votes_tell_no_more_than_one(chains: tuple[list[Evidence], list[int]]) -> None:
    once = chains[0][:60]
    thrice = [replace(e, judgements=e.judgements * 3) for e in once]
    assert fit(thrice).parameters == fit(once).parameters


def test_the_report_says_how_sure_the_gain_is(chains: tuple[list[Evidence], list[int]]) -> None:
    report = fit(*chains)
    assert 0.0 < report.standard_error < report.log_likelihood - report.log_likelihood_before


def test_the_same_chains_give_the_same_fit(chains: tuple[list[Evidence], list[int]]) -> None:
    part = (chains[0][:60], chains[1][:60])
    assert fit(*part).parameters == fit(*part).parameters
