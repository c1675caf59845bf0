"""What may be told to an intake, checked before a file is received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

from annotator.errors import Invalid
from reasoning.characters import escape
from reasoning.steps import SPLITTERS

AS: Final = ("labels", "evidence")
CONTAINERS: Final = ("", "json", "jsonl", "parquet")
_FLAGS: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


@dataclass(frozen=True, slots=True)
class Options:
    source: str = ""
    """Source of rows that name none. Rows are known by (project, source, id)."""
    splitter: str = "auto"
    """How a text without steps is split; see reasoning.steps."""
    labels_as: str = "labels"
    """Labels that come along are settled ("labels") or kept as what somebody said ("evidence")."""
    model: str = ""
    """Whose scores a file of scores holds, where its rows do not say."""
    container: str = ""
    """How rows lie in the file: found out from its first bytes, whatever is said here."""
    annotators_are_people: bool = False
    """Do the same keys in `annotators` of different rows mean the same annotator?"""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Raises Invalid for a name or value that is not known. `as` is another name of `labels_as`."""
        named = {("labels_as" if name == "as" else name): value for name, value in given.items() if value is not None}
        unknown = set(named) - {field.name for field in fields(cls)}
        if unknown:
            known = ", ".join(["as", *(field.name for field in fields(cls) if field.name != "labels_as")])
            raise Invalid(f"options.{min(unknown)}", f"is not known; there are {known}")
        if "annotators_are_people" in named:
            named["annotators_are_people"] = _flag(named["annotators_are_people"])
        for name in ("source", "splitter", "model", "container", "labels_as"):
            if not isinstance(named.get(name, ""), str):
                raise Invalid(f"options.{name}", "must be text")
        options = cls(**named)
        if options.labels_as not in AS:
            raise Invalid("options.as", f"must be one of {', '.join(AS)}")
        if options.splitter != "auto" and options.splitter not in SPLITTERS:
            raise Invalid("options.splitter", f"must be one of auto, {', '.join(SPLITTERS)}")
        if options.container not in CONTAINERS:
            raise Invalid("options.container", f"must be one of {', '.join(CONTAINERS[1:])}")
        for name, longest in (("source", 120), ("model", 200)):
            if len(escape(getattr(options, name))) > longest:
                raise Invalid(f"options.{name}", f"is longer than {longest} characters")
        return options

    def as_json(self) -> dict[str, Any]:
        """What is stored with the intake, and what `parse` takes again."""
        return asdict(self)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    flag = _FLAGS.get(str(value).lower())
    if flag is None:
        raise Invalid("options.annotators_are_people", "must be true or false")
    return flag
