"""PRM800K raw: one labelling session a line, with every alternative that was rated at every step.

The path taken is the chosen completion of each step, or the human one where none was chosen. Every completion that was
not chosen ends a chain of its own: the path so far and then it. So one line yields several rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from annotator.intake import fields
from annotator.intake.formats.reader import Reader
from annotator.intake.rows import Row, RowRefused

_FINISH_REASONS: Final = ("found_error", "solution", "bad_problem", "give_up")


@dataclass(slots=True)
class _Path:
    """Steps taken so far. A step written by a person is right in their eyes but was not rated."""

    steps: list[str] = field(default_factory=list)
    labels: list[int | None] = field(default_factory=list)
    human: list[int] = field(default_factory=list)

    def take(self, text: str, label: int | None, *, human: bool) -> None:
        if human:
            self.human.append(len(self.steps))
        self.steps.append(text)
        self.labels.append(label)

    def first_error(self) -> int | None:
        """The labeller wrote the human steps instead of wrong ones: they hold no error."""
        held = [1 if i in self.human and label is None else label for i, label in enumerate(self.labels)]
        return fields.implied_first_error(held)


def read(value: Any) -> Iterator[Row]:
    session = fields.obj(value)
    question = fields.obj(session.get("question"), "question")
    label = fields.obj(session.get("label"), "label")
    finish_reason = fields.optional_text(label, "finish_reason") or ""
    if finish_reason not in ("", *_FINISH_REASONS):
        raise RowRefused("label.finish_reason", f"must be one of {', '.join(_FINISH_REASONS)}, is {finish_reason!r}")
    if not isinstance(label.get("steps"), list):
        raise RowRefused("label.steps", f"must be a list, is {fields.kind(label.get('steps'))}")
    rows = _Rows(session, question, label, finish_reason)
    path = _Path()
    for index, item in enumerate(label["steps"]):
        where = f"label.steps[{index}]"
        step = fields.obj(item, where)
        completions = _completions(step, where)
        chosen = _chosen(step, where, completions)
        for number, completion in enumerate(completions):
            if number != chosen:
                yield rows.alternative(path, completion, index, number)
        if chosen is None and not isinstance(step.get("human_completion"), dict):
            break
        if chosen is None:
            path.take(*_completion(step["human_completion"], f"{where}.human_completion"), human=True)
        else:
            path.take(*completions[chosen], human=False)
    if path.steps:
        yield rows.path(path)
    elif not rows.yielded:
        raise RowRefused("label.steps", "no step was labelled")


def _completions(step: Mapping[str, Any], where: str) -> list[tuple[str, int | None]]:
    """Text and rating of each; `completions` is null where the session stopped."""
    given = step.get("completions")
    if given is None:
        return []
    if not isinstance(given, list):
        raise RowRefused(f"{where}.completions", f"must be a list, is {fields.kind(given)}")
    return [_completion(item, f"{where}.completions[{number}]") for number, item in enumerate(given)]


def _completion(value: Any, where: str) -> tuple[str, int | None]:
    completion = fields.obj(value, where)
    text = completion.get("text")
    if not isinstance(text, str):
        raise RowRefused(f"{where}.text", f"must be text, is {fields.kind(text)}")
    rating = completion.get("rating")
    label = None if rating is None else fields.whole(rating, f"{where}.rating")
    if label not in (-1, 0, 1, None):
        raise RowRefused(f"{where}.rating", f"must be -1, 0, 1 or null, is {label}")
    return text, label


def _chosen(step: Mapping[str, Any], where: str, completions: list[tuple[str, int | None]]) -> int | None:
    if step.get("chosen_completion") is None:
        return None
    chosen = fields.whole(step["chosen_completion"], f"{where}.chosen_completion")
    if not 0 <= chosen < len(completions):
        raise RowRefused(f"{where}.chosen_completion", f"is {chosen}, but there are {len(completions)} completions")
    return chosen


@dataclass(slots=True)
class _Rows:
    """Makes the rows of one session."""

    session: Mapping[str, Any]
    question: Mapping[str, Any]
    label: Mapping[str, Any]
    finish_reason: str
    yielded: int = 0

    def path(self, path: _Path) -> Row:
        meta: dict[str, Any] = {
            "total_time_ms": self.label.get("total_time"),
            "finish_reason": self.finish_reason,
        }
        meta |= {name: self.session[name] for name in self.session if name not in ("question", "label")}
        known = ("problem", "ground_truth_answer", "ground_truth_solution")
        meta |= {name: value for name, value in self.question.items() if name not in known and value is not None}
        if path.human:
            meta["human_written_steps"] = path.human
        if self.finish_reason not in ("", "solution"):
            meta["partial"] = True
        # A path that stops before the error that was found holds none: the reason is the session's, not the path's.
        told = {"solution": -1, "found_error": len(path.steps) - 1}.get(self.finish_reason)
        return self._row(path, "path", meta, self.finish_reason if told == path.first_error() else "")

    def alternative(self, path: _Path, completion: tuple[str, int | None], step: int, number: int) -> Row:
        longer = _Path([*path.steps], [*path.labels], [*path.human])
        longer.take(*completion, human=False)
        self.yielded += 1
        return self._row(longer, f"{step}/{number}", {"partial": True, "alternative": [step, number]}, "")

    def _row(self, path: _Path, suffix: str, meta: dict[str, Any], finish_reason: str) -> Row:
        generation = self.session.get("generation")
        solution = self.question.get("ground_truth_solution")
        return Row(
            problem=fields.text(self.question, "problem"),
            steps=path.steps,
            answer=self.question.get("ground_truth_answer"),
            reference_solution=solution if isinstance(solution, str) else None,
            source="PRM800K/phase1" if generation is None else f"PRM800K/phase2/{generation}",
            source_id=self._identity(suffix),
            generator="PRM800K",
            first_error=path.first_error(),
            step_labels=path.labels,
            finish_reason=finish_reason,
            meta={"label_source": "human (PRM800K labelers)"}
            | ({"reference_solution": solution} if isinstance(solution, str) else {})
            | meta,
        )

    def _identity(self, suffix: str) -> str | None:
        """A session is known by who made it and when."""
        labeler, timestamp = self.session.get("labeler"), self.session.get("timestamp")
        if not isinstance(labeler, str) or not isinstance(timestamp, str):
            return None
        return f"{labeler}/{timestamp}/{suffix}"


READER: Final = Reader(
    name="prm800k",
    title="PRM800K, raw",
    recognises=lambda row: isinstance(row.get("question"), dict) and isinstance(row.get("label"), dict),
    read=read,
)
