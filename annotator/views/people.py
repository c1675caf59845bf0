"""Who is in a project, in which role; and, for who runs the installation, all accounts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotator import accounts, activity
from annotator.errors import Invalid
from annotator.models import Membership, Person, Project, Role
from annotator.permissions import Right
from annotator.views.access import Request, project_for, staff_only
from annotator.views.forms import mark_invalid
from annotator.views.forms.people import AddMember, AddPerson


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def project_people(request: Request, slug: str) -> HttpResponse:
    """Who is in, and, posted to, somebody more."""
    project = project_for(request, slug, Right.MANAGE)
    form = AddMember(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            added = accounts.add_to_project(project, **form.cleaned_data, actor=request.user)
        except Invalid as error:
            form.add_error("username", error.reason)
        else:
            if added.password is not None:
                fresh = {"person": added.person, "password": added.password, "new": True}
                return _members(request, project, AddMember(), fresh)
            messages.success(request, f"{added.person} is in, and signs in with the password they have.")
            return redirect("project_people", slug)
    return _members(request, project, form)


def _members(
    request: HttpRequest, project: Project, form: AddMember, fresh: dict[str, Any] | None = None
) -> HttpResponse:
    """`fresh` holds a password that is shown this once."""
    mark_invalid(form)
    actor: Any = request.user
    team = [{"one": one, "may_reset": accounts.may_reset(actor, one.person)} for one in activity.team(project)]
    context = {"form": form, "team": team, "roles": Role.choices, "fresh": fresh}
    return render(request, "annotator/people/page.html", context, status=422 if form.errors else 200)


def _member(project: Project, username: str) -> Membership:
    return get_object_or_404(
        Membership.objects.select_related("person", "project"), project=project, person__username=username
    )


@require_POST
@login_required
def change_member(request: Request, slug: str, username: str) -> HttpResponse:
    """Another role (`role=…`), or out (`role=` empty)."""
    project = project_for(request, slug, Right.MANAGE)
    membership = _member(project, username)
    if role := request.POST.get("role", ""):
        accounts.change_role(membership, role, request.user)
        messages.success(request, f"{username} is now {role}.")
    else:
        accounts.remove(membership, request.user)
        messages.success(request, f"{username} is out of {project}. Their work stays.")
    return redirect("project_people", slug)


@never_cache
@require_POST
@login_required
def reset_member(request: Request, slug: str, username: str) -> HttpResponse:
    project = project_for(request, slug, Right.MANAGE)
    person = _member(project, username).person
    password = accounts.reset_password(person, request.user)
    return _members(request, project, AddMember(), {"person": person, "password": password})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def people(request: Request) -> HttpResponse:
    """All accounts, and, posted to, one more."""
    staff_only(request)
    form = AddPerson(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            added = accounts.add_person(**form.cleaned_data, actor=request.user)
        except Invalid as error:
            form.add_error("username", error.reason)
        else:
            fresh = {"person": added.person, "password": added.password, "new": True}
            return _accounts(request, AddPerson(), fresh)
    return _accounts(request, form)


def _accounts(request: HttpRequest, form: AddPerson, fresh: dict[str, Any] | None = None) -> HttpResponse:
    mark_invalid(form)
    rows = Person.objects.prefetch_related("memberships__project").order_by("-is_active", "username")
    search = request.GET.get("q", "")
    if search:
        rows = rows.filter(username__icontains=search)
    do = {act: {"do": act} for act in ("reset", "close")}
    context = {"form": form, "people": rows, "count": rows.count(), "fresh": fresh, "search": search, "do": do}
    return render(request, "annotator/people/accounts.html", context, status=422 if form.errors else 200)


@never_cache
@require_POST
@login_required
def change_person(request: Request, username: str) -> HttpResponse:
    """`do=reset`: a new password; `do=close` or `do=open` the account."""
    staff_only(request)
    person = get_object_or_404(Person, username=username)
    if request.POST.get("do") == "reset":
        password = accounts.reset_password(person, request.user)
        return _accounts(request, AddPerson(), {"person": person, "password": password})
    active = request.POST.get("do") == "open"
    accounts.set_active(person, active, request.user)
    messages.success(request, f"The account {person} is {'open again' if active else 'closed'}.")
    return redirect("people")
