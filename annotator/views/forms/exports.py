"""What goes out, and as what."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.http import QueryDict

from annotator.exports import CHOICES, FORMATS

DEFAULT: Final = "as the format has it"
WORDS: Final = {
    "min_source": {
        "provisional": "provisional machine labels, and better",
        "machine": "certified machine labels, and better",
        "imported": "imported labels, and better",
        "human": "labels by people, and better",
        "adjudicated": "adjudicated labels, and better",
        "gold": "gold alone",
    },
    "neutral": {
        "positive": "count as good",
        "negative": "count as bad",
        "drop": "leave their solution out",
        "keep": "stay neutral",
    },
    "after_error": {
        "drop": "are left out",
        "negative": "count as bad",
        "mask": "go without a label",
        "keep": "keep what they have",
    },
    "unrated": {"positive": "count as good", "drop": "leave their solution out", "keep": "stay without a label"},
    "unlabelled": {"drop": "stay here", "keep": "go out without labels"},
    "evidence": {"drop": "stays here", "keep": "goes out beside the labels"},
    "container": {"jsonl": "JSON Lines", "parquet": "Parquet"},
}
LABELS: Final = {
    "min_source": "At least",
    "neutral": "Neutral steps",
    "after_error": "Steps after the first error",
    "unrated": "Unrated steps before it",
    "unlabelled": "Solutions without labels",
    "evidence": "Evidence",
    "container": "File type",
}


def fitting(data: QueryDict) -> QueryDict:
    """What was chosen among the options of another format than is chosen now, without what this one cannot hold."""
    writer = FORMATS.get(data.get("format", ""))
    if writer is None or data.get("options_of", writer.name) == writer.name:
        return data
    kept = data.copy()
    for name, possible in writer.allowed.items():
        if kept.get(name) not in possible:
            kept.pop(name, None)
    return kept


class NewExport(forms.Form):
    """Offers what the chosen format can hold. It takes all choices: exports.request refuses the others, in words."""

    format = forms.ChoiceField(choices=[(name, writer.title) for name, writer in FORMATS.items()])
    split = forms.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        label="Share for a test part",
        help_text="By problem, so that no problem stands on both sides; it stays where it is when rows are added.",
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": "none"}),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.writer = FORMATS.get((data or {}).get("format", ""), FORMATS[next(iter(FORMATS))])
        for name, values in CHOICES.items():
            known = {value: WORDS[name][value] for value in values}
            none = {} if name == "min_source" else {"": DEFAULT}
            offered = none | {value: known[value] for value in self.writer.allowed.get(name, values)}
            field = forms.ChoiceField(choices=none | known, required=False, label=LABELS[name], initial="machine")
            field.widget.choices = list(offered.items())
            self.fields[name] = field

    def initial_data(self) -> dict[str, Any]:
        """What an untouched form would send."""
        return {"format": self.writer.name, "min_source": "machine"}

    def choices(self) -> dict[str, Any]:
        """Only what was chosen; the rest is the format's."""
        chosen = {name: self.cleaned_data.get(name) for name in (*CHOICES, "split")}
        return {name: value for name, value in chosen.items() if value not in (None, "")}

    def choosing(self) -> list[forms.BoundField]:
        return [self["format"], self["min_source"]]

    def options(self) -> list[forms.BoundField]:
        """What else there is to choose in this format, and whatever was refused."""
        held = {name: self.writer.allowed.get(name, values) for name, values in CHOICES.items() if name != "min_source"}
        names = [name for name, values in held.items() if len(values) > 1 or name in self.errors]
        return [self[name] for name in (*names, "split")]
