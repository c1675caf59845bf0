"""Agreement between raters, against figures that an independent package gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasoning.agreement import interval_alpha, nominal_alpha, observed

DATA = Path(__file__).resolve().parents[5] / "shared" / "data"

units = st.lists(st.lists(st.integers(-1, 6), min_size=1, max_size=5), min_size=1, max_size=12)


def rows(name: str) -> list[dict[str, Any]]:
    path = DATA / f"{name}.public.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    return [json.loads(line) for line in path.read_text().splitlines()]


def stepverify() -> list[tuple[int, list[int]]]:
    found = []
    for row in rows("stepverify"):
        annotators = (row.get("annotators") or {}).values()
        said = [one["first_error"] for one in annotators if one.get("first_error") is not None]
        if len(said) >= 2:
            found.append((len(row["steps"]), said))
    return found


def test_pairs_of_stepverify_agree_as_often_as_the_reference_says() -> None:
    counted = observed(said for _, said in stepverify())
    assert (counted.units, counted.pairs, counted.unanimous) == (125, 331, 63)
    assert counted.share_same == pytest.approx(0.5619, abs=5e-5)
    assert counted.share_near == pytest.approx(0.8701, abs=5e-5)


def test_alpha_of_stepverify_is_the_reference_packages() -> None:
    found = stepverify()
    said = [one for _, one in found]
    fine = [[int(i < index) for index in one] for steps, one in found for i in range(steps)]
    assert nominal_alpha(said) == pytest.approx(0.4496, abs=5e-5)
    assert interval_alpha(said) == pytest.approx(0.5935, abs=5e-5)
    assert nominal_alpha(fine) == pytest.approx(0.6997, abs=5e-5)


def test_alpha_of_the_published_example() -> None:
    """Krippendorff (2011), section C: four observers, twelve units, nominal 0.743 and interval 0.849."""
    a = [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None]
    b = [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3]
    c = [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None]
    d = [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None]
    said = [[value for value in unit if value is not None] for unit in zip(a, b, c, d, strict=True)]
    assert nominal_alpha(said) == pytest.approx(0.743, abs=5e-4)
    assert interval_alpha(said) == pytest.approx(0.849, abs=5e-4)


@given(units)
def test_alpha_is_at_most_one_and_one_only_for_unanimous_units(said: list[list[int]]) -> None:
    alpha = nominal_alpha(said)
    if alpha is not None:
        counted = observed(said)
        assert alpha <= 1
        assert (alpha == pytest.approx(1)) == (counted.unanimous == counted.units)


@given(units, st.integers(-50, 50))
def test_alpha_does_not_depend_on_where_counting_starts(said: list[list[int]], shift: int) -> None:
    moved = [[value + shift for value in unit] for unit in said]
    assert nominal_alpha(moved) == pytest.approx(nominal_alpha(said))
    assert interval_alpha(moved) == pytest.approx(interval_alpha(said))


def test_nothing_can_be_said_of_units_with_one_value() -> None:
    assert nominal_alpha([[1], [2]]) is None
    assert interval_alpha([]) is None
    assert observed([[1]]).share_same is None


def test_nothing_can_be_said_where_all_values_are_the_same() -> None:
    assert nominal_alpha([[3, 3], [3, 3]]) is None
