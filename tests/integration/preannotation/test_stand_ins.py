"""Rollout runs over problems without a reference answer, against the real simulator: it alone knows the truth."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import QuerySet

from annotator import preannotation, runs, stand_ins
from annotator.models import (
    Grade,
    Label,
    OwnGrade,
    Posterior,
    Preference,
    Problem,
    Project,
    Rollout,
    Run,
    RunItem,
    Selection,
    Settlement,
    Solution,
    StandIn,
    WorkState,
)
from annotator.preannotation import clients
from reasoning.equivalence import Relation, equal
from reasoning.evidence.majority import majority
from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems, native_rows
from tests.factories import make_certificate, make_endpoint, make_project
from tests.unit.annotator.exports.exported import made, manifest_of, rows_of
from tests.unit.annotator.intake.rows import take

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = native_rows(make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED), labels=False)[:36]
TRUTH = {row["problem"]: row["answer"] for row in ROWS}
UNANSWERED = [row | {"answer": None} for row in ROWS]


@pytest.fixture
def project(url: str) -> Project:
    """Solutions of problems whose answers only the simulator knows; the project has opted for stand-ins."""
    judge = make_endpoint("judge", base_url=url, model="simulated/judge", slots=8)
    completer = make_endpoint("completer", base_url=url, model="simulated/completer", slots=8)
    project = make_project(judge=judge, completer=completer, threshold=0.9, stand_ins=True)
    take(project, *UNANSWERED)
    return project


def carried_out(project: Project, kind: str = "rollouts", **how: Any) -> Run:
    run = runs.start(project, kind, **how)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    return run


def ballots() -> QuerySet[Rollout]:
    return Rollout.objects.filter(prefix=0)


def elected() -> set[int]:
    return set(StandIn.objects.filter(superseded_at=None).values_list("problem", flat=True))


def test_majorities_are_mostly_the_truth_and_what_has_none_gets_no_rollouts_and_says_so(project: Project) -> None:
    run = carried_out(project)
    assert run.state == WorkState.DONE
    problems = Problem.objects.filter(project=project)
    assert ballots().count() == 16 * problems.count()
    found = StandIn.objects.select_related("problem")
    right = [equal(each.answer, TRUTH[each.problem.statement]).verdict is Relation.EQUAL for each in found]
    assert len(right) >= problems.count() / 4
    assert sum(right) >= 0.9 * len(right)
    undecided = Solution.objects.filter(problem__in=problems.exclude(pk__in=elected()))
    assert undecided.exists()
    assert not Rollout.objects.filter(solution__in=undecided, prefix__gt=0).exists()
    reason = "the problem has no reference answer, and sampled answers do not agree enough: "
    for item in RunItem.objects.filter(run=run, solution__in=undecided):
        assert (item.state, item.detail.startswith(reason)) == ("skipped", True)
    assert set(undecided.values_list("status", flat=True)) == {"queued"}
    decided = Solution.objects.filter(problem__in=elected())
    assert all(each.rollouts.filter(prefix__gt=0).exists() for each in decided)


def test_what_rests_on_a_stand_in_names_it_and_no_certificate_speaks_for_it(project: Project) -> None:
    make_certificate(project, 0.6)
    carried_out(project)
    assert not Grade.objects.filter(stand_in=None).exists()
    assert not Grade.objects.filter(rollout__prefix=0).exists()
    assert not OwnGrade.objects.filter(stand_in=None).exists()
    assert all(each.stand_in.problem_id == each.solution.problem_id for each in Posterior.objects.all())  # type: ignore[union-attr]
    labelled = Settlement.objects.filter(source="machine")
    assert labelled.exists()
    for settlement in labelled:
        assert (settlement.provisional, settlement.certificate, settlement.simulated) == (True, None, True)
        assert settlement.stand_in_id is not None


def test_the_marks_survive_to_an_export(project: Project) -> None:
    project.threshold = 0.6
    project.save()
    carried_out(project)
    assert rows_of(made(project, "native")) == []
    left_out = manifest_of(made(project, "native"))["left_out"]
    assert left_out["provisional machine labels that rest on a majority answer, left out unless asked for"] > 0
    export = made(project, "native", provisional=True)
    rows, manifest = rows_of(export), manifest_of(export)
    assert len(rows) == manifest["stand_in_rows"] == export.rows > 0
    assert export.stand_in is True
    assert "majority" in manifest["notice"]
    for row in rows:
        assert (row["label_source"], row["answer"]) == ("provisional", None)
        said = row["meta"]["stand_in"]
        assert said["votes"] <= said["total"] <= 16
        assert said["answer"]


def test_a_resumed_run_pays_for_no_ballot_twice(project: Project) -> None:
    project.rollout_budget = 100
    project.save()
    run = carried_out(project)
    assert run.state == WorkState.PAUSED
    before = set(ballots().values_list("pk", flat=True))
    assert 0 < len(before) <= 100
    project.rollout_budget = None
    project.save()
    runs.resume(run)
    preannotation.advance(run.pk)
    assert ballots().count() == 16 * Problem.objects.filter(project=project).count()
    assert before <= set(ballots().values_list("pk", flat=True))
    run.refresh_from_db()
    assert run.rollouts == Rollout.objects.count()


def test_a_worker_that_dies_between_ballots_and_election_costs_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*args: object) -> None:
        raise Killed

    run = runs.start(project, "rollouts")
    with monkeypatch.context() as patch:
        patch.setattr(stand_ins, "elect", die)
        with pytest.raises(Killed):
            preannotation.advance(run.pk)
    before = ballots().count()
    assert before > 0
    assert not StandIn.objects.exists()
    preannotation.advance(run.pk)
    assert ballots().count() == 16 * Problem.objects.filter(project=project).count()
    assert elected()


def test_a_second_run_draws_nothing_for_those_that_could_not_agree(project: Project) -> None:
    carried_out(project)
    before = Rollout.objects.count()
    run = carried_out(project)
    assert (run.state, run.calls, Rollout.objects.count()) == (WorkState.DONE, 0, before)
    assert {item.solution.problem_id for item in run.items.all()}.isdisjoint(elected())


def test_asking_for_more_samples_draws_those_alone_and_elects_again(project: Project) -> None:
    carried_out(project)
    first = {each.problem_id: each for each in StandIn.objects.all()}
    project.stand_in_samples = 24
    project.save()
    carried_out(project, selection={"again": True})
    assert ballots().count() == 24 * Problem.objects.filter(project=project).count()
    for problem, old in first.items():
        old.refresh_from_db()
        assert old.superseded_at is not None
        assert not StandIn.objects.filter(problem=problem, superseded_at=None, samples__lt=24).exists()
    in_use = Posterior.objects.filter(superseded_at=None, stand_in__isnull=False)
    assert in_use.exists()
    assert not in_use.filter(stand_in__superseded_at__isnull=False).exists()


def test_a_project_that_has_not_opted_in_gets_no_rollouts_as_before(project: Project) -> None:
    Project.objects.update(stand_ins=False)
    project.refresh_from_db()
    run = carried_out(project)
    assert (run.calls, Rollout.objects.count()) == (0, 0)
    assert [group.reason for group in runs.failures(run)] == ["the problem has no reference answer"]


def test_a_reference_answer_that_comes_later_wins(project: Project) -> None:
    project.threshold = 0.6
    project.save()
    carried_out(project)
    marked = Posterior.objects.filter(superseded_at=None, stand_in__isnull=False).count()
    assert marked > 0
    kept = set(Grade.objects.values_list("pk", flat=True))
    read = take(project, *ROWS)
    assert (read.rows_known, read.rows_refused) == (len(ROWS), 0)
    assert not elected()
    preannotation.decide_outdated()
    assert not Posterior.objects.filter(superseded_at=None, stand_in__isnull=False).exists()
    assert not Settlement.objects.filter(superseded_at=None, stand_in__isnull=False).exists()
    assert kept < set(Grade.objects.values_list("pk", flat=True))
    # Who voted may now speak of the solve rate, for somebody else judges them.
    assert Grade.objects.filter(rollout__prefix=0, stand_in=None).exists()
    run = carried_out(project, "route")
    assert run.state == WorkState.DONE
    assert not Label.objects.filter(superseded_at=None, settlement__stand_in__isnull=False).exists()


def test_turning_stand_ins_off_takes_their_labels_back_when_it_is_decided_again(project: Project) -> None:
    project.threshold = 0.6
    project.save()
    carried_out(project)
    assert Label.objects.filter(superseded_at=None).exists()
    project.stand_ins = False
    project.save()
    carried_out(project, "route")
    assert not Label.objects.filter(superseded_at=None).exists()
    assert not Posterior.objects.filter(superseded_at=None).exists()
    assert elected()
    project.stand_ins = True
    project.save()
    run = carried_out(project, "route")
    assert run.calls == 0
    assert Label.objects.filter(superseded_at=None).exists()


def test_the_judge_is_not_told_the_stand_in(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    carried_out(project)
    asked: list[str] = []
    complete = clients.OpenAIChat.complete

    async def listen(self: Any, request: Any) -> Any:
        asked.append(str(request.messages))
        return await complete(self, request)

    monkeypatch.setattr(clients.OpenAIChat, "complete", listen)
    carried_out(project, "judge")
    assert len(asked) >= len(ROWS)
    assert not any(" reference]]" in each for each in asked)


def test_an_estimate_counts_the_ballots_that_are_still_to_be_drawn(project: Project) -> None:
    problems = Problem.objects.filter(project=project).count()
    before = runs.estimate(project, "rollouts", {}, {})
    assert before.calls == 10 * len(ROWS) + 16 * problems
    assert f"{16 * problems} whole solutions to find majority answers" in before.basis
    carried_out(project)
    after = runs.estimate(project, "rollouts", {"again": True}, {})
    assert "whole solutions" not in after.basis


def test_a_search_goes_by_the_stand_in_and_marks_all_that_comes_of_it(project: Project) -> None:
    run = carried_out(project, "search", config={"selections": 3})
    assert run.state == WorkState.DONE
    searched = set(run.items.filter(state="done").values_list("solution__problem", flat=True))
    assert searched == elected()
    skipped = run.items.exclude(state="done")
    assert {item.detail.split(":")[0] for item in skipped} == {stand_ins.undecided(majority([])).split(":")[0]}
    forks = Solution.objects.filter(project=project, forked_from__isnull=False)
    assert forks.count() > len(searched)
    for fork in forks:
        assert fork.own_grades.get().stand_in is not None
        assert fork.posteriors.get(superseded_at=None).stand_in_id is not None
        assert fork.status in ("queued", "machine")
    assert not Settlement.objects.filter(superseded_at=None, source="machine", stand_in=None).exists()
    pairs = Preference.objects.select_related("stand_in")
    assert pairs.exists()
    assert all(pair.stand_in and pair.stand_in.problem_id == pair.problem_id for pair in pairs)
    # Those who voted are among the ways from the bare problem, and have no grade by whom they elected.
    assert Selection.objects.filter(rollout__prefix=0).exists()
    assert not Grade.objects.filter(rollout__prefix=0).exists()
    assert ballots().count() == 16 * Problem.objects.filter(project=project).count()
    assert run.rollouts == Rollout.objects.count()


def test_a_search_that_was_paused_holds_no_election_twice_and_stays_within_its_limit(project: Project) -> None:
    problems = Problem.objects.filter(project=project).count()
    project.rollout_budget = 16 * problems + 40
    project.save()
    run = carried_out(project, "search", config={"selections": 2, "rollouts": 30})
    assert run.state == WorkState.PAUSED
    project.rollout_budget = None
    project.save()
    runs.resume(run)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert run.state == WorkState.DONE
    assert ballots().count() == 16 * problems
    assert run.rollouts == Rollout.objects.count()
    for problem in elected():
        assert Rollout.objects.filter(solution__problem=problem, prefix__gt=0).count() <= 30


def test_an_estimate_of_a_search_counts_the_ballots_and_those_drawn_otherwise_are_none(project: Project) -> None:
    problems = Problem.objects.filter(project=project).count()
    words = f"{16 * problems} whole solutions to find majority answers"
    assert words in runs.estimate(project, "search", {}, {}).basis
    carried_out(project)
    again = {"again": True}
    undecided = problems - len(elected())
    assert "whole solutions" not in runs.estimate(project, "search", again, {}).basis
    warmer = runs.estimate(project, "search", again, {"temperature": 1.3}).basis
    assert f"{16 * undecided} whole solutions to find majority answers" in warmer
