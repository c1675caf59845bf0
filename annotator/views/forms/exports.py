"""What goes out, and as what."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from annotator.exports import CHOICES, FORMATS, MIN_SOURCES

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


class NewExport(forms.Form):
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
        for name, values in CHOICES.items():
            words = WORDS.get(name, {})
            options = [("", DEFAULT), *((value, words.get(value, value)) for value in values)]
            if name == "min_source":
                options = [(value, words[value]) for value in MIN_SOURCES]
            self.fields[name] = forms.ChoiceField(
                choices=options, required=False, label=LABELS.get(name, name), initial="machine"
            )

    def initial_data(self) -> dict[str, Any]:
        """What an untouched form would send."""
        return {"format": next(iter(FORMATS)), "min_source": "machine"}

    def choices(self) -> dict[str, Any]:
        """Only what was chosen; the rest is the format's."""
        chosen = {name: self.cleaned_data.get(name) for name in (*CHOICES, "split")}
        return {name: value for name, value in chosen.items() if value not in (None, "")}

    def choosing(self) -> list[forms.BoundField]:
        return [self[name] for name in ("format", *CHOICES, "split")]
