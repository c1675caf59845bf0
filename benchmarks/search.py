"""Tree search with the planner against OmegaPRM as published: what first errors and preferences cost, and are worth.

Both grow the same kind of tree over the simulator's problems: the same solutions to begin with, eight rollouts of the
bare problem, selection by Q + U, and the same draws, which depend on prefix text and number alone. They differ in how
the first error of what is selected is found: by the planner, or by bisection with k = 8 rollouts a prefix, good if any
is right (Luo et al. 2024, arXiv:2406.06592); other k stand beside it. Bisection's preferences take the first right
rollout after the prefix. The paper's pool has prefixes behind a first error too, where nothing new is to be found.

looked: solutions whose first error was looked for to the end, and rollouts for each; exact: share found; steps:
different wrong steps truly found, and rollouts for each; pairs: preferences, and how many of their rejected steps are
the first wrong one, of their chosen ones right; new: solutions made.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process a row instead, before numpy is loaded

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean

from reasoning import steps
from reasoning.answers import find
from reasoning.equivalence import grade
from reasoning.first_error import DEFAULTS, Request
from reasoning.first_error.session import Plan
from reasoning.search import Branch, Known, SearchConfig
from reasoning.search.growth import Growth
from reasoning.search.preferences import preferences
from reasoning.search.tree import Twig
from reasoning.simulator.completer import complete
from reasoning.simulator.continuations import begun, whole
from reasoning.simulator.law import Law
from reasoning.simulator.truth import Truth
from reasoning.simulator.world import MadeProblem, make_problems, native_rows
from reasoning.types import NO_ERROR, Evidence, Problem, Rollout, Solution, Usage, Verdict

LAWS = {"default": Law(), "never recovers": Law(noise=0.0, recovery=0.01), "recovers often": Law(recovery=0.25)}


class Bisection:
    """Halves the range between a good and a bad prefix; a prefix's rollouts count wherever they were drawn for."""

    def __init__(self, twig: Twig, k: int) -> None:
        self.twig, self.k = twig, k
        self.low, self.high = 0, len(twig.nodes) - 1

    def next(self, limit: int) -> list[Request]:
        while self.high - self.low > 1:
            middle = (self.low + self.high) // 2
            node = self.twig.nodes[middle]
            count = node.count()
            if count.graded < self.k and node.drawn < 4 * self.k:
                return [Request(None, middle, 0)] * min(self.k - count.graded, limit)
            if count.successes:
                self.low = middle
            else:
                self.high = middle
        return []

    def record(self, chain: Hashable, prefix: int, sample: int, verdict: Verdict) -> None:
        """The tree has it."""

    def release(self, chain: Hashable, prefix: int, sample: int) -> None:
        raise NotImplementedError


class Halving(Growth):
    """The tree of OmegaPRM."""

    def __init__(self, known: Known, config: SearchConfig, k: int) -> None:
        super().__init__(known, config, DEFAULTS)
        self.k = k
        self.bisections: dict[Hashable, Bisection] = {}

    def plan(self, twig: Twig) -> Plan:
        bisection = self.bisections[twig.branch.id] = Bisection(twig, self.k)
        return bisection


@dataclass(frozen=True, slots=True)
class Pair:
    """A preference, whoever made it."""

    solution: Hashable
    prefix: int
    chosen: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one arm made of one problem. `hits` and `pairs` say of each whether it is true."""

    rollouts: int
    hits: tuple[bool, ...]
    certainty: tuple[float, ...]
    wrong_steps: int
    """Different first wrong steps that were truly found."""
    rejected: tuple[bool, ...]
    chosen: tuple[bool, ...]
    new: int


class World:
    """One problem: its solutions, what the simulator draws, and the truth."""

    def __init__(self, made: MadeProblem, law: Law) -> None:
        self.made, self.law, self.truth = made, law, Truth()
        self.truth.learn(native_rows([made]))
        self.solutions: dict[Hashable, Solution] = {}

    def known(self) -> Known:
        branches = []
        for number, made in enumerate(self.made.solutions):
            text, placed = steps.join(made.steps)
            self.solutions[number] = Solution(Problem(self.made.statement, self.made.answer), text, placed)
            own = Verdict.RIGHT if made.correct else Verdict.WRONG
            branches.append(Branch(number, self.solutions[number], Evidence(len(placed), own)))
        return Known(self.made.id, branches)

    def draw(self, chain: Hashable, prefix: int, sample: int) -> Rollout:
        solution = self.solutions[chain]
        text = complete(self.truth, self.law, self.made.statement, solution.prefix(prefix), sample)
        answer = find(text)
        verdict, rule = grade(answer, self.made.answer) if answer else (Verdict.UNKNOWN, "no_answer")
        usage = Usage(0, -(-len(text) // 4))
        return Rollout(prefix, sample, text, answer, verdict, rule, "simulated", None, "stop", usage)

    def first_error(self, solution: Hashable) -> int:
        texts = [step.text for step in self.solutions[solution].steps]
        problem = self.truth.problem(self.made.statement)
        known = whole(problem, texts) if problem else None
        assert known is not None
        first = known.error_in(texts)
        return NO_ERROR if first == len(texts) else first

    def is_right(self, solution: Hashable, prefix: int, step: str) -> bool:
        """Is nothing wrong in the first `prefix` steps of a solution and this one after them?"""
        texts = [each.text for each in self.solutions[solution].steps[:prefix]]
        problem = self.truth.problem(self.made.statement)
        known = begun(problem, "\n\n".join([*texts, step])) if problem else None
        assert known is not None
        return known[0].first_error > prefix


def grow(world: World, growth: Growth) -> Outcome:
    """Search one problem to its end and hold the outcome against the truth."""
    given = len(world.solutions)
    while True:
        requests, selected = growth.next()
        world.solutions |= {each.branch.id: each.branch.solution for each in selected}
        if not requests:
            break
        for chain, prefix, sample in requests:
            growth.take(chain, world.draw(chain, prefix, sample))
    found = [each.solution for each in growth.selections if each.solution != growth.looking]
    said, certainty, pairs = (_halved if isinstance(growth, Halving) else _planned)(growth, found)
    hits = [world.first_error(solution) == first for solution, first in zip(found, said, strict=True)]
    true = zip(found, said, hits, strict=True)
    return Outcome(
        growth.spent,
        tuple(hits),
        tuple(certainty),
        len({id(growth.tree.twig(solution).nodes[first + 1]) for solution, first, hit in true if hit and first >= 0}),
        tuple(world.first_error(pair.solution) == pair.prefix for pair in pairs),
        tuple(world.is_right(pair.solution, pair.prefix, pair.chosen) for pair in pairs),
        len(world.solutions) - given,
    )


Said = tuple[list[int], list[float], list[Pair]]


def _planned(growth: Growth, found: Sequence[Hashable]) -> Said:
    posteriors = [growth.tree.posterior(growth.tree.twig(solution)) for solution in found]
    pairs = [Pair(each.solution, each.prefix, each.chosen) for each in preferences(growth.tree)]
    return [each.first_error for each in posteriors], [each.certainty for each in posteriors], pairs


def _halved(growth: Growth, found: Sequence[Hashable]) -> Said:
    """The step that ends the first bad prefix; a prefix rejects the same step once."""
    assert isinstance(growth, Halving)
    said = [growth.bisections[solution].high - 1 for solution in found]
    pairs: dict[int, Pair] = {}
    for solution, first in zip(found, said, strict=True):
        twig = growth.tree.twig(solution)
        rejected = twig.branch.solution.steps[first].text
        for pair, rollout in sorted(twig.nodes[first].right.items(), key=lambda each: each[0].sample or 0):
            made = growth.tree.continued(pair, rollout)
            if made and made.steps[first].text.casefold() != rejected.casefold():
                pairs.setdefault(id(twig.nodes[first + 1]), Pair(solution, first, made.steps[first].text))
                break
    return said, [1.0] * len(said), list(pairs.values())


Arm = Callable[[Known, SearchConfig], Growth]


def _halving(k: int) -> Arm:
    return lambda known, config: Halving(known, replace(config, sound=0.0), k)


ARMS: dict[str, Arm] = {
    "planner": lambda known, config: Growth(known, config, DEFAULTS),
    "planner, price .02": lambda known, config: Growth(known, replace(config, price=0.02), DEFAULTS),
    "planner, paper's pool": lambda known, config: Growth(known, replace(config, sound=0.0), DEFAULTS),
    **{f"OmegaPRM k={k}": _halving(k) for k in (8, 4, 2)},
}


@dataclass(frozen=True, slots=True)
class Row:
    """One arm in one world; shares are fractions, intervals the middle 95% of resampled problems."""

    world: str
    arm: str
    problems: int
    rollouts: int
    looked_into: int
    exact: float
    exact_interval: tuple[float, float]
    certainty: float
    each: float
    """Rollouts per solution whose first error was looked for to the end."""
    wrong_steps: int
    each_wrong_step: float
    each_interval: tuple[float, float]
    """Rollouts per different first wrong step that was truly found, and its interval."""
    preferences: int
    rejected_wrong: float
    chosen_right: float
    both: float
    new_solutions: int


def row(world: str, arm: str, problems: int, seed: int, config: SearchConfig) -> Row:
    law = LAWS[world]
    outcomes = []
    for made in make_problems(problems, seed, law=law):
        played = World(made, law)
        outcomes.append(grow(played, ARMS[arm](played.known(), config)))
    hits = [hit for each in outcomes for hit in each.hits]
    rejected = [true for each in outcomes for true in each.rejected]
    chosen = [true for each in outcomes for true in each.chosen]
    return Row(
        world,
        arm,
        problems,
        rollouts=sum(each.rollouts for each in outcomes),
        looked_into=len(hits),
        exact=mean(hits),
        exact_interval=_interval(outcomes, lambda them: mean(hit for each in them for hit in each.hits), seed),
        certainty=mean(sure for each in outcomes for sure in each.certainty),
        each=sum(each.rollouts for each in outcomes) / len(hits),
        wrong_steps=sum(each.wrong_steps for each in outcomes),
        each_wrong_step=_price(outcomes),
        each_interval=_interval(outcomes, _price, seed),
        preferences=len(rejected),
        rejected_wrong=mean(rejected),
        chosen_right=mean(chosen),
        both=mean(a and b for a, b in zip(rejected, chosen, strict=True)),
        new_solutions=sum(each.new for each in outcomes),
    )


def _price(outcomes: Sequence[Outcome]) -> float:
    return sum(each.rollouts for each in outcomes) / sum(each.wrong_steps for each in outcomes)


def _interval(
    outcomes: Sequence[Outcome], figure: Callable[[Sequence[Outcome]], float], seed: int, times: int = 500
) -> tuple[float, float]:
    rng = random.Random(seed)
    found = sorted(figure(rng.choices(outcomes, k=len(outcomes))) for _ in range(times))
    return found[times // 40], found[-1 - times // 40]


def show(rows: Sequence[Row]) -> None:
    head = f"{'arm':22}{'rollouts':>9}{'looked':>8}{'each':>7}{'exact %':>9}  {'95%':12}{'max P':>6}{'steps':>7}"
    print(f"{head}{'each':>7}  {'95%':12}{'pairs':>6}{'rej.':>7}{'chosen':>7}{'both':>7}{'new':>6}")
    for each in rows:
        low, high = each.exact_interval
        cheap, dear = each.each_interval
        print(
            f"{each.arm:22}{each.rollouts:>9,}{each.looked_into:>8,}{each.each:>7.1f}{100 * each.exact:>9.1f}"
            f"  {f'{100 * low:.1f}–{100 * high:.1f}':12}{100 * each.certainty:>6.1f}{each.wrong_steps:>7,}"
            f"{each.each_wrong_step:>7.1f}  {f'{cheap:.1f}–{dear:.1f}':12}{each.preferences:>6,}"
            f"{100 * each.rejected_wrong:>7.1f}{100 * each.chosen_right:>7.1f}{100 * each.both:>7.1f}"
            f"{each.new_solutions:>6,}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--problems", type=int, default=100, help="problems a world, three solutions each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--selections", type=int, default=8, help="new solutions a problem at most")
    parser.add_argument("--rollouts", type=int, help="rollouts a problem at most (default: no limit)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every row to this file")
    options = parser.parse_args(arguments)
    config = SearchConfig(selections=options.selections, rollouts=options.rollouts)
    started = time.perf_counter()
    with ProcessPoolExecutor(options.jobs) as pool:
        jobs = {
            (world, arm): pool.submit(row, world, arm, options.problems, options.seed, config)
            for world in LAWS
            for arm in ARMS
        }
        for world in LAWS:
            print(f"\n{world}")
            show([jobs[world, arm].result() for arm in ARMS])
    if options.json:
        options.json.write_text(json.dumps([asdict(job.result()) for job in jobs.values()], indent=1))
    print(
        f"\n{options.problems} problems a world, seed {options.seed}, {options.selections} new solutions a problem, "
        f"rollouts {options.rollouts or 'unlimited'}: {time.perf_counter() - started:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
