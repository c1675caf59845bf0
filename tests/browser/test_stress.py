"""The nastiest real rows on the labelling page: every character there, no markup run, nothing in the console."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotator.models import Assignment, Person, Problem
from reasoning.characters import escape
from tests.factories import make_assignment, make_person, make_problem, make_project, make_slot, make_solution

ROWS = Path(__file__).parents[3] / "shared" / "data" / "stress_cases.public.jsonl"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not ROWS.exists(), reason=f"the shared data is not beside this checkout: {ROWS}"),
]

TYPESET = """() => document.querySelectorAll("[data-maths]").forEach(Stepwise.typeset)"""
# What was handed to the page, read back from what it shows: a formula's source is its annotation.
READ = """() => [...document.querySelectorAll(".problem .passage, .step .passage")].map((text) => {
  const copy = text.cloneNode(true);
  copy.querySelectorAll(".maths").forEach((one) => one.replaceWith(one.querySelector("annotation").textContent));
  return copy.textContent;
})"""
FOREIGN = """() => document.querySelectorAll(
  ".passage :is(script, img, iframe, object, embed, a, form, input, b, i, p, br, table, style, link, base, video)"
).length"""


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()] if ROWS.exists() else []


def test_every_stress_row_is_shown_whole(sign_in: Callable[[Person], Page]) -> None:
    project = make_project()
    person = make_person(project=project)
    rater = person.work_as()
    page = sign_in(person)
    page.set_viewport_size({"width": 360, "height": 800})
    for row in rows():
        known = Problem.objects.filter(project=project, statement=escape(row["problem"])).first()
        problem = known or make_problem(project, row["problem"], answer=row["answer"])
        solution = make_solution(steps=row["steps"], problem=problem)
        make_assignment(make_slot(solution), rater)
        page.goto(f"/projects/{project.slug}/label/")
        page.evaluate(TYPESET)
        expected = [escape(text) for text in (row["problem"], *row["steps"])]
        assert page.evaluate(READ) == expected, row["id"]
        assert page.evaluate(FOREIGN) == 0, row["id"]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), row["id"]
        Assignment.objects.update(state="skipped", ended_at="2030-01-01T00:00Z")


def test_518_steps_are_rated_by_keyboard(sign_in: Callable[[Person], Page]) -> None:
    row = max(rows(), key=lambda row: len(row["steps"]))
    project = make_project()
    page = sign_in(make_person(project=project))
    solution = make_solution(steps=row["steps"], problem=make_problem(project, row["problem"]))
    make_slot(solution)
    page.goto(f"/projects/{project.slug}/label/")
    page.keyboard.press("Enter")
    expect(page.locator("form#work")).to_be_visible()
    for _ in row["steps"][:-1]:
        page.keyboard.press("3")
    page.keyboard.press("1")
    expect(page.locator("#verdict")).to_have_text(f"first error: step {len(row['steps'])}")
    page.keyboard.press("Enter")
    expect(page.locator(".idle")).to_be_visible()
    assert solution.annotations.get().rating_rows.count() == len(row["steps"])
