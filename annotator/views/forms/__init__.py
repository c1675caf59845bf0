"""What pages ask for. A form checks the shape of what was sent; what it means is for the domain."""

from __future__ import annotations

from django.forms import BaseForm


def mark_invalid(form: BaseForm) -> None:
    """Tell assistive technology which fields were refused."""
    for name in form.errors.keys() & form.fields.keys():
        form.fields[name].widget.attrs["aria-invalid"] = "true"
