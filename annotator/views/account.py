"""Signing in and out, and one's own password: Django's views in our clothes."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.contrib.auth import SESSION_KEY, views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy

from annotator.models import Person
from annotator.views.forms import mark_invalid


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


class PasswordFirst:
    """Middleware. Nothing but changing it is open to somebody whose password a manager handed out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The session is looked at first, so that those who are not signed in cost no query.
        if SESSION_KEY in request.session and request.path not in (reverse("password"), reverse("logout")):
            person = request.user
            if isinstance(person, Person) and person.must_change_password:
                return redirect("password")
        return self.get_response(request)


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
