"""A new run: its kind, its selection, its configuration."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from annotator.models import Intake, Project, RunKind, SolutionStatus, Spend
from annotator.models.projects import MOST_EXAMPLES
from annotator.runs import SEARCH_DEFAULTS

KINDS = {
    RunKind.JUDGE: "Judge: a model reads each solution and says which step is wrong",
    RunKind.ROLLOUTS: "Rollouts: continue from steps and see whether the answer comes out right",
    RunKind.SEARCH: "Search: continue each problem in many ways, and make solutions of those that go wrong",
    RunKind.SCORE: "Score: a process reward model scores each step",
    RunKind.ROUTE: "Route: only decide again, with what is known",
}
CONFIG = {
    RunKind.JUDGE: ("votes", "examples", "temperature", "max_tokens"),
    RunKind.ROLLOUTS: ("price", "spend", "cap", "temperature", "max_tokens"),
    RunKind.SEARCH: (
        "selections",
        "rollouts",
        "root_rollouts",
        "price",
        "alpha",
        "beta",
        "length",
        "explore",
        "temperature",
        "max_tokens",
    ),
}

SPENDING = [("", Spend.ROLLOUTS.label), (Spend.TOKENS.value, Spend.TOKENS.label)]


class NewRun(forms.Form):
    kind = forms.ChoiceField(
        choices=[(kind.value, words) for kind, words in KINDS.items()],
        widget=forms.RadioSelect,
        initial=RunKind.JUDGE.value,
        label="What should look",
    )
    status = forms.ChoiceField(required=False, label="Solutions that are")
    intake = forms.ChoiceField(required=False, label="From intake")
    limit = forms.IntegerField(required=False, min_value=1, label="At most", help_text="Oldest first; empty is all.")
    again = forms.BooleanField(required=False, label="Also those that have been looked at already")
    votes = forms.IntegerField(required=False, min_value=1, max_value=32, label="Votes")
    examples = forms.IntegerField(required=False, min_value=0, max_value=MOST_EXAMPLES, label="Examples from people")
    price = forms.FloatField(required=False, min_value=0, max_value=1, label="Price of a rollout")
    spend = forms.ChoiceField(required=False, choices=SPENDING, label="Spend by")
    cap = forms.IntegerField(required=False, min_value=1, max_value=100_000, label="Rollouts a solution, at most")
    selections = forms.IntegerField(required=False, label="New solutions a problem, at most")
    rollouts = forms.IntegerField(required=False, label="Rollouts a problem, at most")
    root_rollouts = forms.IntegerField(required=False, label="Of these first, from the bare problem")
    alpha = forms.FloatField(required=False, label="α: lower favours what follows right steps")
    beta = forms.FloatField(required=False, label="β: lower favours short rollouts")
    length = forms.FloatField(required=False, label="L: tokens that count as short")
    explore = forms.FloatField(required=False, label="c: higher spreads wider over the tree")
    temperature = forms.FloatField(required=False, min_value=0, max_value=2)
    max_tokens = forms.IntegerField(required=False, min_value=1, max_value=1_000_000, label="Tokens a reply, at most")

    SELECTION: ClassVar = ("status", "intake", "limit", "again")

    def __init__(self, data: Any = None, *, project: Project) -> None:
        super().__init__(data)
        intakes = Intake.objects.filter(project=project, withdrawn_at=None)[:100]
        self._choose("status", "in any state", list(SolutionStatus.choices))
        self._choose("intake", "any", [(one.code, str(one)) for one in intakes])
        for name, default in (
            ("votes", project.judge_votes),
            ("examples", project.judge_examples),
            ("price", project.rollout_price),
            ("cap", project.rollout_cap),
        ):
            self.fields[name].widget.attrs["placeholder"] = f"{default:g}"
        for name in ("temperature", "max_tokens"):
            self.fields[name].widget.attrs["placeholder"] = "as the endpoint"
        for name, default in SEARCH_DEFAULTS.items():
            if name in self.fields:
                self.fields[name].widget.attrs["placeholder"] = f"{default:g}"
        for name in ("price", "temperature", "alpha", "beta", "length", "explore"):
            self.fields[name].widget.attrs["step"] = "any"

    def _choose(self, name: str, any_word: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", any_word), *choices]

    def initial_data(self) -> dict[str, Any]:
        """What an untouched form would send."""
        return {"kind": self.fields["kind"].initial}

    @property
    def chosen(self) -> str:
        return str(self.cleaned_data["kind"])

    def selection(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.SELECTION if self.cleaned_data.get(name)}

    def config(self) -> dict[str, Any]:
        """Only what was given, and only what this kind knows."""
        given = {name: self.cleaned_data.get(name) for name in CONFIG.get(RunKind(self.chosen), ())}
        return {name: value for name, value in given.items() if value not in (None, "")}

    def selecting(self) -> list[forms.BoundField]:
        return [self[name] for name in ("status", "intake", "limit")]

    def configuring(self) -> list[dict[str, Any]]:
        """Each field of the configuration, with the kinds of run that know it."""
        names = [name for name in self.fields if any(name in known for known in CONFIG.values())]
        return [
            {"field": self[name], "kinds": " ".join(kind.value for kind, known in CONFIG.items() if name in known)}
            for name in names
        ]
