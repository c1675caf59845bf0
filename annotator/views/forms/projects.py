"""Making a project, and all its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from annotator.models import Endpoint, EndpointKind, Project


class NewProject(forms.Form):
    name = forms.CharField(max_length=120)
    slug = forms.SlugField(
        max_length=60,
        required=False,
        label="Short name",
        help_text="For addresses and the API. Made from the name if left empty; it cannot be changed later.",
    )
    description = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["slug"] = data.get("slug") or slugify(data.get("name", ""))[:60]
        if "name" in data and not data["slug"]:
            raise ValidationError({"slug": "No short name can be made from that name: give one."})
        if Project.objects.filter(slug=data["slug"]).exists():
            raise ValidationError({"slug": f"There is a project called {data['slug']} already."})
        return data


SECTIONS: Final = {
    "Project": ("name", "description", "guidelines"),
    "Routing": ("threshold", "audit_share"),
    "People": ("overlap", "evidence_mode", "lease_minutes"),
    "Machines": ("judge", "completer", "judge_votes", "judge_examples", "rollout_price", "rollout_cap"),
    "Problems without a reference answer": ("stand_ins", "stand_in_samples"),
    "Budgets": ("token_budget", "money_budget", "rollout_budget"),
}


if TYPE_CHECKING:
    Form = forms.ModelForm[Project]
else:
    Form = forms.ModelForm


class ProjectSettings(Form):
    class Meta:
        model = Project
        fields: ClassVar = [name for names in SECTIONS.values() for name in names]
        widgets: ClassVar = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "guidelines": forms.Textarea(attrs={"rows": 8}),
            "threshold": forms.NumberInput(attrs={"step": "0.001", "min": "0.5", "max": "1"}),
            "audit_share": forms.NumberInput(attrs={"step": "0.01", "min": "0", "max": "1"}),
            "rollout_price": forms.NumberInput(attrs={"step": "any", "min": "0"}),
            "money_budget": forms.NumberInput(attrs={"step": "any", "min": "0"}),
        }
        labels: ClassVar = {
            "audit_share": "Audit share",
            "evidence_mode": "Show evidence",
            "lease_minutes": "Lease, in minutes",
            "judge_votes": "Votes of the judge",
            "judge_examples": "Examples for the judge",
            "rollout_price": "Price of a rollout",
            "rollout_cap": "Rollouts a solution, at most",
            "stand_ins": "Let the majority answer stand in",
            "stand_in_samples": "Whole solutions drawn for it",
            "token_budget": "Tokens",
            "money_budget": "Money",
            "rollout_budget": "Rollouts",
        }
        help_texts: ClassVar = {
            "description": "One line for the list of projects.",
            "guidelines": "What annotators read about this project's ratings. They can open it at any time.",
            "threshold": "Machines label a solution when they are at least this certain of its first error, 0.5 to 1.",
            "audit_share": "Share of solutions, 0 to 1, drawn at random before routing and read blind and whole.",
            "evidence_mode": "When annotators see what machines said. Ratings made after that teach machines nothing.",
            "lease_minutes": "How long a solution is held for one annotator without a sign of life.",
            "judge": "Endpoint that says which step is wrong.",
            "completer": "Endpoint that continues solutions from a step, for rollouts.",
            "judge_votes": "Asked so many times for each solution; together they count as one judgement.",
            "judge_examples": (
                "Solutions that people settled without being shown evidence, audits aside; it sees them first. Shown "
                "others it is another judge."
            ),
            "rollout_price": "Rolling out stops when the next rollout would tell less than this.",
            "stand_ins": (
                "Rollouts of such problems are graded by what most of the completer's own solutions agree on. Where "
                "that is wrong, right steps are called wrong. So what rests on it is marked for ever, stays "
                "provisional, and is exported only when asked for. Off: these problems get no rollouts and no search."
            ),
            "stand_in_samples": "8 to 64 for each such problem. Where they do not agree enough, it gets no rollouts.",
            "token_budget": "Over the life of the project. Runs pause when it is used up; empty is unlimited.",
            "money_budget": "In the currency of the endpoints' prices; empty is unlimited.",
            "rollout_budget": "Empty is unlimited.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, kind in (("judge", EndpointKind.JUDGE), ("completer", EndpointKind.COMPLETER)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = Endpoint.objects.filter(kind=kind)
            field.empty_label = "none"

    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in SECTIONS.items()]
