"""An endpoint. Its key is written here and never read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

from annotator.models import Endpoint, EndpointKind

if TYPE_CHECKING:
    Form = forms.ModelForm[Endpoint]
else:
    Form = forms.ModelForm


class EndpointForm(Form):
    base_url = forms.URLField(
        assume_scheme="https",
        max_length=300,
        label="Base URL",
        help_text="Of an OpenAI-compatible server, such as https://api.example.org/v1.",
    )
    key = forms.CharField(
        required=False,
        label="API key",
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = Endpoint
        fields: ClassVar = [
            "name",
            "kind",
            "base_url",
            "model",
            "slots",
            "temperature",
            "max_tokens",
            "timeout_seconds",
            "prompt_price",
            "completion_price",
        ]
        labels: ClassVar = {
            "slots": "Requests at once",
            "max_tokens": "Tokens a reply, at most",
            "timeout_seconds": "Timeout, in seconds",
            "prompt_price": "Price of prompt tokens",
            "completion_price": "Price of completion tokens",
        }
        help_texts: ClassVar = {
            "name": "What the settings of projects call it.",
            "model": "As the server calls it.",
            "slots": "",
            "prompt_price": "Per million; 0 if it costs nothing.",
            "completion_price": "Per million; 0 if it costs nothing.",
        }
        widgets: ClassVar = {
            name: forms.NumberInput(attrs={"step": "any", "min": "0"})
            for name in ("prompt_price", "completion_price", "temperature")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)
        kind.choices = [("", "choose one"), *EndpointKind.choices]
        kept = self.instance.pk is not None and self.instance.key_encrypted is not None
        words = "A key is kept; it is never shown. Leave empty to keep it." if kept else "No key is kept yet."
        self.fields["key"].help_text = f"{words} Changing the base URL forgets the key."
        for name in ("prompt_price", "completion_price"):
            self.fields[name].required = False

    def clean_prompt_price(self) -> float:
        return self.cleaned_data["prompt_price"] or 0.0

    def clean_completion_price(self) -> float:
        return self.cleaned_data["completion_price"] or 0.0

    def main(self) -> list[forms.BoundField]:
        return [self[name] for name in ("name", "kind", "base_url", "key", "model")]

    def limits(self) -> list[forms.BoundField]:
        return [self[name] for name in ("slots", "temperature", "max_tokens", "timeout_seconds")]

    def prices(self) -> list[forms.BoundField]:
        return [self[name] for name in ("prompt_price", "completion_price")]
