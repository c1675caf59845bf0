from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from django.utils import timezone

from annotator import exports, intake, settlement
from annotator.exports import items
from annotator.models import (
    Export,
    ExportFile,
    Label,
    Project,
    Settlement,
    Solution,
    Source,
)
from tests import factories as make
from tests.unit.annotator.exports.exported import bytes_of, made, manifest_of, rows_of
from tests.unit.annotator.intake.rows import native, take

pytestmark = pytest.mark.django_db


def settle_by_machine(solution: Solution, first_error: int, values: Sequence[int], **fields: Any) -> Settlement:
    posterior = make.make_posterior(solution, [1.0] + [0.0] * solution.step_count)
    settled = Settlement.objects.create(
        solution=solution,
        source=Source.MACHINE,
        step_count=solution.step_count,
        first_error=first_error,
        posterior=posterior,
        **fields,
    )
    Label.objects.bulk_create(
        Label(
            settlement=settled,
            solution=solution,
            index=index,
            value=value,
            source=settled.source,
            provisional=settled.provisional,
        )
        for index, value in enumerate(values)
    )
    return settled


# --- rows


STEPS = ["a", "b", "c"]


def test_trl_rows_end_with_the_first_error(project: Project) -> None:
    take(
        project,
        native("wrong", steps=STEPS, first_error=1),
        native("right", steps=STEPS, first_error=-1),
        native("neutral", steps=STEPS, step_labels=[1, 0, 1]),
        native("unknown", steps=STEPS),
    )
    export = made(project, "trl")
    prompt = "What is 2 + 3?"
    assert rows_of(export) == [
        {"prompt": prompt, "completions": ["a", "b"], "labels": [True, False]},
        {"prompt": prompt, "completions": STEPS, "labels": [True, True, True]},
        {"prompt": prompt, "completions": STEPS, "labels": [True, True, True]},
    ]
    manifest = manifest_of(export)
    assert (manifest["rows"], manifest["left_out"]) == (3, {"not labelled": 1})
    assert manifest["labels"] == {"negative": 1, "positive": 7}
    assert manifest["sources"] == {"imported": 3}
    negative = rows_of(made(project, "trl", neutral="negative", after_error="negative"))
    assert [row["labels"] for row in negative] == [[True, False, False], [True] * 3, [True, False, True]]
    assert made(project, "trl", neutral="drop").rows == 2


def test_labels_after_the_first_error_that_are_not_known_leave_a_trl_row_out(project: Project) -> None:
    take(
        project,
        native("half", steps=STEPS, step_labels=[-1, None, 1]),
        native("whole", steps=STEPS, step_labels=[-1, 1, 1]),
    )
    export = made(project, "trl", after_error="keep")
    assert [row["labels"] for row in rows_of(export)] == [[False, True, True]]
    assert manifest_of(export)["left_out"] == {"a step after the first error has no label": 1}


def test_processbench_rows_keep_all_steps(project: Project) -> None:
    row = {"generator": "m", "problem": "p", "steps": STEPS}
    given = [
        row | {"id": "g-0", "final_answer_correct": False, "label": 1},
        row | {"id": "g-1", "final_answer_correct": True, "label": -1},
    ]
    take(project, *given, row | {"id": "g-2", "final_answer_correct": True, "label": None}, format="processbench")
    assert rows_of(made(project, "processbench")) == given


def test_what_people_settle_is_what_goes_out(project: Project) -> None:
    take(project, native(steps=STEPS))
    solution = Solution.objects.get()
    make.make_annotation(solution, make.make_rater(), "1", "0", "-1")
    assert settlement.settle(solution) == "settled"
    [row] = rows_of(made(project, "native"))
    assert (row["first_error"], row["step_labels"], row["label_source"]) == (2, [1, 0, -1], "human")
    assert rows_of(made(project, "trl"))[0]["labels"] == [True, True, False]


def test_provisional_labels_go_out_only_where_they_are_asked_for(project: Project) -> None:
    solution = make.make_solution(project, steps=2)
    settle_by_machine(solution, 0, [-1], provisional=True, simulated=True)
    export = made(project, "trl")
    assert (export.rows, export.simulated) == (0, False)
    assert manifest_of(export)["left_out"] == {"provisional machine labels, left out unless asked for": 1}
    asked = made(project, "trl", provisional=True)
    assert (asked.rows, asked.simulated) == (1, True)
    manifest = manifest_of(asked)
    assert manifest["sources"] == {"machine (provisional)": 1}
    assert manifest["simulated"] is True
    assert "simulator" in manifest["notice"]
    assert manifest["notice"] in bytes_of(asked, "README.md").decode()


def test_the_manifest_names_certificate_models_and_prompts(project: Project) -> None:
    solution = make.make_solution(project, steps=2)
    certificate = make.make_certificate(project, 0.9)
    make.make_judgement(solution, 0, model="judge-1", prompt="abc123")
    make.make_rollouts(solution, 1, right=1, wrong=2, model="simulated/completer")
    settle_by_machine(solution, 0, [-1], certificate=certificate)
    manifest = manifest_of(made(project, "processbench"))
    assert manifest["sources"] == {"machine (certified)": 1}
    assert (manifest["certificate"]["alpha"], manifest["certificate"]["delta"]) == (0.05, 0.1)
    judge, completer = manifest["machines"]
    assert (judge["model"], judge["prompt"], judge["looks"], judge["simulated"]) == ("judge-1", "abc123", 1, False)
    assert (completer["model"], completer["looks"], completer["simulated"]) == ("simulated/completer", 3, True)


# --- files


def test_the_manifest_has_the_hash_of_every_other_file(project: Project) -> None:
    take(project, native(first_error=1))
    export = made(project, "native")
    manifest = manifest_of(export)
    for file in manifest["files"]:
        held = bytes_of(export, file["name"])
        assert (len(held), hashlib.sha256(held).hexdigest()) == (file["bytes"], file["sha256"])
    names = {file.name for file in ExportFile.objects.filter(export=export)}
    assert names == {"README.md", "manifest.json", "train.jsonl"}
    for row in ExportFile.objects.filter(export=export):
        assert hashlib.sha256(bytes_of(export, row.name)).hexdigest() == row.sha256


def test_the_same_snapshot_is_found_and_written_anew_has_the_same_bytes(project: Project) -> None:
    take(project, *(native(f"r{n}", problem=f"Problem {n}", first_error=1) for n in range(20)))
    chosen = {"split": {"test": 0.3, "train": 0.7}}
    first = made(project, "native", **chosen)
    assert exports.request(project, "native", {"split": "train=0.7,test=0.3"}, None) == first
    held = {file.name: file.sha256 for file in ExportFile.objects.filter(export=first)}
    assert held.keys() == {"README.md", "manifest.json", "train.jsonl", "test.jsonl"}
    # As on another machine that was given the same rows: only the record of the first writing is taken away.
    Export.objects.filter(pk=first.pk).update(choices_hash="of the first writing")
    again = made(project, "native", **chosen)
    assert again != first
    assert {file.name: file.sha256 for file in ExportFile.objects.filter(export=again)} == held


def test_a_snapshot_stays_as_it_was_when_labels_change(project: Project) -> None:
    take(project, native(steps=STEPS, first_error=1))
    before = made(project, "native")
    cutoff = before.snapshot.cutoff
    solution = Solution.objects.get()
    annotation = make.make_annotation(solution, make.make_rater(), "1", "1", "-1")
    now = timezone.now()
    Label.objects.filter(solution=solution).update(superseded_at=now)
    Settlement.objects.filter(solution=solution).update(superseded_at=now)
    assert settlement.settle(solution) == "settled"
    after = made(project, "native")
    assert after.snapshot.cutoff > cutoff
    assert [row["first_error"] for row in rows_of(after)] == [2]
    [then] = items.items(project, cutoff, texts=False)
    assert then.settled is not None
    assert (then.settled.source, then.settled.first_error, dict(then.settled.labels)) == ("imported", 1, {0: 1, 1: -1})
    assert annotation.pk


def test_what_was_withdrawn_is_not_in_later_snapshots(project: Project) -> None:
    read = take(project, native("a", first_error=1))
    take(project, native("b", first_error=1))
    assert made(project, "trl").rows == 2
    intake.withdraw(read, None)
    assert made(project, "trl").rows == 1


def test_no_problem_stands_on_both_sides_of_a_split(project: Project) -> None:
    rows = [
        native(f"{n}-{spelling}", problem=problem, first_error=1, answer=str(n))
        for n in range(30)
        for spelling, problem in enumerate((f"Add {n} and 1.", f"  add {n}  AND 1"))
    ]
    take(project, *rows)
    export = made(project, "native", split={"train": 0.5, "test": 0.5})
    sides = [{row["answer"] for row in rows_of(export, part)} for part in ("train", "test")]
    assert not sides[0] & sides[1]
    assert all(sides)
    assert [part["problems"] for part in manifest_of(export)["parts"]] == [len(side) for side in sides]
    take(project, *(native(f"new {n}", problem=f"Another {n}", first_error=1, answer="x") for n in range(30)))
    later = made(project, "native", split={"train": 0.5, "test": 0.5})
    assert sides == [{row["answer"] for row in rows_of(later, part)} - {"x"} for part in ("train", "test")]


def test_an_empty_project_gives_an_empty_file(project: Project) -> None:
    export = made(project, "trl", split={"train": 0.5, "test": 0.5})
    assert (export.rows, rows_of(export)) == (0, [])


def test_rows_that_readers_of_a_format_refuse_are_left_out_of_it(project: Project) -> None:
    take(
        project, native("a", steps=["lone \ud800", "b"], first_error=1), native("b", steps=["nul \x00"], first_error=0)
    )
    export = made(project, "trl")
    assert [row["completions"] for row in rows_of(export)] == [["nul \x00"]]
    [reason] = manifest_of(export)["left_out"]
    assert "lone surrogates" in reason
    assert rows_of(made(project, "native"))[0]["steps"] == ["lone \ud800", "b"]


def test_parquet_cannot_hold_what_json_escapes(project: Project) -> None:
    take(project, native("a", meta={"x": "lone \ud800"}, first_error=1), native("b", first_error=0))
    export = made(project, "native", container="parquet")
    assert export.rows == 1
    [reason] = manifest_of(export)["left_out"]
    assert "lone surrogates" in reason
