"""python -m benchmarks.stand_ins: first errors found by a majority answer, taken for a reference answer or weighed.

Simulated problems whose reference answer is withheld. Sixteen whole solutions vote; where they elect an answer, the
planner draws rollouts that are graded against it, and the posterior is computed twice from the very same grades:
"trusted", as if the elected answer were the reference, and "weighed" by how likely it is right.

A problem has a solve rate s and one favourite mistake, which takes a share c of all that goes wrong. A wrong solution
has made the favourite mistake with chance c, else one of its own; a rollout from behind it that does not recover ends
in that mistake with chance `sticky`, and all other wrong ones as voters do. Values of prefixes are those of
benchmarks.first_error, noise included; the posterior has its default parameters everywhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final, cast

import numpy as np

from benchmarks.first_error.metrics import calibration_error
from reasoning.evidence.majority import Majority
from reasoning.first_error import DEFAULTS, Chain, Planner, Votes, posteriors, stand_in_posteriors
from reasoning.first_error.tables import Floats, logit, sigmoid
from reasoning.types import NO_ERROR, Count, Evidence, Posterior, Verdict

SAMPLES: Final = 16
STEPS: Final = (4, 12)
TRUTH: Final = 0
FAVOURITE: Final = 1
SURE: Final = 0.95


@dataclass(frozen=True)
class World:
    """How problems are drawn."""

    name: str
    solve_rate: tuple[float, float] = (2.0, 1.5)
    favourite: tuple[float, float] = (1.0, 1.0)
    """Beta of c."""
    sticky: float = 0.8


WORLDS: Final = (
    World("mistakes as in the table of decisions/stand-in.md"),
    World("favourite mistakes, c ~ Beta(4, 2)", favourite=(4.0, 2.0)),
    World("scattered mistakes, c ~ Beta(1, 9)", favourite=(1.0, 9.0)),
    World("mistakes that stick less, 0.5", sticky=0.5),
    World("easy problems, s ~ Beta(4, 1.5)", solve_rate=(4.0, 1.5)),
    World("hard problems, s ~ Beta(1.5, 3)", solve_rate=(1.5, 3.0)),
)


@dataclass
class Drawn:
    """One solution of a problem that has elected an answer."""

    problem: int
    votes: Votes
    elected: int
    value: Floats
    """(K + 1,) chance that a rollout from each prefix is right."""
    first_error: int
    """0 … K, K for none."""
    mistake: int
    own: int
    counts: dict[int, list[int]] = field(default_factory=dict)

    @property
    def evidence(self) -> Evidence:
        counts = {prefix: Count(right, graded) for prefix, (right, graded) in sorted(self.counts.items())}
        return Evidence(len(self.value) - 1, self.verdict(self.own), counts)

    def verdict(self, answer: int) -> Verdict:
        return Verdict.RIGHT if answer == self.elected else Verdict.WRONG


class Problems:
    """Draws problems, and rollouts of their solutions. Answers are numbers; scattered mistakes are all different."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.g = world, np.random.default_rng(seed)
        self._other = count(2)

    def solutions(self, problems: int, each: int) -> list[Drawn]:
        """Of those problems that elect an answer."""
        return [drawn for problem in range(problems) for drawn in self._of(problem, each)]

    def _of(self, problem: int, each: int) -> list[Drawn]:
        solve = float(np.clip(self.g.beta(*self.world.solve_rate), 0.05, 0.98))
        self.share = float(self.g.beta(*self.world.favourite))
        seen = self._noisy(np.array([solve]))[0]
        ballots = [TRUTH if self.g.random() < seen else self._mistake() for _ in range(SAMPLES)]
        answers, votes = np.unique(ballots, return_counts=True)
        order = np.argsort(-votes)
        runner_up = int(votes[order[1]]) if len(order) > 1 else 0
        best, most = int(answers[order[0]]), int(votes[order[0]])
        tied = most == runner_up
        if not Majority(None if tied else str(best), most, runner_up, SAMPLES).decisive():
            return []
        return [self._solution(problem, solve, Votes(most, SAMPLES), best) for _ in range(each)]

    def _solution(self, problem: int, solve: float, votes: Votes, elected: int) -> Drawn:
        steps = int(self.g.integers(*STEPS, endpoint=True))
        wrong = self.g.random(steps) < 1.0 - solve ** (1.0 / steps)
        first = int(wrong.argmax()) if wrong.any() else steps
        recovery = self.g.beta(1.0, 1.0 / DEFAULTS.recovery - 1.0)
        i = np.arange(steps + 1)
        base = solve ** ((steps - i) / steps)
        bad = recovery * base * DEFAULTS.fade ** np.maximum(i - 1 - first, 0)
        value = self._noisy(np.where(i <= first, base + (1.0 - base) * recovery / 2, bad))
        mistake = self._mistake()
        right = first == steps or self.g.random() < value[steps]
        return Drawn(problem, votes, elected, value, first, mistake, TRUTH if right else mistake)

    def _noisy(self, value: Floats) -> Floats:
        noise = DEFAULTS.noise * self.g.standard_normal(value.shape)
        return sigmoid(logit(np.clip(value, 1e-12, 1 - 1e-12)) + noise)

    def _mistake(self) -> int:
        return FAVOURITE if self.g.random() < self.share else next(self._other)

    def roll(self, drawn: Drawn, prefix: int) -> int:
        if self.g.random() < drawn.value[prefix]:
            return TRUTH
        sticks = prefix > drawn.first_error and self.g.random() < self.world.sticky
        return drawn.mistake if sticks else self._mistake()


def spend(problems: Problems, solutions: Sequence[Drawn], mean: float) -> None:
    """Let the planner draw so many rollouts a solution, as a run does: it takes the elected answer for right."""
    chains = [Chain(n, each.evidence, each.problem) for n, each in enumerate(solutions)]
    planner = Planner(chains, DEFAULTS, price=0.0, budget=round(mean * len(solutions)))
    while requests := planner.next(max(1, len(solutions) // 10)):
        for chain, prefix, sample in requests:
            one = solutions[cast(int, chain)]
            verdict = one.verdict(problems.roll(one, prefix))
            seen = one.counts.setdefault(prefix, [0, 0])
            seen[0] += verdict is Verdict.RIGHT
            seen[1] += 1
            planner.record(chain, prefix, sample, verdict)


def row(found: Sequence[Posterior], truth: Sequence[int]) -> str:
    certainty = np.array([each.certainty for each in found])
    hit = np.array([each.first_error == first for each, first in zip(found, truth, strict=True)])
    told = [max(each.probabilities[first], 1e-12) for each, first in zip(found, truth, strict=True)]
    sure = certainty >= SURE
    right = f"{hit[sure].mean():.3f}" if sure.any() else "–"
    calibration = f"{calibration_error(certainty, hit):8.3f}{np.log(told).mean():9.3f}"
    return f"{hit.mean():8.3f}{calibration}{sure.mean():9.3f}{right:>8}"


def measure(world: World, problems: int, each: int, mean: float, seed: int) -> None:
    drawn = Problems(world, seed)
    solutions = drawn.solutions(problems, each)
    spend(drawn, solutions, mean)
    evidence = [one.evidence for one in solutions]
    of = [one.problem for one in solutions]
    truth = [NO_ERROR if one.first_error == len(one.value) - 1 else one.first_error for one in solutions]
    right = np.mean([one.elected == TRUTH for one in solutions])
    print(f"\n{world.name}: {len(solutions)} solutions, {right:.1%} with the right answer elected")
    print(f"{'':10}{'exact':>8}{'ECE':>8}{'log P':>9}{f'≥ {SURE}':>9}{'exact':>8}")
    print(f"{'trusted':10}{row(posteriors(evidence, DEFAULTS, of), truth)}")
    weighed = stand_in_posteriors(evidence, [one.votes for one in solutions], DEFAULTS, of)
    print(f"{'weighed':10}{row(weighed, truth)}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.stand_ins", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", type=int, default=3000, help="a world; some 45%% elect an answer")
    parser.add_argument("--solutions", type=int, default=2, help="a problem")
    parser.add_argument("--rollouts", type=float, default=10.0, help="a solution, in the mean")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    print(f"≥ {SURE}: share of solutions whose max P is so much, and exact first errors among them")
    for world in WORLDS:
        measure(world, options.problems, options.solutions, options.rollouts, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
