"""Adding people."""

from __future__ import annotations

from django import forms

from annotator.models import Role


class AddMember(forms.Form):
    username = forms.CharField(
        max_length=150,
        label="Name",
        help_text="An account that exists, or a new one: it gets a password that you hand over.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(choices=[(role.value, role.value) for role in Role])


class AddPerson(forms.Form):
    username = forms.CharField(
        max_length=150,
        label="Name",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    is_staff = forms.BooleanField(required=False, label="Runs the installation: all projects, endpoints, people")
