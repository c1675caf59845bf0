"""The simulator's problems without its server: solutions, rollouts and the truth about both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import cache

from reasoning import steps
from reasoning.answers import find
from reasoning.equivalence import grade
from reasoning.first_error import Request
from reasoning.search import Branch, Known, Search, Selected, Selection
from reasoning.simulator.completer import complete
from reasoning.simulator.continuations import begun, whole
from reasoning.simulator.law import Law
from reasoning.simulator.truth import Truth
from reasoning.simulator.world import MadeProblem, make_problems, native_rows
from reasoning.types import NO_ERROR, Evidence, Problem, Rollout, Solution, Usage, Verdict


@cache
def problems(count: int = 12, seed: int = 3) -> tuple[MadeProblem, ...]:
    return make_problems(count, seed)


class World:
    """A model that answers at once, and what is true."""

    def __init__(self, made: Sequence[MadeProblem], law: Law | None = None) -> None:
        self.made, self.law, self.truth = made, law or Law(), Truth()
        self.truth.learn(native_rows(made))
        self.solutions: dict[Hashable, Solution] = {}

    def known(self) -> list[Known]:
        """The problems with their solutions, whose ids are those of the problem with a number."""
        return [self._known(problem) for problem in self.made]

    def _known(self, problem: MadeProblem) -> Known:
        branches = []
        for number, made in enumerate(problem.solutions):
            text, placed = steps.join(made.steps)
            solution = Solution(Problem(problem.statement, problem.answer), text, placed)
            own = Verdict.RIGHT if made.correct else Verdict.WRONG
            branches.append(Branch((problem.id, number), solution, Evidence(len(placed), own)))
        self.solutions |= {branch.id: branch.solution for branch in branches}
        return Known(problem.id, branches)

    def learn(self, selected: Sequence[Selected]) -> None:
        self.solutions |= {each.branch.id: each.branch.solution for each in selected}

    def draw(self, chain: Hashable, prefix: int, sample: int) -> Rollout:
        solution = self.solutions[chain]
        text = complete(self.truth, self.law, solution.problem.statement, solution.prefix(prefix), sample)
        answer = find(text)
        verdict, rule = grade(answer, solution.problem.answer) if answer else (Verdict.UNKNOWN, "no_answer")
        return Rollout(prefix, sample, text, answer, verdict, rule, "m", None, "stop", Usage(0, len(text) // 4))

    def first_error(self, solution: Solution) -> int:
        """The planted one."""
        problem = self.truth.problem(solution.problem.statement)
        texts = [step.text for step in solution.steps]
        known = whole(problem, texts) if problem else None
        assert known is not None
        first = known.error_in(texts)
        return NO_ERROR if first == len(texts) else first

    def holds(self, chain: Hashable, prefix: int, step: str) -> bool:
        """Whether a step is right after the first `prefix` steps of a solution."""
        before = [each.text for each in self.solutions[chain].steps[:prefix]]
        problem = self.truth.problem(self.solutions[chain].problem.statement)
        known = begun(problem, "\n\n".join([*before, step])) if problem else None
        assert known is not None
        return known[0].first_error > prefix


class Store:
    """What a database would keep of a search."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.problems = {known.problem: known for known in world.known()}
        self.rollouts: dict[Hashable, list[Rollout]] = defaultdict(list)
        self.selected: list[Selected] = []

    def keep(self, selected: Sequence[Selected]) -> None:
        self.selected += selected
        self.world.learn(selected)

    def known(self) -> list[Known]:
        return [self._known(known) for known in self.problems.values()]

    def _known(self, known: Known) -> Known:
        mine = [each for each in self.selected if each.problem == known.problem]
        branches = [*known.branches, *(each.branch for each in mine if each.rollout)]
        stored = [replace(branch, rollouts=tuple(self.rollouts[branch.id])) for branch in branches]
        made = [Selection(each.pair, each.branch.id) for each in mine]
        return Known(known.problem, stored, made, sum(len(branch.rollouts) for branch in stored))


def drive(search: Search, store: Store, limit: int = 16, most: int | None = None) -> list[Request]:
    """Draw and store until nothing is asked for, or `most` were drawn; returns what was asked for."""
    asked: list[Request] = []
    while (most is None or len(asked) < most) and (requests := search.next(limit)):
        store.keep(search.selected())
        asked += requests
        for request in requests:
            rollout = store.world.draw(*request)
            store.rollouts[request.chain].append(rollout)
            search.take(request.chain, [rollout])
    store.keep(search.selected())
    return asked


@cache
def grown() -> tuple[Search, Store]:
    """A search over thirty problems that has come to its end."""
    store = Store(World(problems(30, 9)))
    search = Search(store.world.known())
    drive(search, store, 64)
    return search, store
