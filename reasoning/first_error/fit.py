"""Fit the few parameters to a project's own evidence, and say how much better that is on chains held out.

Labels are first errors that people gave blind: never machine labels, never ratings made after evidence was shown, never
audits that serve a certificate. Chains without one count too, with F summed out. Judges and raters are fitted by
expectation–maximisation, where an unlabelled chain counts as far as its rollouts tell.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.optimize import minimize

from reasoning.first_error.confusion import fit_speakers, fit_weights
from reasoning.first_error.likelihood import Likelihood
from reasoning.first_error.model import DEFAULTS, Parameters
from reasoning.first_error.posterior import problem_index
from reasoning.first_error.tables import Floats
from reasoning.types import Evidence

FEWEST: Final = 20
"""Fewer chains than this that carry anything are not fitted."""
HELD_OUT: Final = 5
"""One problem in so many is held out for the report."""
FEWEST_LABELS: Final = 20
"""With fewer labels the weights of repeated votes and of scores stay as they are."""


@dataclass(frozen=True, slots=True)
class FitReport:
    """What came of a fit. `parameters` are the defaults (or `start`) where it fell back, and `reason` says why."""

    parameters: Parameters
    fell_back: bool
    reason: str
    chains: int
    labelled: int
    held_out: int
    """Chains that the two likelihoods were measured on."""
    log_likelihood: float
    """Per held-out chain, of what was fitted on the others, in nats."""
    log_likelihood_before: float
    """The same, of the parameters that the fit started from."""
    standard_error: float
    """Of the gain, their difference."""


def fit(
    evidence: Sequence[Evidence],
    labels: Sequence[int | None] | None = None,
    *,
    problems: Sequence[Hashable] | None = None,
    start: Parameters = DEFAULTS,
    seed: int = 0,
) -> FitReport:
    """Parameters of these chains. `labels[n]` is a first error, NO_ERROR, or None for unknown.

    One problem in five is held out and the rest is fitted. Unless that does worse than `start` on those held out, by
    more than two standard errors, everything is fitted again. Else, and where fewer than 20 chains carry an answer, a
    rollout or a label, it falls back to `start`.

    Of several votes of one judge the first is climbed on, for they err together; what all of them weigh is chosen
    afterwards, by labels.
    """
    labels = [None] * len(evidence) if labels is None else labels
    useful = [n for n, each in enumerate(evidence) if labels[n] is not None or _tells(each)]
    labelled = sum(labels[n] is not None for n in useful)
    if len(useful) < FEWEST:
        reason = f"{len(useful)} solutions with evidence; {FEWEST} are needed"
        return FitReport(start, True, reason, len(useful), labelled, 0, np.nan, np.nan, np.nan)
    data = _Data(
        [evidence[n] for n in useful],
        [labels[n] for n in useful],
        problem_index(evidence, problems)[useful].tolist(),
    )
    groups = np.random.default_rng(seed).permutation(np.unique(data.problems))
    aside = set(groups[: max(1, len(groups) // HELD_OUT)].tolist())
    kept, held = data.part(lambda problem: problem not in aside), data.part(lambda problem: problem in aside)
    trial = _climb(kept, start)
    per_problem = held.likelihood()
    after, before = (per_problem.per_problem(p) for p in (trial, start))
    gain = after - before
    error = float(gain.std() / np.sqrt(len(gain)))  # of the mean gain of a problem
    worse = gain.mean() < -2.0 * error
    return FitReport(
        start if worse else _climb(data, trial, prior=start),
        bool(worse),
        "worse than before on the solutions held out" if worse else "fitted",
        len(useful), labelled, len(held.evidence),
        float(after.sum()) / len(held.evidence), float(before.sum()) / len(held.evidence),
        error * len(gain) / len(held.evidence),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Data:
    evidence: list[Evidence]
    labels: list[int | None]
    problems: list[int]

    def part(self, keep: Callable[[int], bool]) -> _Data:
        n = [k for k, problem in enumerate(self.problems) if keep(problem)]
        return _Data([self.evidence[k] for k in n], [self.labels[k] for k in n], [self.problems[k] for k in n])

    def likelihood(self) -> Likelihood:
        return Likelihood([_first_votes(each) for each in self.evidence], self.labels, self.problems)


def _tells(evidence: Evidence) -> bool:
    return bool(evidence.counts or evidence.judgements or evidence.people) or evidence.own_answer != "unknown"


def _first_votes(evidence: Evidence) -> Evidence:
    """With one judgement a judge."""
    first = {(each.model, each.prompt): each for each in reversed(evidence.judgements)}
    return replace(evidence, judgements=tuple(first.values()))


def _climb(data: _Data, start: Parameters, prior: Parameters | None = None) -> Parameters:
    """Policy by marginal likelihood, then judges and raters by what the policy says of F, then both once more."""
    prior = start if prior is None else prior
    likelihood = data.likelihood()
    spoken = any(each.judgements or each.people for each in data.evidence)
    rounds = 2 if spoken and None in data.labels else 1
    p = start
    for _ in range(rounds):
        p = _policy(likelihood, p, prior)
        if spoken:
            p = fit_speakers(likelihood, p, prior)
    if sum(label is not None for label in data.labels) < FEWEST_LABELS:
        return p
    return fit_weights(data.evidence, data.labels, p)


# Transformed parameters: name, centre's transform, its inverse and the width of the normal prior around the centre.
_WIDTHS: Final = np.array([0.8, 0.8, 0.8, 1.2, 1.5, 1.5, 0.7, 0.5, 1.5, 0.5])
_LOW: Final = np.array([-3.0, -0.5, -6.0, -4.0, -7.0, -7.0, -3.0, -3.0, -9.0, -3.0])
_HIGH: Final = np.array([3.0, 4.0, 1.0, 1.2, 3.0, 3.0, 7.0, 1.5, 0.0, 2.0])


def _pack(p: Parameters) -> Floats:
    a, b = p.solve_rate
    packed: Floats = np.clip(
        [
            np.log(a / b),
            np.log(a + b),
            _logit(p.recovery),
            np.log(max(p.noise, 0.02)),
            _logit(p.false_positive),
            _logit(p.false_negative),
            _logit(p.fade),
            np.log(max(p.hazard_scale, 0.05)),
            _logit(max(p.hazard_floor, 0.005)),
            np.log(p.first_step),
        ],
        _LOW,
        _HIGH,
    )
    return packed


def _unpack(t: Floats, p: Parameters) -> Parameters:
    mean, total = _sigmoid(t[0]), float(np.exp(t[1]))
    return replace(
        p,
        solve_rate=(mean * total, (1.0 - mean) * total),
        recovery=_sigmoid(t[2]),
        noise=float(np.exp(t[3])),
        false_positive=_sigmoid(t[4]),
        false_negative=_sigmoid(t[5]),
        fade=_sigmoid(t[6]),
        hazard_scale=float(np.exp(t[7])),
        hazard_floor=_sigmoid(t[8]),
        first_step=float(np.exp(t[9])),
    )


def _policy(likelihood: Likelihood, start: Parameters, prior: Parameters) -> Parameters:
    centre, spoken = _pack(prior), likelihood.spoken(start)

    def loss(t: Floats) -> float:
        total = likelihood.per_problem(_unpack(t, start), spoken).sum()
        return float((((t - centre) / _WIDTHS) ** 2).sum() / 2 - total)

    found = minimize(
        loss,
        _pack(start),
        method="L-BFGS-B",
        bounds=list(zip(_LOW, _HIGH, strict=True)),
        options={"eps": 1e-4, "maxiter": 30, "ftol": 1e-5},
    )
    return _unpack(np.asarray(found.x, np.float64), start)


def _sigmoid(t: float) -> float:
    return float(1.0 / (1.0 + np.exp(-t)))


def _logit(p: float) -> float:
    p = min(max(p, 1e-4), 1.0 - 1e-4)
    return float(np.log(p / (1.0 - p)))
