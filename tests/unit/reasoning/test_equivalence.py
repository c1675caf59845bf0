"""Answers compared: every adversarial pair, both ways round, in the parent's rules and in the child's, in this process."""  # noqa: E501

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.equivalence import CASES, Case, compare_all, read_cases, report
from reasoning.equivalence import Equivalence, Relation, equal, grade, worker
from reasoning.equivalence.deep import decide_deeply
from reasoning.equivalence.grammar import LONGEST, parse
from reasoning.equivalence.tree import Unreadable
from reasoning.equivalence.worker import guarded
from reasoning.spelling import normalise
from reasoning.types import Verdict

PAIRS = read_cases(CASES)


def deeply(answer: str, reference: str) -> Equivalence:
    """What the child would say, said in this process."""
    return decide_deeply(normalise(answer), normalise(reference))


def never_hangs(case: Case) -> bool:
    return "too large for any machine" not in case.reason


def test_there_are_at_least_five_hundred_pairs_each_with_its_reason() -> None:
    assert len(PAIRS) >= 500
    assert all(case.reason for case in PAIRS)


@pytest.mark.filterwarnings("ignore")
def test_no_pair_is_judged_wrong_in_process_and_few_are_left_open() -> None:
    rows = compare_all([case for case in PAIRS if never_hangs(case)], deeply)
    assert [row for row in rows if row.is_wrong] == []
    decidable = [row for row in rows if row.case.verdict is not Relation.UNKNOWN]
    assert sum(row.is_left_open for row in rows) <= 0.05 * len(decidable)


def test_no_pair_is_judged_wrong_through_the_child() -> None:
    rows = compare_all(PAIRS)
    assert [row for row in rows if row.is_wrong] == []
    assert "wrong: 0" in report(rows)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("answer", "reference", "verdict"),
    [
        ("F(2)", "f(2)", "unknown"),
        ("f(2)", "f(3)", "unknown"),
        (r"\sum_{k=1}^{10} k", "55.00001", "unknown"),
        (r"\sum_{k=1}^n k", r"\frac{n(n+1)}{2}", "unknown"),
        (r"\prod_{k=1}^{3} x", "x^3", "equal"),
        (r"\sum_{k=1}^{3} x", "4x", "unequal"),
        (r"\mathbb{R}", r"\mathbb{Z}", "unknown"),
        (r"\overline{AB}", r"\overline{BA}", "unknown"),
        (r"\int_0^1 x dx" + " " * 3 + "+ 1" * 300, "2", "unknown"),
        ("2''", "3", "unknown"),
        ("x'", "y", "unknown"),
        ("x2", "2x", "unknown"),
        (r"\sin^{-1} x", r"\arcsin x", "equal"),
        (r"\sec^{-1} 2", r"\pi", "unknown"),
        ("1e99999999", "1", "unknown"),
        ("1e99999", "1", "unknown"),
        ("3!!", "6", "unequal"),
        ("(-8)^{1/3}", "-2", "unknown"),
        (r"\sqrt[3]{-2}", r"-\sqrt[3]{2}", "equal"),
        (r"\sqrt[4]{\pi}", r"\pi^{1/4}", "equal"),
        (r"\sqrt[3]{\pi}", r"\pi^{1/3}", "equal"),
        (r"\text{cbrt}(\pi)", r"\pi^{1/3}", "equal"),
        (r"0^{\pi-\pi}", "1", "unknown"),
        (r"(\pi-\pi)^{-1}", "1", "unknown"),
        (r"\frac{1}{\pi-\pi}", "1", "unknown"),
        (r"\ln 0", "1", "unknown"),
        (r"e^{10^9}", "1", "unknown"),
        (r"\pi^{10^9}", "1", "unknown"),
        (r"\lfloor \sqrt{2}\sqrt{2} \rfloor", "2", "unknown"),
        (r"\lfloor \pi \rfloor", "3", "equal"),
        (r"\lceil \pi \rceil", "4", "equal"),
        (r"\pi!", r"\pi!\cdot 1", "equal"),
        (r"\binom{\pi}{2}", r"\frac{\pi(\pi-1)}{2}", "equal"),
        (r"\exp(\pi)", r"e^\pi", "equal"),
        (r"\log_{10} 1000", r"\lg 1000", "equal"),
        (r"\sqrt{-1-x^2}", r"2\sqrt{-1-x^2}", "unknown"),
        ("3000!!", "1", "unequal"),
        ("4000!", "4001!", "unequal"),
        ("0^{-1}", "1", "unknown"),
        ("2^{999999}", "2^{999998}", "unequal"),
        (r"\binom{2}{5}", "0", "equal"),
        (r"\sqrt[0]{2}", "1", "unknown"),
        ("[", "1", "unknown"),
        ("2^", "4", "unknown"),
        (r"x_{12}+1", "1+x_{12}", "equal"),
        (r"x_{12", "1", "unknown"),
        ("-(-(-3))", "-3", "equal"),
        ("-" * 100 + "1", "1", "unknown"),
        ("2^" * 100 + "1", "1", "unknown"),
        ("(" * 100 + "1", "1", "unknown"),
        ("|x|y|", "1", "unknown"),
        ("|x||y|", "|y||x|", "equal"),
        (r"2\frac{x}{3}", r"\frac{2x}{3}", "equal"),
        ("2 3/2", "3", "unknown"),
        ("2 x/3", r"\frac{2x}{3}", "equal"),
        ("2 1/a", "3", "unknown"),
        (r"\lfloor 2", "2", "unknown"),
        (r"\sqrt[3]{8", "2", "unknown"),
        (r"2 \cdot -3", "-6", "equal"),
        ("asin(1)", r"\frac{\pi}{2}", "equal"),
        (r"\sin^2 \pi", "0", "equal"),
        (r"\cos x \sin x", r"\sin x \cos x", "equal"),
        ("pi", r"\pi", "equal"),
        ("2abcd", "2dcba", "unknown"),
        ("x%", "y%", "unequal"),
        ("3.14", "x", "unequal"),
        (r"\mathbb{R}\setminus\{0,1,2", "42", "unknown"),
        (r"\lfloor \sqrt{3}\sqrt{3} \rfloor + x", "3 + x", "unknown"),  # at a jump, seen only at some precisions
        (r"\approx 3.14", "about 3.14", "equal"),
        (r"\sin(n\pi)", "0", "unknown"),
        (r"\cos(2n\pi)", "1", "unknown"),
        ("five cm", "green", "unknown"),
        (r"\{1,2\}\cap\{2,3\}", r"\{2\}\cap\{2,3\}", "equal"),
        (r"(1,2)\cap(0,3)", r"(0,3)\cap(1,2)", "equal"),
        (r"5\in\{5\}", r"5\in\{5,5\}", "unknown"),
        ("2^{40000} 2^{0}", "1", "unknown"),
        (r"2^{40000}\cdot 2^{40000}\cdot 2^{40000}", "2^{120000}", "equal"),
        (r"\frac{\pi}{n}", r"\frac{2\pi}{n}", "unequal"),
        (r"\pi+\frac{e}{10^{145}}", r"\pi", "unknown"),
        ("5 per", "5", "unknown"),
        (r"\pm 2, 5", "5, 2, -2", "equal"),
        (r"\begin{pmatrix}1&2\\3\end{pmatrix}", "3", "unknown"),
        ("[1,2,3)", "5", "unknown"),
        (r"\sqrt{2^{99999}}", "1", "unequal"),
        ("2^{60000}\\cdot 2^{60000}", "2^{120000}", "equal"),
        (r"\mathbb{R}\setminus\{0\}\setminus\{1\}", r"\mathbb{R}", "unknown"),
        (r"\mathbb{R}\setminus[0,1]", r"\mathbb{R}", "unknown"),
        (r"(0,\sqrt2)\cup[\sqrt2,3)", "(0,3)", "unknown"),
        (r"(0,x')\cup(3,4)", r"(3,4)\cup(5,6)", "unequal"),
        (r"(3,1)\cup(4,5)", "(4,5)", "unknown"),
        (r"(1,1)\cup(4,5)", "(4,5)", "equal"),
        (r"(0,9)\cup(2,+\infty)", r"(0,\infty)", "equal"),
        (r"5\cup(4,5)", "(4,5]", "unknown"),
        (r"(1,\sqrt2)\cup(3,4)", r"(1,\sqrt3)\cup(3,4)", "unequal"),
        (r"(1,\sqrt2)\cup(3,4)", r"(3,4)\cup(1,\sqrt2)", "equal"),
        (r"\frac{x}{\pi} + C", r"\frac{x}{\pi}", "unknown"),
        (r"\frac{x}{\pi} + C", r"\frac{2x}{\pi}", "unequal"),
        (r"\frac{1}{n} + \pi", r"\frac{2}{n} + \pi", "unequal"),
        (r"n^2\pi", r"2n\pi", "unequal"),
        (r"n\pi", r"2n\pi", "unequal"),
        (r"\sqrt{x}", r"\sqrt{-x}", "unknown"),
        (r"\sqrt{2x}", r"\sqrt{x}\sqrt{-1}", "unknown"),
        (r"0^{\pi}", "0", "equal"),
        ("$5 cm", "5", "unknown"),
        ("3 million + 5", "3000005", "equal"),
        ("2 hundred thousand", "200000", "equal"),
        ("3 cm and 4 apples", "7", "unequal"),
        ("3 cm 2 m", "203", "unknown"),
        ("3 cm 2 hours", "3", "unknown"),
        ("5 cm/smurf", "5", "equal"),
        ("1 berry", "1 berries", "equal"),
        ("five twenty", "100", "unequal"),
        ("third", "3", "unknown"),
        ("many thirds", "3", "unknown"),
        ("5 or more", "5", "unknown"),
        ("1 < x > 2", "(1,2)", "unequal"),
        ("|x| > y", "y", "unknown"),
        (r"|x| \le 2", "[-2,2]", "equal"),
        (r"2 > |x|", "(-2,2)", "equal"),
        ("1 < 2x < 3", "(1,2)", "unequal"),
        ("2x > 6", "3x > 9", "equal"),
        ("x+y=1/0", "x+y=1", "unknown"),
        ("x+y=x+y", "x+y=y+x", "equal"),
        ("x y=0", "2 y x=0", "equal"),
        ("x=(1,2)", "x+1=(1,2)", "unknown"),
        ("18_8", "22", "unknown"),
        ("18_8", "18_{40}", "unknown"),
        (r"- \infty", r"+\infty", "unequal"),
        (r"- \infty", r"-\infty", "equal"),
        (r"\{(1,2)\}", "(1,2)", "equal"),
        ("(2,1)", r"\{(1,2)\}", "unequal"),
        (",".join("123456789" * 3), ",".join("123456789" * 3) + ",1", "unknown"),
        (r"\{1,2\}", "(1,2)", "unknown"),
        ("x=2, y=1", "(1,2)", "unequal"),
        (r"\emptyset", r"\{\}", "equal"),
        (r"\emptyset", r"\{ \}\cup\{\}", "equal"),
        ("5 apples", "5 cups", "unknown"),
        ("50%", "50 cm", "unknown"),
        ("2 cups", "3 liters", "unknown"),
        (r"1 \text{ rad}", r"\frac{180}{\pi}^\circ", "equal"),
        (r"\frac{180}{\pi} \text{ degrees}", r"1 \text{ rad}", "equal"),
        (r"\sum foo", r"\sum bar", "unknown"),
        (r"\mathbb{Z}", "z", "unknown"),
        (r"\gcd(12,18", "6", "unknown"),
        (r"\gcd(12,18)", "6", "equal"),
        (r"\int_0^1 x dx", r"\mathbb{R}", "unknown"),
        (r"\sum_{k=1}^{3} x_{12}", r"3 x_{12}", "unknown"),
        (r"\sum_{k=1}^{\infty} k", "5", "unknown"),
        ("25:61", "1:01", "unknown"),
        (r"1-\frac{1}{\mathrm{e}}", r"1+\frac{1}{\mathrm e}", "unequal"),
        (r"(1,\sqrt5)\cap(0,\sqrt7)", r"(0,\sqrt7)\cap(1,\sqrt5)", "equal"),
        ("0x+0y=0", "0y=0x", "unknown"),
        (r"7 \bmod 0", "1", "unknown"),
        (r"\pi \bmod 2", r"\pi-2", "equal"),
        (r"\gcd(1/2,3)", "1", "unknown"),
        (r"\gcd(\pi,3)", "1", "unknown"),
        (r"\gcd 12", "1", "unknown"),
        (r"\max(\pi,3)", r"\pi", "equal"),
        (r"\pi!!", r"\pi!!+1", "unequal"),
        (r"\sqrt2 m", r"100\sqrt2 cm", "equal"),
        (r"\sqrt2 \text{ m}", r"100\sqrt2 \text{ cm}", "equal"),
        ("5 R 2", "5.5", "unknown"),
        ("x = 3 (mod 7)", r"\pi", "unknown"),
        ("0:3", "0:4", "unknown"),
        ("1:2", "1:2:3", "unequal"),
        ("x+1 > x+1", "x > 2", "unknown"),
        (r"1 < x > \sqrt2", r"(1,\sqrt2)", "unknown"),
        (r"5 > \sqrt2", r"(1,\sqrt2)", "unknown"),
        (r"x < \sqrt2 < 3", r"(1,\sqrt2)", "unknown"),
        (r"|x| > \sqrt2", r"(-\infty,-\sqrt2)\cup(\sqrt2,\infty)", "equal"),
        (r"|x| \ge \sqrt2", r"(-\infty,-\sqrt2]\cup[\sqrt2,\infty)", "equal"),
        (r"|x| \le \sqrt2", r"[-\sqrt2,\sqrt2]", "equal"),
        (r"|x| < \sqrt2", r"[-\sqrt2,\sqrt2]", "unequal"),
        ("x=1, y=2", "u=1, v=2", "unknown"),
        ("y=2, x=1", "(1,2)", "unknown"),
        ("2 thirds", "2/3", "equal"),
        ("1 kg m^0", "1 kg", "unknown"),
        (r"\sqrt2 kg", r"\pi lb", "unequal"),
        ("5 N", "5000", "unknown"),
        ("3 fifths of the class", "3/5", "equal"),
        ("5 m^0", "5", "equal"),
        (r"\lim_{x\to 0} foo", "5", "unknown"),
        (r"\int_0^1", "1", "unknown"),
        (r"\mathbb{Z}\cup\{1\}", r"\mathbb{Z}\cup\{1,2\}", "unknown"),
    ],
)  # fmt: skip
def test_the_corners_of_the_grammar(answer: str, reference: str, verdict: str) -> None:
    assert guarded(normalise(answer), normalise(reference)).verdict == verdict


def test_an_answer_against_itself_is_equal_and_an_empty_one_is_unknown() -> None:
    assert equal("", "5") == Equivalence(Relation.UNKNOWN, "empty")
    assert equal(" $ x + 1 $", "x + 1").rule == "exact"


def test_answers_nested_too_deeply_for_the_rules_are_unknown() -> None:
    assert equal("{" * 900 + "5" + "}" * 900, "5") == Equivalence(Relation.UNKNOWN, "too deep")


def test_the_reader_itself_refuses_a_long_text() -> None:
    with pytest.raises(Unreadable, match="too long"):
        parse("1+" * LONGEST + "1")


def test_long_answers_are_compared_as_text_or_digits() -> None:
    assert equal("1" * 60_000, "0" + "1" * 60_000) == Equivalence(Relation.EQUAL, "digits")
    assert equal("1" * 60_000, "2" * 60_000).verdict is Relation.UNEQUAL
    assert equal("7 + " * 15_000 + "7", "42") == Equivalence(Relation.UNKNOWN, "too long")


def test_a_grade_is_right_wrong_or_unknown_and_names_its_rule() -> None:
    assert grade("1/2", "0.5") == (Verdict.RIGHT, "rational")
    assert grade("1/3", "0.5") == (Verdict.WRONG, "rational")
    assert grade("listen", "silent") == (Verdict.UNKNOWN, "text")
    assert grade(None, "5") == (Verdict.UNKNOWN, "no answer")
    assert grade("5", None) == (Verdict.UNKNOWN, "no reference")


def test_what_the_libraries_raise_is_unknown_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(answer: str, reference: str) -> Equivalence:
        raise MemoryError

    monkeypatch.setattr(worker, "decide_deeply", raises)
    assert guarded("1", "2") == Equivalence(Relation.UNKNOWN, "error: MemoryError")


def test_the_worker_answers_line_by_line() -> None:
    replies = io.StringIO()
    worker.serve([json.dumps(["1/2", "0.5"]) + "\n"], replies, 30.0)
    assert replies.getvalue().splitlines() == [worker.READY, '["equal", "rational"]']


def test_the_worker_ends_with_its_input_or_when_it_is_idle() -> None:
    command = [sys.executable, "-m", "reasoning.equivalence.worker", "5", str(2**31)]
    for idle, given_input in (("60", '["\\\\pi", "3"]\n'), ("0", None)):
        stdin = subprocess.PIPE if given_input is None else None
        done = (
            subprocess.run(
                [*command, idle], input=given_input, stdin=stdin, capture_output=True, text=True, timeout=120
            )
            if given_input
            else subprocess.run([*command, idle], stdin=subprocess.PIPE, capture_output=True, text=True, timeout=120)
        )
        assert done.returncode == 0
        assert done.stdout.startswith(worker.READY)


answers = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from([*"0123456789xyab+-*/^(){}[],.!%|°$ ", "\\frac", "\\sqrt", "\\pi", "\\pm", "\\infty", "\\cup", "\\le", "=", "<", " cm", " and ", "_8", ":", "\\begin{pmatrix}", "\\end{pmatrix}", "&", "\\\\"]), max_size=10).map("".join),  # noqa: E501
)  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=300, deadline=None)
@given(answers, answers)
def test_the_rules_never_raise_and_do_not_depend_on_the_order(left: str, right: str) -> None:
    from reasoning.equivalence.outcome import NeedsChild
    from reasoning.equivalence.rules import decide, rational_leaf

    outcomes: list[Relation | None] = []
    for answer, reference in ((left, right), (right, left)):
        try:
            outcomes.append(decide(normalise(answer), normalise(reference), rational_leaf).verdict)
        except NeedsChild:
            outcomes.append(None)
    assert {Relation.EQUAL, Relation.UNEQUAL} - set(outcomes), outcomes


@given(st.fractions())
def test_a_fraction_equals_its_latex_and_not_its_successor(value: object) -> None:
    from fractions import Fraction

    assert isinstance(value, Fraction)
    written = rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    assert equal(written, str(value)).verdict is Relation.EQUAL
    assert equal(written, str(value + 1)).verdict is Relation.UNEQUAL


def test_the_parent_imports_neither_sympy_nor_mpmath_nor_math_verify() -> None:
    code = (
        "import sys; from reasoning.equivalence import equal; print(equal('\\\\pi', '3').verdict, "
        "[name for name in ('sympy', 'mpmath', 'math_verify') if name in sys.modules])"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=root)
    assert done.stdout.strip() == "unequal []"
