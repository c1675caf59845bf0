"""The benchmark of majority answers draws what it says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.stand_ins import FAVOURITE, TRUTH, Problems, World, main, spend


def test_most_elected_answers_are_right_and_the_rest_are_favourite_mistakes() -> None:
    drawn = Problems(World("as usual"), seed=3).solutions(400, 1)
    assert {one.elected for one in drawn} == {TRUTH, FAVOURITE}
    assert 0.8 < np.mean([one.elected == TRUTH for one in drawn]) < 0.98
    assert all(one.votes.votes >= 2 / 3 * one.votes.total for one in drawn)


def test_the_planner_spends_what_it_is_given_and_its_rollouts_are_graded_by_the_elected_answer() -> None:
    problems = Problems(World("as usual"), seed=4)
    drawn = problems.solutions(60, 2)
    spend(problems, drawn, 3.0)
    assert sum(graded for one in drawn for _, graded in one.counts.values()) == 3 * len(drawn)
    surely = [one for one in drawn if one.elected == TRUTH and one.first_error == len(one.value) - 1]
    assert all(one.own == TRUTH for one in surely)


def test_it_prints_both_beliefs_in_every_world(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--problems", "120", "--rollouts", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("trusted", "weighed"))] == ["trusted", "weighed"] * 6
