from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from annotator import intake
from annotator.errors import Conflict, Invalid
from annotator.intake import reading
from annotator.intake.store import Overtaken, store
from annotator.models import (
    Event,
    ImportedAnnotation,
    Intake,
    Label,
    Problem,
    Project,
    Settlement,
    Solution,
    SolutionStatus,
    Step,
    WorkState,
)
from reasoning.characters import unescape
from tests import factories as make
from tests.unit.annotator.intake.rows import counts, jsonl, lines, native, refusals, shared, take

pytestmark = pytest.mark.django_db


def texts_of(solution: Solution) -> list[str]:
    text = unescape(solution.text)
    return [text[step.start : step.end] for step in solution.step_rows.all()]


# --- rows in


def test_a_row_becomes_a_problem_a_solution_and_its_steps(project: Project) -> None:
    read = take(project, native(generator="m", meta={"level": 3}))
    assert (read.state, counts(read)) == (WorkState.DONE, (1, 1, 0, 0))
    solution = Solution.objects.get(project=project)
    assert (solution.problem.statement, solution.problem.answer) == ("What is 2 + 3?", "5")
    assert texts_of(solution) == ["2 + 3 is 5.", "So the answer is 5."]
    assert solution.text == "2 + 3 is 5.\n\nSo the answer is 5."
    assert (solution.own_answer, solution.generator, solution.meta) == ("5", "m", {"level": 3})
    assert (solution.status, solution.settlements.count()) == (SolutionStatus.NEW, 0)


def test_a_text_is_split_as_told_and_kept_byte_for_byte(project: Project) -> None:
    text = "First.\nSecond 𝟙.\n\nThird."
    take(project, native("a", steps=..., solution=text))
    take(project, native("b", steps=..., solution=text), splitter="lines")
    one, two = Solution.objects.order_by("pk")
    assert unescape(one.text) == unescape(two.text) == text
    assert texts_of(one) == ["First.\nSecond 𝟙.", "Third."]
    assert texts_of(two) == ["First.", "Second 𝟙.", "Third."]


def test_given_steps_keep_their_place_in_a_given_text(project: Project) -> None:
    read = take(
        project,
        native("a", steps=["One.", "Two."], solution=" One.\nTwo.\n"),
        native("b", steps=["One.", "Two."], solution="One. And Two."),
        native("c", steps=["One."], solution="One. And more."),
    )
    assert counts(read) == (3, 1, 0, 2)
    assert [field for _, field, _ in refusals(read)] == ["steps[1]", "solution"]
    solution = Solution.objects.get()
    assert solution.text == " One.\nTwo.\n"
    assert texts_of(solution) == ["One.", "Two."]


def test_what_the_database_cannot_hold_comes_back_as_it_came(project: Project) -> None:
    steps = ["nul \x00 here", "lone \ud83d end", "mark ␛0000 itself", "", "مرحبا 👩‍👩‍👧", "\x0crac{1}{2}"]
    meta = {"note \x00": ["\udfff", {"deep": "\x00"}]}
    read = take(
        project, native(problem="\x00 p \ud800", steps=steps, meta=meta, annotators={"a\x00": {"comment": "\x00"}})
    )
    assert counts(read) == (1, 1, 0, 0)
    solution = Solution.objects.get()
    assert texts_of(solution) == steps
    assert unescape(solution.problem.statement) == "\x00 p \ud800"
    assert ImportedAnnotation.objects.get().data == {"comment": "␛0000"}


def test_all_stress_rows_are_in_with_every_character(project: Project) -> None:
    path = shared("stress_cases.public.jsonl")
    read = intake.load(path, project, "native")
    assert counts(read) == (60, 60, 0, 0)
    for row in lines(path):
        solution = Solution.objects.get(source=row["source"], source_id=row["id"])
        assert texts_of(solution) == row["steps"]


def test_real_rows_of_three_sets_are_in_and_a_second_time_add_nothing(project: Project) -> None:
    names = ("processbench", "stepverify", "mr_ben")
    for again in (False, True):
        read = [intake.load(shared(f"{name}.public.jsonl"), project, "native") for name in names]
        assert [counts(each) for each in read] == [(n, 0, n, 0) if again else (n, n, 0, 0) for n in (800, 311, 500)]
    assert Solution.objects.count() == 1611
    told = Settlement.objects.filter(solution__source="StepVerify")
    assert told.count() == 270
    assert not Label.objects.exclude(source="imported").exists()


def test_problems_are_one_when_text_and_answer_are(project: Project) -> None:
    take(
        project,
        native("a", problem="What is  2 + 3?"),
        native("b", problem="What is 2 + 3? "),
        native("c", answer="6"),
    )
    assert Problem.objects.count() == 2


# --- known again, and refused


def test_the_same_row_again_is_known(project: Project) -> None:
    row = native(first_error=1)
    assert counts(take(project, row, row)) == (2, 1, 1, 0)
    assert counts(take(project, row)) == (1, 0, 1, 0)
    assert Solution.objects.count() == Settlement.objects.count() == 1


def test_the_same_id_with_other_content_is_refused_and_both_are_named(project: Project) -> None:
    take(project, native("a"))
    read = take(project, native("a", steps=["other"]), native("b"), native("b", steps=["other"]))
    assert counts(read) == (3, 1, 0, 2)
    code = Solution.objects.get(source_id="a").code
    [(line, field, reason), (_, _, other)] = refusals(read)
    assert (line, field) == (1, "id")
    assert "'a' of source 'test'" in reason
    assert f"solution {code} from rows.jsonl" in reason
    assert "line 2 of this file" in other


def test_a_row_without_an_id_is_known_by_its_content(project: Project) -> None:
    row = native(id=...)
    assert counts(take(project, row, row, row | {"steps": ["other"]})) == (3, 2, 1, 0)
    assert counts(take(project, row)) == (1, 0, 1, 0)


def test_the_same_id_of_another_source_or_project_is_another_row(project: Project) -> None:
    take(project, native("a", source="one"), native("a", source="two", steps=["other"]))
    take(make.make_project(), native("a", source="one", steps=["other still"]))
    assert Solution.objects.count() == 3


def test_a_refused_row_is_named_and_the_others_go_in(project: Project) -> None:
    read = take(project, native("a"), b'{"id": ', native("b", steps=[]), native("c", first_error=7), native("d"))
    assert (read.state, counts(read)) == (WorkState.DONE, (5, 2, 0, 3))
    assert [(line, field) for line, field, _ in refusals(read)] == [(2, ""), (3, "steps"), (4, "first_error")]
    assert [refusal.excerpt[:9] for refusal in read.refusals.all()] == ['{"id":', '{"id":"b"', '{"id":"c"']


@pytest.mark.parametrize(
    ("labels", "first_error", "field"),
    [([-1, 1], 1, "step_labels"), ([1, 1], 1, "step_labels"), ([-1, 1], -1, "step_labels")],
)
def test_labels_that_contradict_the_first_error_are_refused(
    project: Project, labels: list[int], first_error: int, field: str
) -> None:
    read = take(project, native(step_labels=labels, first_error=first_error))
    assert [refusal[1] for refusal in refusals(read)] == [field]


def test_a_file_without_rows_fails_in_words(project: Project) -> None:
    read = take(project, b"  ")
    assert (read.state, read.detail) == (WorkState.FAILED, "The file holds no row.")
    with pytest.raises(Invalid, match="is empty"):
        intake.receive(project, [], format="native")


def test_nothing_is_kept_of_a_file_that_is_asked_for_wrongly(project: Project, files: Path) -> None:
    for arguments in ({"format": "nativ"}, {"format": "native", "options": {"splitter": "guess"}}):
        with pytest.raises(Invalid):
            intake.receive(project, [jsonl(native())], **arguments)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match=r"options.colour: is not known"):
        intake.receive(project, [jsonl(native())], format="native", options={"colour": "red"})
    make_archived = make.make_project(archived_at="2026-01-01T00:00Z")
    with pytest.raises(Conflict, match="archived"):
        intake.receive(make_archived, [jsonl(native())], format="native")
    assert not Intake.objects.exists()
    assert not list(files.rglob("*"))


def test_a_file_that_stops_half_way_leaves_nothing(project: Project, files: Path) -> None:
    def chunks() -> Any:
        yield jsonl(native())
        raise ConnectionError("the sender went away")

    with pytest.raises(ConnectionError):
        intake.receive(project, chunks(), format="native")
    assert not Intake.objects.exists()
    assert not list((files / "intake").iterdir())


# --- again after a kill, and two at once


def test_reading_goes_on_where_it_was_killed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", 3)
    rows = [native(f"r{number}", steps=[f"step {number}"]) for number in range(10)]
    rows[4]["steps"] = []
    received = intake.receive(project, [jsonl(*rows)], format="native")
    calls = 0

    def killed(*arguments: Any, **named: Any) -> Intake:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return store(*arguments, **named)

    monkeypatch.setattr(reading, "store", killed)
    with pytest.raises(KeyboardInterrupt):
        intake.read(received.pk)
    half = Intake.objects.get(pk=received.pk)
    assert (half.state, counts(half)) == (WorkState.RUNNING, (6, 5, 0, 1))
    monkeypatch.setattr(reading, "store", store)
    read = intake.read(received.pk)
    assert (read.state, counts(read)) == (WorkState.DONE, (10, 9, 0, 1))
    assert counts(intake.read(received.pk)) == (10, 9, 0, 1)


def test_a_batch_that_another_reader_stored_is_not_stored_twice(project: Project) -> None:
    received = intake.receive(project, [jsonl(native())], format="native")
    Intake.objects.filter(pk=received.pk).update(rows_read=1, state=WorkState.RUNNING)
    with pytest.raises(Overtaken):
        store(received.pk, [], after=0)


def test_a_wrong_format_is_given_up_on(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", 5)
    monkeypatch.setattr(reading, "_HOPELESS", 10)
    read = take(project, *({"no": "row"} for _ in range(40)))
    assert (read.state, read.rows_read) == (WorkState.FAILED, 10)
    assert "is it native?" in read.detail


# --- taken back


def test_a_withdrawn_intake_counts_no_more_and_can_be_read_again(project: Project) -> None:
    person = make.make_person(project=project)
    read = take(project, native("a", first_error=1), native("b"))
    other = take(project, native("c", first_error=1))
    queued = Solution.objects.get(source_id="b")
    slot = make.make_slot(queued)
    assignment = make.make_assignment(slot, make.make_rater())
    intake.withdraw(read, person)
    assert list(Solution.objects.live().values_list("source_id", flat=True)) == ["c"]
    assert not Label.objects.filter(solution__intake=read, superseded_at=None).exists()
    assert Settlement.objects.filter(superseded_at=None).count() == 1
    slot.refresh_from_db()
    assignment.refresh_from_db()
    assert (slot.state, assignment.state) == ("closed", "released")
    event = Event.objects.get(kind="intake.withdrawn")
    assert (event.actor, event.subject, event.data) == (person, read.code, {"solutions": 2})
    with pytest.raises(Conflict, match="was withdrawn"):
        intake.withdraw(read, person)
    assert counts(take(project, native("a", first_error=1), native("c", first_error=1))) == (2, 1, 1, 0)
    assert other.withdrawn_at is None


def test_an_intake_withdrawn_while_it_is_read_stops(project: Project) -> None:
    received = intake.receive(project, [jsonl(native())], format="native")
    intake.withdraw(received, None)
    read = intake.read(received.pk)
    assert (read.state, counts(read)) == (WorkState.CANCELLED, (0, 0, 0, 0))


def test_step_offsets_count_code_points_of_the_text(project: Project) -> None:
    take(project, native(steps=["𝟙\x00é", "b"]))
    assert list(Step.objects.annotate(length=F("end") - F("start")).values_list("start", "length")) == [(0, 3), (5, 1)]


def test_prm800k_lines_are_several_rows_and_known_again(project: Project) -> None:
    path = shared("raw/prm800k_phase1.jsonl")
    assert counts(intake.load(path, project, "prm800k")) == (37, 37, 0, 0)
    assert counts(intake.load(path, project, "prm800k")) == (37, 0, 37, 0)
    solution = Solution.objects.exclude(settlements__finish_reason="").first()
    assert solution is not None
    assert solution.settlements.get().finish_reason == "solution"


def test_the_intake_remembers_what_it_was_told(project: Project) -> None:
    read = take(project, native(source=...), source="my file", annotators_are_people="true")
    assert Solution.objects.get().source == "my file"
    assert read.options["annotators_are_people"] is True
    assert json.loads(json.dumps(read.options)) == read.options


@pytest.mark.parametrize("depth", [101, 450, 900])
def test_a_row_that_is_nested_too_deeply_is_refused_and_the_others_go_in(project: Project, depth: int) -> None:
    nested = f'{{"id": "deep", "problem": "p", "steps": ["s"], "meta": {{"x": {"[" * depth}{"]" * depth}}}}}'
    read = take(project, nested.encode(), native())
    assert counts(read) == (2, 1, 0, 1)
    assert refusals(read) == [(1, "", "is nested more than 100 deep")]
