"""Signing in and out, and one's own password: Django's views in our clothes."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.forms import Form
from django.http import HttpResponse
from django.urls import reverse, reverse_lazy

from annotator.models import Person


def mark_invalid(form: Form) -> None:
    """Tell assistive technology which fields were refused."""
    for name in form.errors.keys() & form.fields.keys():
        form.fields[name].widget.attrs["aria-invalid"] = "true"


class SignIn(views.LoginView):
    template_name = "annotator/login/page.html"
    redirect_authenticated_user = True

    def get_success_url(self) -> str:
        """A password that a manager handed out is changed before anything else."""
        must_change = cast(Person, self.request.user).must_change_password
        return reverse("password") if must_change else super().get_success_url()

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        mark_invalid(form)
        return super().form_invalid(form)


class ChangePassword(views.PasswordChangeView):
    template_name = "annotator/account/page.html"
    success_url = reverse_lazy("projects")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        cast(Person, self.request.user).must_change_password = False  # the form saves this very person
        messages.success(self.request, "Your password is changed.")
        return super().form_valid(form)

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        mark_invalid(form)
        return super().form_invalid(form)
