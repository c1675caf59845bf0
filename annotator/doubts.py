"""What is still in doubt about a solution: which steps to ask a person about, why, and how soon. Pure functions.

Steps are counted from 1 in the words, for they are shown to people. The words name the steps in question and never who
said what of which: they are read before the first rating, which should be the reader's own.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from annotator.beliefs import looked_at
from reasoning.types import NO_ERROR, Evidence, Posterior, Verdict

LEFT_UNREAD: Final = 0.02
"""At most so much probability of the first error may lie before the asked steps, and as much behind them."""
NOBODY_LOOKED: Final = "no machine has looked, or could tell"
_SAYS_SOMETHING: Final = 0.5
"""What the rest of the evidence points at is worth naming when it is this sure of it."""


def asked_steps(posterior: Posterior | None, steps: int, threshold: float) -> list[int]:
    """The contiguous run of steps that the posterior leaves open; all steps where it leaves none out.

    Never more is left unread than half of what the threshold would let machines get wrong.
    """
    if posterior is None:
        return list(range(steps))
    unread = min(LEFT_UNREAD, (1.0 - threshold) / 2)
    chances = posterior.probabilities[:steps]
    first, last = 0, steps - 1
    before = behind = 0.0
    while first < steps and before + chances[first] <= unread:
        before += chances[first]
        first += 1
    while last >= first and behind + chances[last] <= unread:
        behind += chances[last]
        last -= 1
    return list(range(first, last + 1)) if first <= last else list(range(steps))


def reason(evidence: Evidence, posterior: Posterior, without_judge: Posterior | None) -> str:
    """Why people are asked, in words. `without_judge` is what the rest of the evidence says, where there is a rest."""
    said = Counter(judgement.first_error for judgement in evidence.judgements).most_common()
    if said and without_judge is not None and evidence.counts and without_judge.certainty >= _SAYS_SOMETHING:
        judge, rollouts = said[0][0], without_judge.first_error
        if judge != rollouts:
            return f"judge and rollouts disagree: {_either(judge, rollouts)}"
    if len(said) > 1:
        return f"the judge's votes differ: {_either(said[0][0], said[1][0])}"
    if evidence.own_answer is Verdict.RIGHT and posterior.first_error != NO_ERROR:
        return "the final answer is right, the way to it is in doubt"
    first, second = _two_likeliest(posterior)
    if NO_ERROR not in (first, second):
        low, high = sorted((first, second))
        return f"machines are unsure between steps {low + 1} and {high + 1}"
    step = second if first == NO_ERROR else first
    return f"machines are unsure whether step {step + 1} is wrong"


def why(evidence: Evidence, posterior: Posterior | None, without_judge: Posterior | None) -> str:
    """The reason, also where nothing but the solution itself has spoken."""
    if posterior is None or not looked_at(evidence):
        return NOBODY_LOOKED
    return reason(evidence, posterior, without_judge)


def priority(evidence: Evidence, posterior: Posterior | None) -> float:
    """Larger is sooner, within 0 … 2: the most informative, and what convinces though it is probably wrong.

    A solution that no machine has looked at comes last: one may still settle it.
    """
    if posterior is None or not looked_at(evidence):
        return 0.0
    informative = 1.0 - posterior.certainty
    wrong = 1.0 - posterior.probabilities[-1]
    return informative + (wrong if evidence.own_answer is Verdict.RIGHT else 0.0)


def _either(one: int, other: int) -> str:
    low, high = sorted((one, other), key=lambda index: (index == NO_ERROR, index))
    return f"{_place(low)} or {_place(high)}"


def _place(first_error: int) -> str:
    return "no error" if first_error == NO_ERROR else f"step {first_error + 1}"


def _two_likeliest(posterior: Posterior) -> tuple[int, int]:
    none = len(posterior.probabilities) - 1
    order = sorted(range(none + 1), key=lambda i: -posterior.probabilities[i])
    first, second = (NO_ERROR if i == none else i for i in order[:2])
    return first, second
