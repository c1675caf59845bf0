"""A file to be read in, and how."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from annotator.intake import FORMATS
from reasoning.steps import SPLITTERS

FORMAT_WORDS: Final = {
    "native": "native JSON Lines",
    "processbench": "ProcessBench",
    "prm800k": "PRM800K raw",
    "trl": "TRL stepwise",
    "math_shepherd": "Math-Shepherd",
    "rlhflow": "RLHFlow",
    "prmbench": "PRMBench",
    "mr_gsm8k": "MR-GSM8K, Mr-Ben",
    "bigbench_mistake": "BIG-Bench-Mistake",
    "scores": "scores by a PRM, of solutions that are here",
}
SPLITTER_WORDS: Final = {
    "step_marks": "at “Step 1:” marks",
    "blank_lines": "at blank lines",
    "numbered": "at a numbered list",
    "lines": "at every line",
    "sentences": "at sentences",
}


class Upload(forms.Form):
    file = forms.FileField(label="File")
    format = forms.ChoiceField(required=False)
    splitter = forms.ChoiceField(
        required=False,
        label="Split texts",
        help_text="Only for rows that hold one text and no steps.",
    )
    labels_as = forms.ChoiceField(
        required=False,
        label="Labels that come along",
        choices=[("labels", "settle the solution"), ("evidence", "are what somebody said")],
    )
    source = forms.CharField(
        required=False,
        max_length=120,
        help_text="For rows that name none. A row read in again is known by project, source and id.",
    )
    model = forms.CharField(
        required=False, max_length=200, label="Scores are by", help_text="The model, where rows of scores do not say."
    )
    annotators_are_people = forms.BooleanField(
        required=False, label="The same annotator in different rows is the same person"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, itself, keys, words in (
            ("format", "as the first rows look", FORMATS, FORMAT_WORDS),
            ("splitter", "as it seems best", SPLITTERS, SPLITTER_WORDS),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", itself), *((key, words.get(key, key)) for key in keys)]

    def options(self) -> dict[str, Any]:
        """What was chosen, for the intake; nothing where it was left."""
        names = ("splitter", "labels_as", "source", "model", "annotators_are_people")
        return {name: value for name in names if (value := self.cleaned_data.get(name))}

    def choosing(self) -> list[forms.BoundField]:
        return [self[name] for name in ("splitter", "labels_as", "source", "model")]
