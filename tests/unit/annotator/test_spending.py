"""What rollouts cost the planner of a run that spends by tokens."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from annotator import runs
from annotator.models import Project, Role, Run, RunItem
from annotator.preannotation.desk import waiting_items
from annotator.preannotation.rolling import plan
from annotator.preannotation.spending import costs_of
from tests.factories import make_endpoint, make_person, make_project, make_run, make_solution

pytestmark = pytest.mark.django_db

LINE = "So it is 18 after this step."


@pytest.fixture
def project() -> Project:
    project = make_project(completer=make_endpoint("completer", prompt_price=1.0, completion_price=5.0))
    for steps in (3, 12):
        make_solution(project, steps=[LINE] * steps)
    return project


def waiting_run(project: Project, **config: str) -> Run:
    run = make_run(project, "rollouts", endpoint=project.completer, config=config)
    RunItem.objects.bulk_create(RunItem(run=run, solution=one) for one in project.solutions.all())
    return run


def costs(project: Project, **config: str) -> list[tuple[float, ...] | None]:
    run = waiting_run(project, **config)
    return costs_of(run, waiting_items(run))


def test_rollouts_cost_alike_unless_the_run_spends_by_tokens(project: Project) -> None:
    assert costs(project) == costs(project, spend="rollouts") == [None, None]


def test_tokens_make_long_rests_dear_against_the_mean_rollout_of_the_run(project: Project) -> None:
    short, long = costs(project, spend="tokens")
    assert short is not None
    assert long is not None
    assert (len(short), len(long)) == (2, 11)
    assert list(long) == sorted(long, reverse=True)
    assert max(short) < 1 < max(long)
    assert (sum(short) / 2 + sum(long) / 11) / 2 == pytest.approx(1, abs=0.05)  # what joins steps is in the mean alone


def test_the_endpoints_own_prices_decide_how_dear_writing_is(project: Project) -> None:
    def spread() -> float:
        _, long = costs(Project.objects.get(), spend="tokens")
        assert long is not None
        return long[0] / long[-1]

    assert project.completer is not None
    found = []
    for prompt_price, completion_price in ((1.0, 1.0), (0.0, 0.0), (1.0, 10.0), (0.0, 1.0)):
        project.completer.prompt_price, project.completer.completion_price = prompt_price, completion_price
        project.completer.save()
        found.append(spread())
    assert found[0] == pytest.approx(1)  # whatever is not read is written
    assert found == sorted(found)
    assert found[-1] == pytest.approx(11, rel=0.1)


def test_the_planner_of_such_a_run_takes_the_short_solution_first(project: Project) -> None:
    for spend, first in (("rollouts", 12), ("tokens", 3)):
        run = waiting_run(project, spend=spend)
        (request,) = plan(run, waiting_items(run)).next(1)
        assert project.solutions.get(pk=request.chain).step_count == first


def test_the_form_asks_by_what_to_spend_and_keeps_only_what_differs(project: Project) -> None:
    client = Client()
    client.force_login(make_person("mia", project=project, role=Role.MANAGER))
    for spend, kept in (("", {}), ("tokens", {"spend": "tokens"})):
        client.post(reverse("start_run", args=[project.slug]), {"kind": "rollouts", "again": "on", "spend": spend})
        config = Run.objects.order_by("-pk")[0].config
        assert {key: value for key, value in config.items() if key == "spend"} == kept


def test_an_estimate_tells_money_only_where_prices_are_known(project: Project) -> None:
    client = Client()
    client.force_login(make_person("mia", project=project, role=Role.MANAGER))
    page = reverse("new_run", args=[project.slug]) + "?kind=rollouts&spend=tokens&part=estimate"
    assert "no price known" not in client.get(page).content.decode()
    make_free(project)
    assert "no price known" in client.get(page).content.decode()
    assert runs.estimate(project, "rollouts", {}, {"spend": "tokens"}).tokens > 0


def make_free(project: Project) -> None:
    assert project.completer is not None
    project.completer.prompt_price = project.completer.completion_price = 0.0
    project.completer.save()
