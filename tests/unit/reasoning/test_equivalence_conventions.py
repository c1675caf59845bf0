"""Pairs whose sameness hangs on a convention: what a letter, a word or a symbol is taken for."""

from __future__ import annotations

import pytest

from reasoning.equivalence import equal
from reasoning.equivalence.deep import decide_deeply
from reasoning.equivalence.outcome import Relation

EQUAL, UNEQUAL, UNKNOWN = Relation.EQUAL, Relation.UNEQUAL, Relation.UNKNOWN


def _assert_both_ways(answer: str, reference: str, verdict: Relation) -> None:
    assert {equal(answer, reference).verdict, equal(reference, answer).verdict} == {verdict}


@pytest.mark.parametrize(
    ("answer", "reference", "verdict"),
    [
        ("1.6e-19 C", r"1.6 \times 10^{-19} C", EQUAL),
        ("5e-12 F", "5 pF", EQUAL),
        ("5e-3 m", "6 mm", UNEQUAL),
    ],
)
def test_the_letter_of_an_exponent_hides_no_unit(answer: str, reference: str, verdict: Relation) -> None:
    _assert_both_ways(answer, reference, verdict)


@pytest.mark.parametrize(
    ("answer", "reference", "verdict"),
    [
        ("20 C", "20 °C", UNKNOWN),
        ("68 F", "68 °F", UNKNOWN),
        ("37 degrees", "37 °C", UNKNOWN),
        ("20 °C", "20 °F", UNEQUAL),
        ("20 C", "20 F", UNEQUAL),
        ("0.5 M", "0.5 mol/L", UNKNOWN),
        ("5 M", "5 m", UNKNOWN),
        ("5 mM", "5 mm", UNKNOWN),
        ("5 S", "5 s", UNKNOWN),
        ("5 KM", "5000 m", EQUAL),
        ("60 MPH", "60 mph", EQUAL),
    ],
)
def test_a_symbol_that_may_be_of_two_units_is_not_told(answer: str, reference: str, verdict: Relation) -> None:
    _assert_both_ways(answer, reference, verdict)


@pytest.mark.parametrize(
    ("answer", "reference", "verdict"),
    [
        ("5 lb", "2268 g", UNKNOWN),
        ("1 hp", "746 W", UNKNOWN),
        ("1 eV", r"1.602 \times 10^{-19} J", UNKNOWN),
        ("5 lb", "2.3 kg", UNEQUAL),
        ("5 km", "5000 m", EQUAL),
        ("0 km", "1 m", UNEQUAL),
    ],
)
def test_a_unit_converted_with_few_digits_is_not_told(answer: str, reference: str, verdict: Relation) -> None:
    _assert_both_ways(answer, reference, verdict)


@pytest.mark.parametrize(
    ("answer", "reference", "verdict"),
    [
        ("3 J/kg·K", "3 J/(kg·K)", EQUAL),
        ("3 J/(kg °C)", "3 J/(kg K)", EQUAL),
        ("9 W/(m °F)", "16.2 W/(m K)", EQUAL),
        ("3 J/(kg K)", "3 J/(g K)", UNEQUAL),
        ("3 J/kg", "3 J/kg K", UNEQUAL),
        ("5 J/kg", "5 m^2/s^2", EQUAL),
        ("8 hours per day", "8", EQUAL),
        ("8 hours per day", "1/3", UNEQUAL),
    ],
)
def test_what_a_unit_holds_twice_is_cancelled(answer: str, reference: str, verdict: Relation) -> None:
    _assert_both_ways(answer, reference, verdict)


@pytest.mark.parametrize(
    ("answer", "reference", "verdict"),
    [
        (r"\frac{\pi}{2} + k\pi", r"\frac{\pi}{2} + n\pi", UNKNOWN),
        (r"\frac{\pi}{2} + k\pi", r"\frac{\pi}{3} + n\pi", UNEQUAL),
        ("2k + 1", "2n + 1", UNKNOWN),
        ("2k + 1", "3n + 1", UNEQUAL),
        ("2x + 1", "2y + 1", UNEQUAL),
        (r"\sin^2 x + C", r"-\cos^2 x + C", UNKNOWN),
        (r"\ln(2x) + C", r"\ln x + C", UNKNOWN),
        (r"\ln(2x) + C", r"2\ln x + C", UNEQUAL),
        ("C e^x + 1", "C e^x + 2", UNEQUAL),
        (r"x \equiv 3 \pmod 7", r"y \equiv 3 \pmod 7", UNKNOWN),
    ],
)
def test_the_letter_of_an_index_or_a_constant_is_the_writers_choice(
    answer: str, reference: str, verdict: Relation
) -> None:
    _assert_both_ways(answer, reference, verdict)


@pytest.mark.parametrize(
    ("answer", "reference", "verdict"),
    [
        ("one million two thousand", "1002000", EQUAL),
        ("two thousand three thousand", "5000", UNEQUAL),
        ("one thousand two million", "2001000", UNEQUAL),
        ("three point one four", "3.14", EQUAL),
        ("zero point five", "1/2", EQUAL),
        ("two point five million", "2500000", EQUAL),
        ("three point", "3", UNKNOWN),
        ("three point twelve", "3.12", UNKNOWN),
        ("twenty-fifth", "25", UNKNOWN),
        ("twenty-fifths", "4", UNKNOWN),
        ("twenty-one hundredths", "0.21", EQUAL),
    ],
)
def test_number_words_are_read_as_a_speaker_means_them(answer: str, reference: str, verdict: Relation) -> None:
    _assert_both_ways(answer, reference, verdict)


def test_a_letter_that_does_more_than_be_added_is_no_constant_of_integration() -> None:
    # one more C would be a root of a negative number at some of the points tried
    assert decide_deeply("x^2 + C + (5.5-C)^{1/3}", "x^2 + C + (5.5-C)^{1/3} + 1").verdict is UNEQUAL


def test_an_inequality_is_read_from_either_side() -> None:
    _assert_both_ways(r"\sqrt{2} < x", r"x > \sqrt{2}", EQUAL)
