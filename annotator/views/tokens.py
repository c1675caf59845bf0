"""One's own API tokens. A token's secret is shown once, in the answer to the form that made it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotator.models import Token
from annotator.views.access import Request
from annotator.views.forms import mark_invalid
from annotator.views.forms.tokens import NewToken


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def tokens(request: Request) -> HttpResponse:
    secret = ""
    form = NewToken(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _, secret = Token.issue(request.user, form.cleaned_data["scopes"], form.cleaned_data["name"])
        form = NewToken()
    mark_invalid(form)
    mine = Token.objects.filter(person=request.user, revoked_at=None).order_by("-pk")
    context = {"form": form, "secret": secret, "tokens": mine}
    return render(request, "annotator/tokens/page.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def revoke_token(request: Request, pk: int) -> HttpResponse:
    token = get_object_or_404(Token, pk=pk, person=request.user, revoked_at=None)
    token.revoke()
    messages.success(request, f"{token.name or 'The token'} no longer opens anything.")
    return redirect("tokens")
