"""What the page, the file and the command say of a fit."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotator import fitting
from annotator.models import Fit, Project, Role, WorkState
from annotator.quality import habits
from reasoning.first_error.model import DEFAULTS, Confusion
from tests import factories as make

pytestmark = pytest.mark.django_db

REPORT: dict[str, Any] = {
    "fell_back": False,
    "reason": "fitted",
    "solutions": 1412,
    "firm": 400,
    "told": 120,
    "labels": 20,
    "left_out": 0,
    "held_out": 82,
    "log_likelihood": -1.42,
    "log_likelihood_before": -1.608,
    "standard_error": 0.034,
    "said": 110,
    "log_score": -0.2,
    "log_score_before": -0.3,
    "defaults": DEFAULTS.to_json(),
}


def in_force(project: Project, **report: Any) -> Fit:
    rater = make.make_person("ana").work_as()
    judges = {("test/judge", "0123456789abcdef"): Confusion(0.7, 0.1, 0.1, 0.3)}
    parameters = replace(DEFAULTS, recovery=0.25, judges=judges, raters={rater.code: Confusion(0.9, 0.05, 0.04, 0.01)})
    return Fit.objects.create(
        project=project, state=WorkState.DONE, parameters=parameters.to_json(), report=REPORT | report
    )


def test_without_a_fit_the_defaults_hold(project: Project) -> None:
    figure = habits.figure(project)
    assert figure["answer"] == "Not yet: the defaults hold, which were fitted to nothing in particular."
    assert (figure["table"]["rows"], figure["values"]["fit"]) == ([], None)


def test_a_fit_says_on_what_it_rests_and_what_it_gained(project: Project) -> None:
    fit = in_force(project)
    figure = habits.figure(project)
    assert figure["answer"] == (
        "Fitted on 1,412 solutions, 120 of them read or labelled by people; held-out log-likelihood −1.42 a solution "
        "against −1.61 with the defaults (± 0.03, 82 held out)."
    )
    assert figure["values"]["fit"] == fit.code
    rows = {words: numbers for words, *numbers in figure["table"]["rows"]}
    assert rows["a wrong step is recovered from"] == ["0.250", "0.120"]
    assert rows["a problem is solved, on average"] == ["0.571", "0.571"]
    assert rows["judge test/judge (prompt 01234567) names the first error"] == ["0.700", "0.600"]
    assert rows["ana names a step where none is wrong"] == ["0.010", "0.060"]


def test_a_fit_that_fell_back_says_why_and_shows_no_numbers(project: Project) -> None:
    in_force(project, fell_back=True, reason="worse than before on the solutions held out")
    figure = habits.figure(project)
    assert figure["answer"] == "No: the defaults hold. Worse than before on the solutions held out."
    assert figure["table"]["rows"] == []


def test_what_is_under_way_or_failed_is_said_beside_what_is_in_force(project: Project) -> None:
    in_force(project)
    later = Fit.objects.create(project=project)
    assert habits.figure(project)["answer"].endswith("(± 0.03, 82 held out). A fit is under way.")
    Fit.objects.filter(pk=later.pk).update(state=WorkState.FAILED, detail="KeyError: 'odd'")
    assert habits.figure(project)["answer"].endswith(" The last fit failed: KeyError: 'odd'.")


def signed_in(project: Project, role: str) -> Client:
    client = Client()
    client.force_login(make.make_person(project=project, role=role))
    return client


def test_managers_fit_now_and_others_see_what_came_of_it(project: Project) -> None:
    manager, reviewer = signed_in(project, Role.MANAGER), signed_in(project, Role.REVIEWER)
    assert b"Fit now" in manager.get(f"/projects/{project.slug}/quality/").content
    assert b"Fit now" not in reviewer.get(f"/projects/{project.slug}/quality/").content
    assert reviewer.post(f"/projects/{project.slug}/quality/fit/").status_code == 403
    response = manager.post(f"/projects/{project.slug}/quality/fit/")
    assert (response.status_code, response["Location"]) == (302, f"/projects/{project.slug}/quality/#habits")
    fit = Fit.objects.get()
    assert (fit.state, fit.created_by is not None) == (WorkState.QUEUED, True)
    page = manager.get(f"/projects/{project.slug}/quality/").content
    assert b"Fit now" not in page
    assert b"A fit is under way." in page


def test_the_table_is_a_file_too(project: Project) -> None:
    in_force(project)
    lines = signed_in(project, Role.TRAINER).get(f"/projects/{project.slug}/quality/habits.csv").content.splitlines()
    assert lines[0] == b'"how often, or how much",fitted,default'
    assert len(lines) == 1 + 12 + 4 + 4


def test_the_command_fits_at_once_and_prints_the_report(project: Project) -> None:
    out = io.StringIO()
    call_command("fit", "--project", project.slug, stdout=out)
    fit = Fit.objects.get()
    assert fit.state == WorkState.DONE
    assert "50 are needed" in out.getvalue()
    assert out.getvalue().splitlines()[-1] == f"fit  {fit.code}"
    with pytest.raises(CommandError, match="no project nowhere"):
        call_command("fit", "--project", "nowhere")


def test_the_command_says_what_failed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(*_: object) -> Fit:
        return Fit.objects.create(project=project, state=WorkState.FAILED, detail="KeyError: 'odd'")

    monkeypatch.setattr(fitting, "make", failed)
    with pytest.raises(CommandError, match="odd"):
        call_command("fit", "--project", project.slug)
