"""Examples for judges, files of scores and evidence in exports, as pages and the API offer them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotator import labels
from annotator.labels import Conclusion
from annotator.models import Export, Intake, Project, Role, Run, Solution, Source
from tests.factories import make_annotation, make_endpoint, make_person, make_project, make_rater, make_solution
from tests.unit.annotator.api.caller import Caller, fields_of, json_of
from tests.unit.annotator.intake.rows import jsonl

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    """With two solutions that a person settled, one with an error and one without, and one that nobody read."""
    project = make_project(judge=make_endpoint("judge", prompt_price=1.0))
    for first_error in (1, -1):
        solution = make_solution(project)
        values = labels.values_before(first_error, solution.step_count)
        annotation = make_annotation(solution, make_rater(), *map(str, values.values()))
        labels.conclude([Conclusion(solution, Source.HUMAN, first_error, values, annotations=[annotation])])
    make_solution(project, source_id="fresh")
    return project


@pytest.fixture
def client(project: Project) -> Client:
    client = Client()
    client.force_login(make_person("mia", project=project, role=Role.MANAGER))
    return client


@pytest.fixture
def caller(project: Project) -> Caller:
    return Caller(make_person("max", project=project, role=Role.MANAGER))


def at(name: str, project: Project, *more: Any) -> str:
    return reverse(name, args=[project.slug, *more])


def test_the_form_of_a_run_says_what_examples_there_are_and_its_page_links_them(
    client: Client, project: Project
) -> None:
    asked = {"kind": "judge", "examples": "2"}
    estimate = client.get(at("new_run", project), asked | {"part": "estimate"}).content.decode()
    assert "with 2 examples that people settled" in estimate
    few = client.get(at("new_run", project), {"kind": "judge", "examples": "4", "part": "estimate"}).content.decode()
    assert "with 2 of 4 examples: no more have been settled without a look at evidence" in few
    client.post(at("start_run", project), asked)
    run = Run.objects.get()
    page = client.get(at("run", project, run.code)).content.decode()
    assert "shown [" not in page
    for example in run.config["shown"]:
        assert at("solution", project, example["solution"]) in page
    assert client.post(at("start_run", project), {"kind": "judge", "examples": "9"}).status_code == 422


def test_the_settings_of_a_project_hold_where_a_run_says_nothing(
    client: Client, caller: Caller, project: Project
) -> None:
    path = f"projects/{project.slug}/"
    assert json_of(caller.get(path))["judge_examples"] == 0
    assert json_of(caller.patch(path, {"judge_examples": 2}))["judge_examples"] == 2
    assert list(fields_of(caller.patch(path, {"judge_examples": 9}))) == ["judge_examples"]
    assert 'placeholder="2"' in client.get(at("new_run", project)).content.decode()
    json_of(caller.post(f"{path}runs/", {"kind": "judge"}), 202)
    assert len(Run.objects.get().config["shown"]) == 2


@pytest.mark.parametrize("number", [-1, 9, 1.5, True, "2", [{"solution": "x"}]])
def test_the_api_refuses_what_is_no_number_of_examples(caller: Caller, project: Project, number: object) -> None:
    body = {"kind": "judge", "config": {"examples": number}}
    assert list(fields_of(caller.post(f"projects/{project.slug}/runs/", body))) == ["config.examples"]
    assert not Run.objects.exists()


def test_nobody_chooses_what_is_shown(caller: Caller, project: Project) -> None:
    body = {"kind": "judge", "config": {"shown": []}}
    assert list(fields_of(caller.post(f"projects/{project.slug}/runs/", body))) == ["config.shown"]


def test_examples_are_paid_for_with_every_call(caller: Caller, project: Project) -> None:
    path = f"projects/{project.slug}/runs/estimate/"
    bare, shown = (json_of(caller.post(path, {"kind": "judge", "config": {"examples": number}})) for number in (0, 2))
    assert shown["prompt_tokens"] > bare["prompt_tokens"] + 100 * bare["calls"]
    assert (shown["calls"], shown["cost"] > bare["cost"]) == (bare["calls"], True)


def test_scores_are_uploaded_like_any_file(client: Client, caller: Caller, project: Project) -> None:
    solution = Solution.objects.get(source_id="fresh")
    rows = jsonl({"id": "fresh", "scores": [0.9] * solution.step_count})
    look = client.post(at("look", project), {"head": SimpleUploadedFile("s.jsonl", rows), "model": "prm"})
    assert "scores by prm" in look.content.decode()
    client.post(at("upload", project), {"file": SimpleUploadedFile("s.jsonl", rows), "model": "prm"})
    read = Intake.objects.get()
    assert (read.format, read.options["model"]) == ("scores", "prm")
    told = json_of(caller.send(f"projects/{project.slug}/intake/?format=scores&model=prm", rows), 202)
    assert json_of(caller.get(f"intakes/{told['id']}/"))["format"] == "scores"
    long = caller.send(f"projects/{project.slug}/intake/?format=scores&model={'x' * 201}", rows)
    assert list(fields_of(long)) == ["options.model"]


def test_evidence_is_a_choice_of_native_exports(client: Client, caller: Caller, project: Project) -> None:
    client.post(at("exports", project), {"format": "native", "min_source": "human", "evidence": "keep"})
    assert Export.objects.get().choices["evidence"] == "keep"
    refused = client.get(at("exports", project), {"format": "trl", "evidence": "keep", "part": "preview"})
    assert "must be one of drop in this format" in refused.content.decode()
    body = {"format": "trl", "evidence": "keep"}
    assert list(fields_of(caller.post(f"projects/{project.slug}/exports/", body))) == ["evidence"]
