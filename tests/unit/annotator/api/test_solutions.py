"""Solutions with everything that is known of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from annotator import routing, settlement
from annotator.models import Project, Settlement, StandIn
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, fields_of, json_of, problem_of

NASTY = ["a NUL \0 and", "a lone \ud83d surrogate", "line\u2028ends\u2029 and \U0001f600, \u241b0000", "<b>&amp;</b>"]


def test_a_solution_comes_with_steps_posterior_labels_and_counts(manager: Caller, project: Project) -> None:
    solution = make.make_solution(project, steps=["One.", "Two.", "Three."])
    make.make_judgement(solution, 1)
    make.make_rollouts(solution, 1, right=4)
    make.make_rollouts(solution, 2, wrong=4)
    routing.route([solution])
    shown = json_of(manager.get(f"solutions/{solution.code}/"))
    assert shown["steps"][1] == {"index": 1, "text": "Two.", "start": 6, "end": 10}
    assert shown["evidence"] == {"judgements": 1, "rollouts": 8, "scores": 0, "annotations": 0}
    posterior = shown["posterior"]
    assert posterior["first_error"] == 1
    assert len(posterior["probabilities"]) == len(posterior["p_correct"]) + 1 == 4
    assert posterior["certainty"] == max(posterior["probabilities"])
    assert abs(sum(posterior["probabilities"]) - 1) < 1e-9


def test_labels_say_their_source_and_whether_they_are_provisional(manager: Caller, project: Project) -> None:
    assert manager.person is not None
    human, machine = make.make_solution(project, steps=3), make.make_solution(project, steps=3)
    make.make_annotation(human, manager.person.work_as(), "1", "-1")
    settlement.settle(human)
    project.threshold = 0.5
    project.save()
    make.make_judgement(machine, 1)
    make.make_rollouts(machine, 1, right=8)
    make.make_rollouts(machine, 2, wrong=8)
    machine.refresh_from_db()
    routing.route([machine])
    by_people = json_of(manager.get(f"solutions/{human.code}/"))
    assert by_people["settlement"]["source"] == "human"
    assert [(label["index"], label["value"], label["source"]) for label in by_people["labels"]] == [
        (0, 1, "human"),
        (1, -1, "human"),
    ]
    by_machine = json_of(manager.get(f"solutions/{machine.code}/"))
    assert by_machine["settlement"]["provisional"] is True
    assert {label["provisional"] for label in by_machine["labels"]} == {True}


def test_nothing_known_is_null_and_not_zero(manager: Caller, project: Project) -> None:
    solution = make.make_solution(project, problem=make.make_problem(project, answer=None))
    shown = json_of(manager.get(f"solutions/{solution.code}/"))
    assert (shown["posterior"], shown["settlement"], shown["labels"]) == (None, None, [])
    assert shown["problem"]["answer"] is None


def test_text_that_no_database_holds_comes_back_exactly(manager: Caller, project: Project) -> None:
    problem = make.make_problem(project, "What is \0 and \ud800?")
    solution = make.make_solution(project, problem=problem, steps=NASTY)
    shown = json_of(manager.get(f"solutions/{solution.code}/"))
    assert [step["text"] for step in shown["steps"]] == NASTY
    assert shown["problem"]["statement"] == "What is \0 and \ud800?"


def test_solutions_are_listed_by_status(manager: Caller, project: Project) -> None:
    new, queued = make.make_solution(project), make.make_solution(project)
    make.make_slot(queued)
    path = f"projects/{project.slug}/solutions/"
    assert [row["code"] for row in json_of(manager.get(path))["results"]] == [queued.code, new.code]
    assert [row["code"] for row in json_of(manager.get(f"{path}?status=queued"))["results"]] == [queued.code]
    assert json_of(manager.get(f"{path}?status=settled"))["results"] == []
    assert fields_of(manager.get(f"{path}?status=done")) == ["status"]


def test_withdrawn_solutions_leave_the_list_and_say_so_themselves(manager: Caller, project: Project) -> None:
    solution = make.make_solution(project, withdrawn_at=timezone.now())
    assert json_of(manager.get(f"projects/{project.slug}/solutions/"))["results"] == []
    assert json_of(manager.get(f"solutions/{solution.code}/"))["withdrawn"] is True


def test_pages_follow_their_cursors_and_meet_every_solution_once(manager: Caller, project: Project) -> None:
    codes = [make.make_solution(project).code for _ in range(7)]
    path: str | None = f"projects/{project.slug}/solutions/?page_size=3"
    seen: list[str] = []
    sizes = []
    while path:
        page = json_of(manager.get(path))
        seen += [row["code"] for row in page["results"]]
        sizes.append(len(page["results"]))
        make.make_solution(project)  # what comes in meanwhile moves nothing
        path = page["next"]
    assert seen == codes[::-1]
    assert sizes == [3, 3, 1]


def test_a_page_leads_back_to_the_one_before(manager: Caller, project: Project) -> None:
    for _ in range(4):
        make.make_solution(project)
    first = json_of(manager.get(f"projects/{project.slug}/solutions/?page_size=2"))
    assert first["previous"] is None
    assert json_of(manager.get(json_of(manager.get(first["next"]))["previous"]))["results"] == first["results"]


def test_a_cursor_that_no_page_gave_is_named(manager: Caller, project: Project) -> None:
    # no ASCII; p=x; p=' OR 1=1; p= a number beyond all keys; r=x
    for cursor in ("%C3%A9", "cD14", "cD0nIE9SIDE9MQ==", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "cj14"):
        assert fields_of(manager.get(f"projects/{project.slug}/solutions/?cursor={cursor}")) == ["cursor"]


def test_a_page_takes_as_many_queries_however_long_it_is(
    manager: Caller, project: Project, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    path = f"projects/{project.slug}/solutions/"
    manager.get(path)  # notes that the token was used
    for _ in range(12):
        solution = make.make_solution(project)
        make.make_judgement(solution, 1)
        make.make_rollouts(solution, 1, right=2)
    with django_assert_max_num_queries(17):
        assert len(json_of(manager.get(path))["results"]) == 12


def test_solutions_of_other_projects_are_not_there(outsider: Caller, project: Project) -> None:
    problem_of(outsider.get(f"solutions/{make.make_solution(project).code}/"), 404)


def test_a_majority_answer_stands_beside_the_problem_and_is_never_its_answer(manager: Caller, project: Project) -> None:
    solution = make.make_solution(problem=make.make_problem(project, answer=None), steps=3)
    stand_in = make.make_stand_in(solution.problem)
    posterior = make.make_posterior(solution, [0.1, 0.7, 0.1, 0.1], stand_in=stand_in)
    Settlement.objects.create(
        solution=solution,
        source="machine",
        provisional=True,
        step_count=3,
        first_error=1,
        posterior=posterior,
        stand_in=stand_in,
    )
    told = json_of(manager.get(f"solutions/{solution.code}/"))
    assert told["problem"]["answer"] is None
    said = told["stand_in"]
    assert (said["answer"], said["votes"], said["total"], said["models"]) == ("18", 14, 16, ["test/completer"])
    assert (told["posterior"]["stand_in"], told["settlement"]["stand_in"]) == (True, True)
    plain = json_of(manager.get(f"solutions/{make.make_solution(project).code}/"))
    assert plain["stand_in"] is None


def test_a_reference_answer_is_given_through_the_problem(manager: Caller, project: Project) -> None:
    problem = make.make_problem(project, answer=None)
    make.make_stand_in(problem)
    path = f"problems/{problem.code}/"
    assert json_of(manager.get(path))["answer"] is None
    assert fields_of(manager.patch(path, {"answer": "?"})) == ["answer"]
    assert fields_of(manager.patch(path, {})) == ["answer"]
    assert json_of(manager.patch(path, {"answer": "18"}))["answer"] == "18"
    assert not StandIn.objects.filter(superseded_at=None).exists()
