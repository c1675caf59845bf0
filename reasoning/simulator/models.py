"""What the simulated models say. The prompts of `reasoning.evidence` are recognised by their fences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import orjson

from reasoning.evidence.fence import unfence
from reasoning.simulator.asked import Message
from reasoning.simulator.completer import find_place, go_on
from reasoning.simulator.law import Law
from reasoning.simulator.referee import judge, scores
from reasoning.simulator.truth import Truth

JUDGE: Final = "simulated/judge"
COMPLETER: Final = "simulated/completer"
PRM: Final = "simulated/prm"
MODELS: Final = (JUDGE, COMPLETER, PRM)

PRM_SEPARATOR: Final = "<extra_0>"

Say = Callable[..., str]
"""What a model says to one conversation; the arguments tell apart what is asked for more than once."""


class Models:
    """The models of one world."""

    def __init__(self, truth: Truth, law: Law) -> None:
        self.truth, self.law = truth, law

    def hear(self, messages: Sequence[Message]) -> Say:
        """How the last message will be answered: it is read once, however many completions are asked for."""
        said = messages[-1].text
        pieces = unfence(said)
        labels = [label for label, _ in pieces]
        texts = dict(pieces)
        if "solution" in texts and "problem" in texts:
            return self._completer(texts["problem"], texts["solution"])
        if "problem" in texts and any(label.startswith("step ") for label in labels):
            steps = [text for label, text in pieces if label.startswith("step ")]
            return self._judge(texts["problem"], steps)
        if self.truth.problem(said) is not None:
            return self._completer(said, "")
        known = f"I am a simulated model of Stepwise and know {len(self.truth):,} problems by heart"
        return lambda *draw: f"{known}; of anything else I cannot tell."

    def _completer(self, statement: str, prefix: str) -> Say:
        place = find_place(self.truth, self.law, statement, prefix)
        return lambda *draw: go_on(place, self.law, *draw)

    def _judge(self, statement: str, steps: Sequence[str]) -> Say:
        return lambda *draw: orjson.dumps(judge(self.truth, self.law, statement, steps, *draw)).decode()

    def score(self, text: str) -> list[float] | None:
        """A PRM's scores of a chat in Qwen's form; None where problem or solution are not known."""
        _, _, rest = text.partition("<|im_start|>user\n")
        statement, _, rest = rest.partition("<|im_end|>")
        _, _, solution = rest.partition("<|im_start|>assistant\n")
        *steps, _ = solution.split(PRM_SEPARATOR)
        return scores(self.truth, self.law, statement, steps)
