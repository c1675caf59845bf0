"""What the simulated models say. The prompts of `reasoning.evidence` are recognised by their fences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from reasoning.evidence.fence import unfence
from reasoning.simulator import draws
from reasoning.simulator.completer import complete
from reasoning.simulator.law import Law
from reasoning.simulator.referee import judge, scores
from reasoning.simulator.truth import Truth

JUDGE: Final = "simulated/judge"
COMPLETER: Final = "simulated/completer"
PRM: Final = "simulated/prm"
MODELS: Final = (JUDGE, COMPLETER, PRM)

PRM_SEPARATOR: Final = "<extra_0>"


class Models:
    """The models of one world."""

    def __init__(self, truth: Truth, law: Law) -> None:
        self.truth, self.law = truth, law

    def reply(self, messages: Sequence[Mapping[str, Any]], draw: tuple[draws.Part, ...]) -> str:
        """What is said to the last message. `draw` tells apart what is asked for more than once."""
        said = str(messages[-1].get("content", ""))
        pieces = unfence(said)
        labels = [label for label, _ in pieces]
        texts = dict(pieces)
        if "solution" in texts and "problem" in texts:
            return complete(self.truth, self.law, texts["problem"], texts["solution"], *draw)
        if "problem" in texts and any(label.startswith("step ") for label in labels):
            steps = [text for label, text in pieces if label.startswith("step ")]
            answer = judge(self.truth, self.law, texts["problem"], steps, *draw)
            return orjson.dumps(answer).decode()
        if self.truth.problem(said) is not None:
            return complete(self.truth, self.law, said, "", *draw)
        return (
            f"I am a simulated model of Stepwise and know {len(self.truth):,} problems by heart; "
            "of anything else I cannot tell."
        )

    def score(self, text: str) -> list[float] | None:
        """A PRM's scores of a chat in Qwen's form; None where problem or solution are not known."""
        _, _, rest = text.partition("<|im_start|>user\n")
        statement, _, rest = rest.partition("<|im_end|>")
        _, _, solution = rest.partition("<|im_start|>assistant\n")
        *steps, _ = solution.split(PRM_SEPARATOR)
        return scores(self.truth, self.law, statement, steps)
