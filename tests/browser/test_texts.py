"""What becomes maths, code or a mark in a text, and what stays text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from annotator.models import Person
from tests.factories import make_assignment, make_person, make_problem, make_project, make_slot, make_solution

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[Person], Page]
MATHS, CODE, CALCULATOR, INVISIBLE = "maths", "code", "calculator", "invisible"

CASES = {
    "costs $5 and $6 each": [],
    "9 * 2 = $18 every day, so $x = 5$.": [(MATHS, "$x = 5$")],
    "$18$ and $20$.": [(MATHS, "$18$"), (MATHS, "$20$")],
    "$<<48/2=24>>24": [(CALCULATOR, "<<48/2=24>>")],
    "4*$5 = $<<4*5=20>>20": [(CALCULATOR, "<<4*5=20>>")],
    "$5-$10, ($5)($6), US$5 and A$7": [],
    "5$, then 7$.": [],
    r"\$5 and $x$": [(MATHS, "$x$")],
    r"a \(x^2\) b \[y\] c": [(MATHS, r"\(x^2\)"), (MATHS, r"\[y\]")],
    r"one \\[2pt] line": [],
    "$$a + b$$ is": [(MATHS, "$$a + b$$")],
    "$a$$b$": [(MATHS, "$a$"), (MATHS, "$b$")],
    "$1, -2, 4, -8,$ etc.": [(MATHS, "$1, -2, 4, -8,$")],
    r"$(a_1 , \ldots, a_n ) $": [(MATHS, r"$(a_1 , \ldots, a_n ) $")],
    r"a bill of $ \$60 $ before": [(MATHS, r"$ \$60 $")],
    "$BC, AC, AB$": [(MATHS, "$BC, AC, AB$")],
    r"$\text{two words here} + 1$": [(MATHS, r"$\text{two words here} + 1$")],
    "the $area of the triangle$": [],
    "unclosed $x and": [],
    "$a\n\nb$": [],
    r"\begin{align}a &= b\end{align}": [(MATHS, r"\begin{align}a &= b\end{align}")],
    "```py\ncost = '$x$'\n``` then $x$": [(CODE, "```py\ncost = '$x$'\n```"), (MATHS, "$x$")],
    "```a``` `r``````.F and $x$": [(MATHS, "$x$")],
    "run `ls -l` now": [(CODE, "`ls -l`")],
    "$\frac{1}{2}$": [(INVISIBLE, "\f")],
    "a\u202eb\ufeff": [(INVISIBLE, "\u202e"), (INVISIBLE, "\ufeff")],
    "<b>bold</b> & 1 < 2": [],
    "\\": [],
    "$": [],
    "$$": [],
}


@pytest.fixture
def tokenize(sign_in: SignIn) -> Callable[[str], list[tuple[str, str]]]:
    """The page's own tokenizer: (kind, source) of every token."""
    project = make_project()
    page = sign_in(make_person(project=project))
    page.goto(f"/projects/{project.slug}/label/")

    def run(text: str) -> list[tuple[str, str]]:
        return [(kind, source) for kind, source in page.evaluate(
            "text => Stepwise.tokenize(text).map(({kind, source}) => [kind, source])", text
        )]  # fmt: skip

    return run


def test_tokens_are_what_a_reader_takes_them_for(tokenize: Callable[[str], list[tuple[str, str]]]) -> None:
    for text, expected in CASES.items():
        tokens = tokenize(text)
        assert [token for token in tokens if token[0] != "text"] == expected, text
        assert "".join(source for _, source in tokens) == text


def test_no_text_is_lost_or_changed(tokenize: Callable[[str], list[tuple[str, str]]]) -> None:
    pieces = st.sampled_from(
        [
            "$",
            "$$",
            "\\",
            "\\(",
            "\\)",
            "\\[",
            "\\]",
            "`",
            "```",
            "<<",
            ">>",
            "\n\n",
            "x",
            "5",
            " and ",
            "\\begin{align}",
            "\f",
        ]
    )

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(pieces, max_size=30).map("".join))
    def holds(text: str) -> None:
        assert "".join(source for _, source in tokenize(text)) == text

    holds()


def test_formulas_that_cannot_be_read_and_markup_stay_text(sign_in: SignIn) -> None:
    steps = [
        r"$\frac{1}{$ and $\notacommand{x}$",
        r"$\href{javascript:alert(1)}{x}$ and $\text{<img src=x onerror=alert(1)>}$",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "$x^2$",
    ]
    project = make_project()
    person = make_person(project=project)
    page = sign_in(person)
    page.on("dialog", lambda dialog: pytest.fail(f"the page ran what a text said: {dialog.message}"))
    solution = make_solution(steps=steps, problem=make_problem(project))
    make_assignment(make_slot(solution), person.work_as())
    page.goto(f"/projects/{project.slug}/label/")
    expect(page.locator("#step-4 .katex")).to_be_visible()
    expect(page.locator("#step-3 .passage")).to_have_text(steps[2])
    assert page.locator(".passage a, .passage img, .passage script").count() == 0
    assert r"\frac{1}{" in page.locator("#step-1 .passage").inner_text()
