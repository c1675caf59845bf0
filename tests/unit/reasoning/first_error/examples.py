"""Evidence made for tests, and hypothesis strategies for any."""

from __future__ import annotations

from hypothesis import strategies as st

from reasoning.types import NO_ERROR, Count, Evidence, Judgement, PersonRating, Verdict


def judgement(first_error: int, steps: int, model: str = "judge", sample: int = 0) -> Judgement:
    return Judgement(first_error, (None,) * steps, "", model, "prompt", sample)


@st.composite
def counts(draw: st.DrawFn, most: int = 12) -> Count:
    graded = draw(st.integers(1, most))
    return Count(draw(st.integers(0, graded)), graded)


@st.composite
def evidence(draw: st.DrawFn, longest: int = 9) -> Evidence:
    steps = draw(st.integers(1, longest))
    said = st.integers(NO_ERROR, steps - 1)
    people = [
        PersonRating(rater, first, steps if first == NO_ERROR else first + 1)
        for rater, first in draw(st.lists(st.tuples(st.sampled_from("ab"), said), max_size=2))
    ]
    return Evidence(
        steps,
        draw(st.sampled_from(Verdict)),
        draw(st.dictionaries(st.integers(0, steps), counts(), max_size=4)),
        tuple(judgement(first, steps) for first in draw(st.lists(said, max_size=3))),
        draw(st.none() | st.lists(st.floats(0, 1), min_size=steps, max_size=steps).map(tuple)),
        tuple(people),
    )
