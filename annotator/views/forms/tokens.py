"""A new API token."""

from __future__ import annotations

from django import forms

from annotator.models import Scope

MEANS = {
    Scope.READ: "read: projects, solutions, quality",
    Scope.INTAKE: "intake: load files",
    Scope.LABEL: "label: claim and submit",
    Scope.EXPORT: "export: make and download exports",
    Scope.MANAGE: "manage: projects, runs, settings",
}


class NewToken(forms.Form):
    name = forms.CharField(max_length=100, label="What it is for", help_text="Such as “training cluster”.")
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, words) for scope, words in MEANS.items()],
        widget=forms.CheckboxSelectMultiple,
        label="May",
        initial=[Scope.READ.value],
        help_text="Never more than your own role allows in each project.",
    )
