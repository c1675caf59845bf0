"""How people's readings are best used by a fit: as labels, or as evidence heard through each reader's own confusion.

Chains with known truth, a judge, six rollouts each and, for half of them, one reader who errs. Parameters are fitted to
them in several ways and held against 2,000 that nobody read: log score of the true first error, share exact, ECE.
`identical votes` shows why one vote a judge is fitted: three votes that err together, without labels. `a judge alone`
shows why rollouts or readings come first: without them nothing tells an error that it misses from no error.

python -m benchmarks.fit_readings
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.first_error.metrics import calibration_error
from reasoning.first_error import DEFAULTS, Confusion, Parameters, posteriors
from reasoning.first_error.fit import fit
from reasoning.types import NO_ERROR, Count, Evidence, Judgement, PersonRating, Verdict

STEPS = 8
JUDGE = Confusion(0.75, 0.1, 0.1, 0.25)
READERS = {
    "careful readers": [Confusion(0.9, 0.05, 0.03, 0.04)] * 3,
    "mixed readers": [
        Confusion(0.92, 0.03, 0.03, 0.03),
        Confusion(0.8, 0.08, 0.08, 0.1),
        Confusion(0.65, 0.1, 0.2, 0.15),
    ],
}


@dataclass(frozen=True)
class Chains:
    evidence: list[Evidence]
    truth: list[int]
    readings: list[PersonRating]


def says(confusion: Confusion, first: int, g: np.random.Generator) -> int:
    """What somebody of these habits names; `first` is STEPS where there is none."""
    if first == STEPS:
        return int(g.integers(STEPS)) if g.random() < confusion.false_alarm else NO_ERROR
    u = g.random() - confusion.hit
    if u < 0:
        return first
    if u < confusion.near:
        return int(np.clip(first + g.choice([-1, 1]), 0, STEPS - 1))
    return NO_ERROR if u < confusion.near + confusion.miss else int(g.integers(STEPS))


def draw(n: int, readers: Sequence[Confusion], g: np.random.Generator) -> Chains:
    found = Chains([], [], [])
    for _ in range(n):
        solve, recovery = np.clip(g.beta(4, 1.5), 0.05, 0.98), g.beta(1, 4)
        first = min(int(g.geometric(1 - solve ** (1 / STEPS))) - 1, STEPS)
        base = solve ** ((STEPS - np.arange(STEPS + 1)) / STEPS)
        after = np.arange(STEPS + 1) - 1 - first
        bad = recovery * base * 0.9 ** np.maximum(after, 0)
        value = np.where(after < 0, base + (1 - base) * recovery / 2, bad)
        odds = np.exp(g.standard_normal(STEPS + 1)) * value / np.maximum(1 - value, 1e-9)
        value = odds / (1 + odds)
        right = first == STEPS or g.random() < value[-1] or g.random() < 0.1
        prefixes = sorted(g.choice(np.arange(1, STEPS), 3, replace=False).tolist())
        counts = {i: Count(int(g.binomial(2, value[i])), 2) for i in prefixes}
        vote = Judgement(says(JUDGE, first, g), (), "", "judge", "prompt")
        reader = int(g.integers(len(readers)))
        said = says(readers[reader], first, g)
        found.evidence.append(Evidence(STEPS, Verdict.RIGHT if right else Verdict.WRONG, counts, (vote,)))
        found.truth.append(NO_ERROR if first == STEPS else first)
        found.readings.append(PersonRating(f"reader {reader}", said, STEPS if said < 0 else said + 1))
    return found


def score(parameters: Parameters, evidence: Sequence[Evidence], truth: Sequence[int]) -> str:
    found = posteriors(evidence, parameters)
    given = [max(each.probabilities[first], 1e-9) for each, first in zip(found, truth, strict=True)]
    right = np.array([each.first_error == first for each, first in zip(found, truth, strict=True)])
    ece = calibration_error(np.array([each.certainty for each in found]), right)
    return f"log score {np.log(given).mean():.3f}  exact {right.mean():.3f}  ECE {ece:.3f}"


def ways(seen: Chains) -> dict[str, Callable[[], Parameters]]:
    half = range(0, len(seen.truth), 2)
    pairs = zip(seen.evidence, seen.readings, strict=True)
    heard = [replace(each, people=(said,)) if n in half else each for n, (each, said) in enumerate(pairs)]
    true = [first if n in half else None for n, first in enumerate(seen.truth)]
    named = [each.first_error if n in half else None for n, each in enumerate(seen.readings)]
    return {
        "defaults": lambda: DEFAULTS,
        "nobody read": lambda: fit(seen.evidence).parameters,
        "readings as labels": lambda: fit(seen.evidence, named).parameters,
        "readings as evidence": lambda: fit(heard).parameters,
        "the truth as labels": lambda: fit(seen.evidence, true).parameters,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chains", type=int, default=400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    for seed in options.seeds:
        for name, readers in READERS.items():
            g = np.random.default_rng(seed)
            seen, unseen = draw(options.chains, readers, g), draw(2000, readers, g)
            print(f"\n{name}, seed {seed}")
            for way, parameters in ways(seen).items():
                print(f"  {way:22}{score(parameters(), unseen.evidence, unseen.truth)}", flush=True)
        print(f"\na judge alone, seed {seed}")
        bare = [[replace(e, counts={}) for e in each.evidence] for each in (seen, unseen)]
        for way, found in (("defaults", DEFAULTS), ("nobody read", fit(bare[0]).parameters)):
            print(f"  {way:22}{score(found, bare[1], unseen.truth)}", flush=True)
        thrice = [[replace(e, judgements=e.judgements * 3) for e in each.evidence] for each in (seen, unseen)]
        print(f"\nidentical votes, seed {seed}")
        for way, evidence in (("all votes fitted", thrice[0]), ("one vote fitted", seen.evidence)):
            print(f"  {way:22}{score(fit(evidence).parameters, thrice[1], unseen.truth)}", flush=True)


if __name__ == "__main__":
    main()
