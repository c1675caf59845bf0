"""How often the answer comparison is wrong or unknown on adversarial pairs, and how fast it is.

`python -m benchmarks.equivalence` reads benchmarks/cases/equivalence_pairs.jsonl: rows of answer, reference, verdict
(equal, unequal, or unknown where the two texts do not tell) and the reason. Every pair is compared both ways round.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reasoning.equivalence import GRADER_VERSION, Equivalence, Relation, close, equal

CASES: Final = Path(__file__).parent / "cases" / "equivalence_pairs.jsonl"
SIMPLE: Final = (
    ("42", "42"), ("41", "42"), ("1,234", "1234"), ("$18.00", "18"), ("1/2", "0.5"), (r"\frac{8}{18}", r"\frac{4}{9}"),
    ("25%", "0.25"), ("(C)", "C"), ("5 apples", "5"), (r"\boxed{7}", "7"), ("-3", "3"), ("(1, 2)", "(1,2)"),
    ("3, 5, 7", "7, 5, 3"), ("x = 5", "5"), (r"2\frac{1}{3}", "7/3"), ("60 minutes", "1 hour"),
)  # fmt: skip
HANGS: Final = (
    ("a 60 kB answer", "7 + " * 15_000 + "7", "42"),
    ("60,000 digits", "1" * 60_000, "2" * 60_000),
    ("60 kB of braces", "{" * 60_000, "42"),
    ("60 kB of \\frac", "\\frac{1}" * 7_500, "42"),
    ("a tower of nines", "9^{9^{9^9}}", "9^{9^9}"),
    ("a tower in a sum", r"\sum_{k=1}^{9^{9^9}} k^{9^9}", "5"),
    ("a factorial of a factorial", r"\prod_{k=1}^{9999999} k!!", "5"),
)
Compare = Callable[[str, str], Equivalence]


@dataclass(frozen=True, slots=True)
class Case:
    answer: str
    reference: str
    verdict: Relation
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    case: Case
    outcome: Equivalence
    seconds: float

    @property
    def is_wrong(self) -> bool:
        return self.outcome.is_known and self.outcome.verdict is not self.case.verdict

    @property
    def is_left_open(self) -> bool:
        """It could have been decided and was not."""
        return not self.outcome.is_known and self.case.verdict is not Relation.UNKNOWN


def read_cases(path: Path) -> list[Case]:
    """The pairs of a JSON Lines file."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [Case(row["answer"], row["reference"], Relation(row["verdict"]), row.get("reason", "")) for row in rows]


def compare_all(cases: list[Case], compare: Compare = equal) -> list[Row]:
    """Every case, and every case with its two sides exchanged."""
    return [_timed(case, compare) for case in cases] + [
        _timed(Case(case.reference, case.answer, case.verdict, case.reason), compare) for case in cases
    ]


def _timed(case: Case, compare: Compare) -> Row:
    start = time.perf_counter()
    outcome = compare(case.answer, case.reference)
    return Row(case, outcome, time.perf_counter() - start)


def simple_checks_a_minute(seconds: float) -> float:
    """Checks a minute of processor time of this process (the parent), repeated pairs with fresh numbers."""
    start, count = time.process_time(), 0
    while (spent := time.process_time() - start) < seconds:
        for answer, reference in SIMPLE:
            equal(answer, f"{reference} " if count % 2 else reference)
            equal(str(count), f"{count + count % 3}.0")
            count += 2
    return count / spent * 60


def report(rows: list[Row]) -> str:
    """The table: all pairs, then by the rule that decided."""
    decidable = sum(row.case.verdict is not Relation.UNKNOWN for row in rows)
    left_open = sum(row.is_left_open for row in rows)
    lines = [
        f"grader version {GRADER_VERSION}; {len(rows)} comparisons ({len(rows) // 2} pairs, both ways round)",
        f"wrong: {sum(row.is_wrong for row in rows)}",
        f"unknown of the {decidable} that can be decided: {left_open} ({left_open / max(decidable, 1):.2%})",
        "",
        f"{'rule':<16}{'equal':>8}{'unequal':>9}{'unknown':>9}{'wrong':>7}",
    ]
    for rule, count in Counter(row.outcome.rule for row in rows).most_common():
        mine = [row for row in rows if row.outcome.rule == rule]
        verdicts = Counter(row.outcome.verdict for row in mine)
        cells = "".join(f"{verdicts[verdict]:>{width}}" for verdict, width in zip(Relation, (8, 9, 9), strict=True))
        lines.append(f"{rule:<16}{cells}{sum(row.is_wrong for row in mine):>7}")
        assert sum(verdicts.values()) == count
    for row in rows:
        if row.is_wrong or row.is_left_open:
            kind = "WRONG" if row.is_wrong else "open"
            lines.append(
                f"{kind}: {row.case.answer} | {row.case.reference}: {row.outcome.verdict} by {row.outcome.rule}"
            )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.equivalence", description=__doc__)
    parser.add_argument("--cases", type=Path, default=CASES, help="JSON Lines of answer, reference, verdict, reason")
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="processor time to spend on the speed of simple checks"
    )
    chosen = parser.parse_args(arguments)
    equal("\\pi", "\\pi+1")  # starts the child, so that no pair pays for it
    rows = compare_all(read_cases(chosen.cases))
    print(report(rows))
    slowest = max(rows, key=lambda row: row.seconds)
    print(f"\nslowest pair: {slowest.seconds:.2f} s ({slowest.case.answer} | {slowest.case.reference})")
    print(f"simple checks a minute of one core: {simple_checks_a_minute(chosen.seconds):,.0f}\n")
    for name, answer, reference in HANGS:
        row = _timed(Case(answer, reference, Relation.UNKNOWN, name), equal)
        print(f"{name:<28}{row.seconds:>7.2f} s  {row.outcome.verdict} by {row.outcome.rule}")
    close()
    return int(any(row.is_wrong for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
