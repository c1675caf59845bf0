"""Pages of what searches made and found."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotator.models import Audit, Person, Project, Role, Run, Selection, Sighting, Solution
from annotator.runs import SEARCH_DEFAULTS
from reasoning.search import SearchConfig
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.make_project(completer=make.make_endpoint("completer"))


@pytest.fixture
def run(project: Project) -> Run:
    return make.make_run(project, "search", state="done")


@pytest.fixture
def manager(project: Project) -> Person:
    return make.make_person(project=project, role=Role.MANAGER)


@pytest.fixture
def client(manager: Person) -> Client:
    client = Client()
    client.force_login(manager)
    return client


def read(client: Client, project: Project, name: str, *more: str, **query: str) -> str:
    response = client.get(reverse(name, args=[project.slug, *more]), query)
    assert response.status_code == 200
    return response.content.decode()


def fork_of(parent: Solution, run: Run, **fields: object) -> Solution:
    [rollout] = make.make_rollouts(parent, 1, wrong=1)
    values = {"forked_from": parent, "forked_at": 1, "source": "search", "source_id": None, **fields}
    fork = make.make_solution(problem=parent.problem, **values)  # type: ignore[arg-type]
    Selection.objects.create(run=run, rollout=rollout, solution=fork)
    return fork


def test_the_form_shows_the_defaults_of_the_library() -> None:
    config = SearchConfig()
    assert {name: getattr(config, name) for name in SEARCH_DEFAULTS} == SEARCH_DEFAULTS


def test_a_pair_is_shown_with_the_steps_before_it(client: Client, project: Project, run: Run) -> None:
    solution = make.make_solution(project, steps=["First <this>.", "Then that."])
    make.make_preference(solution, run, 1, chosen="Rather $x$.", rejected="Then that.", simulated=True)
    page = read(client, project, "pairs")
    for words in ("First &lt;this&gt;.", "Rather $x$.", "Then that.", "after step 1", "simulator"):
        assert words in page
    assert f"/solutions/{solution.code}/#step-2" in page


def test_a_pair_that_rests_on_a_majority_answer_says_so(client: Client, project: Project, run: Run) -> None:
    make.make_preference(make.make_solution(project), run)
    assert "by a majority answer" not in read(client, project, "pairs")
    Project.objects.update(stand_ins=True)
    marked = make.make_solution(problem=make.make_problem(project, answer=None))
    make.make_preference(marked, run, stand_in=make.make_stand_in(marked.problem))
    assert read(client, project, "pairs").count("by a majority answer") == 1


def test_pairs_are_searched_and_narrowed_to_one_search(client: Client, project: Project, run: Run) -> None:
    wanted = make.make_solution(problem=make.make_problem(project, "Of geese."))
    make.make_preference(wanted, run, chosen="one")
    make.make_preference(make.make_solution(project), make.make_run(project, "search"), chosen="another")
    assert "another" not in read(client, project, "pairs", q="geese")
    assert "another" not in read(client, project, "pairs", search=run.code)
    assert "None matches" in read(client, project, "pairs", q="ducks")


def test_pairs_take_as_many_queries_however_many_there_are(
    client: Client, project: Project, run: Run, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(30):
        make.make_preference(make.make_solution(project), run)
    with django_assert_max_num_queries(24):
        page = read(client, project, "pairs")
    assert page.count('<li id="pair-') == 25
    assert "older →" in page


def test_who_sees_a_pair_has_seen_what_machines_say_and_audits_are_withheld(
    client: Client, project: Project, run: Run, manager: Person
) -> None:
    seen, audited = make.make_solution(project), make.make_solution(project, status="queued")
    Audit.objects.create(project=project, solution=audited, share=0.1)
    make.make_preference(seen, run, chosen="shown")
    make.make_preference(audited, run, chosen="kept back")
    page = read(client, project, "pairs")
    assert "kept back" not in page
    assert "drawn for audit" in page
    assert [each.solution for each in Sighting.objects.filter(rater=manager.rater)] == [seen]


def test_a_run_links_to_what_it_yielded(client: Client, project: Project, run: Run) -> None:
    parent = make.make_solution(project)
    fork = fork_of(parent, run)
    make.make_preference(fork, run)
    page = read(client, project, "run", run.code)
    assert f"/solutions/?search={run.code}" in page
    assert f"/pairs/?search={run.code}" in page
    made = read(client, project, "solutions", search=run.code)
    assert fork.code in made
    assert f"/solutions/{parent.code}/" not in made


def test_a_search_that_made_nothing_says_so(client: Client, project: Project, run: Run) -> None:
    assert "No new solution" in read(client, project, "run", run.code)


def test_a_fork_names_its_parent_and_a_parent_its_forks(client: Client, project: Project, run: Run) -> None:
    parent = make.make_solution(project)
    fork, gone = fork_of(parent, run), fork_of(parent, run, withdrawn_at=run.created_at, steps=2)
    page = read(client, project, "solution", fork.code)
    assert f"/solutions/{parent.code}/#step-1" in page
    assert "made of a wrong rollout" in page
    assert "0/2" in page  # its parent's rollouts after the step that they share
    page = read(client, project, "solution", parent.code)
    assert f"/solutions/{fork.code}/#step-2" in page
    assert gone.code not in page


def test_a_search_is_started_from_the_form(client: Client, project: Project) -> None:
    make.make_solution(project)
    form = {"kind": "search", "selections": "3", "alpha": "0.7", "votes": "5"}
    client.post(reverse("start_run", args=[project.slug]), form)
    run = Run.objects.get()
    assert run.kind == "search"
    assert {name: run.config.get(name) for name in ("selections", "alpha", "votes")} == {
        "selections": 3,
        "alpha": 0.7,
        "votes": None,
    }
