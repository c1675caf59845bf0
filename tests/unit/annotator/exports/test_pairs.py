"""Pairs of steps as files to train on."""

from __future__ import annotations

from typing import Any

import pytest

from annotator import exports
from annotator.errors import Invalid
from annotator.models import Project, Run, Settlement, Solution
from tests import factories as make
from tests.unit.annotator.exports.exported import bytes_of, made, manifest_of, rows_of

pytestmark = pytest.mark.django_db
STEPS = ["One.", "Two is three.", "So 17."]


@pytest.fixture
def run(project: Project) -> Run:
    return make.make_run(project, "search")


@pytest.fixture
def wrong(project: Project, run: Run) -> Solution:
    """A fork whose second step is the wrong one, with the pair that says so and a right rollout of its parent."""
    problem = make.make_problem(project, "What is 9 + 9?")
    parent = make.make_solution(problem=problem, steps=["One.", "Other."])
    make.make_rollouts(parent, 1, right=1)  # "so it is 18"
    wrong = make.make_solution(
        problem=problem, steps=STEPS, forked_from=parent, forked_at=1, source="search", source_id=None
    )
    make.make_preference(wrong, run, 1, chosen="so it", rejected=STEPS[1])
    return wrong


def settle(solution: Solution, source: str, first_error: int, **fields: Any) -> Settlement:
    return Settlement.objects.create(
        solution=solution, source=source, first_error=first_error, step_count=solution.step_count, **fields
    )


def test_a_preference_row_continues_the_problem_and_the_steps_before(project: Project, wrong: Solution) -> None:
    assert rows_of(made(project, "preference", min_source="provisional")) == [
        {"prompt": "What is 9 + 9?\n\nOne.\n\n", "chosen": "so it", "rejected": "Two is three."}
    ]


def test_a_step_dpo_row_has_what_its_trainer_reads(project: Project, wrong: Solution) -> None:
    assert rows_of(made(project, "step_dpo", provisional=True)) == [
        {
            "dataset": "search",
            "prompt": "What is 9 + 9?",
            "initial_reason_steps": "One.\n\n",
            "chosen": "so it",
            "rejected": "Two is three.",
            "full_chosen": "so it is 18",
            "full_rejected": "Two is three.\n\nSo 17.",
            "answer": "18",
        }
    ]


def test_a_pair_at_the_first_step_has_nothing_before_it(project: Project, run: Run) -> None:
    make.make_preference(make.make_solution(project, steps=STEPS), run, 0, chosen="Eins.", rejected="One.")
    [row] = rows_of(made(project, "step_dpo", provisional=True))
    assert (row["initial_reason_steps"], row["full_chosen"]) == ("", "Eins.")
    assert row["full_rejected"].startswith("One.")


@pytest.mark.parametrize(
    ("source", "first_error", "asked", "reason"),
    [
        (None, 1, {}, "provisional machine labels, left out unless asked for"),
        (None, 1, {"min_source": "provisional"}, None),
        ("human", 1, {}, None),
        ("human", 1, {"min_source": "human"}, None),
        ("imported", 1, {"min_source": "human"}, "imported labels, weaker than asked for"),
        ("human", 2, {"min_source": "provisional"}, "its solution is labelled with another first error"),
        ("human", -1, {"min_source": "provisional"}, "its solution is labelled with another first error"),
    ],
)
def test_what_people_say_of_a_solution_confirms_its_pair_or_keeps_it_here(
    project: Project, wrong: Solution, source: str | None, first_error: int, asked: dict[str, str], reason: str | None
) -> None:
    if source:
        settle(wrong, source, first_error)
    manifest = manifest_of(made(project, "preference", **asked))
    assert manifest["pairs_considered"] == 1
    assert manifest["left_out"] == ({reason: 1} if reason else {})
    assert manifest["rows"] == (0 if reason else 1)
    assert exports.preview(project, "preference", asked).left_out == ({reason: 1} if reason else {})


def test_pairs_of_one_problem_stand_on_one_side(project: Project, run: Run) -> None:
    for number in range(30):
        problem = make.make_problem(project, f"Problem {number}.")
        for _ in range(2):
            make.make_preference(make.make_solution(problem=problem, steps=STEPS), run)
    export = made(project, "preference", provisional=True, split="train=0.5,test=0.5")
    train, test = ({row["prompt"] for row in rows_of(export, part)} for part in ("train", "test"))
    assert train
    assert test
    assert not train & test


def test_the_same_pairs_are_the_same_export_and_a_new_one_makes_another(
    project: Project, run: Run, wrong: Solution
) -> None:
    first = made(project, "preference", provisional=True)
    assert made(project, "preference", provisional=True) == first
    make.make_preference(wrong, run, 0)
    second = made(project, "preference", provisional=True)
    assert second != first
    assert len(rows_of(second)) == 2
    assert len(rows_of(first)) == 1


def test_simulated_pairs_say_so_on_the_card(project: Project, run: Run) -> None:
    make.make_preference(make.make_solution(project), run, simulated=True)
    export = made(project, "preference", provisional=True)
    assert manifest_of(export)["simulated_rows"] == 1
    assert b"do not train on them" in bytes_of(export, "README.md")
    assert b"1 rows of 1 pairs" in bytes_of(export, "README.md")


def test_a_pair_leaves_nothing_to_choose_but_its_source(project: Project) -> None:
    with pytest.raises(Invalid, match="neutral"):
        exports.preview(project, "step_dpo", {"neutral": "drop"})
