from __future__ import annotations

import json
from collections import Counter
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasoning import answers
from reasoning.equivalence import grade
from reasoning.errors import InvalidInput
from reasoning.evidence import judge_prompt, rollout_prompt
from reasoning.evidence.rollout_prompt import cannot_tell
from reasoning.simulator.asked import Message
from reasoning.simulator.completer import complete
from reasoning.simulator.continuations import whole
from reasoning.simulator.faults import Fault, Faults
from reasoning.simulator.law import Law
from reasoning.simulator.models import Models
from reasoning.simulator.referee import judge, scores
from reasoning.simulator.truth import KnownSolution, Truth, read_rows
from reasoning.simulator.world import make_problems, native_rows
from reasoning.types import NO_ERROR, Problem, Solution, Step, Verdict

ROWS = native_rows(make_problems(40, 5))
TRUTH = Truth()
TRUTH.learn(ROWS)


def as_solution(row, joint="\n\n"):
    steps, at = [], 0
    for index, text in enumerate(row["steps"]):
        steps.append(Step(index, text, at, at + len(text)))
        at += len(text) + len(joint)
    return Solution(Problem(row["problem"], row["answer"]), joint.join(row["steps"]), tuple(steps))


def test_a_problem_is_known_again_however_its_white_space_was_treated():
    statement = ROWS[0]["problem"]
    assert TRUTH.problem("  " + statement.replace(" ", "\n\t ")) is TRUTH.problem(statement)
    assert TRUTH.problem(statement + "?") is None


@pytest.mark.parametrize("joint", ["\n\n", "\n", " "])
def test_every_prefix_of_a_known_solution_is_known_again(joint):
    for row in ROWS[:12]:
        one = as_solution(row, joint)
        for prefix in range(len(one.steps) + 1):
            begun = TRUTH.problem(row["problem"]).begun(one.prefix(prefix))
            assert begun is not None
            assert begun[1] == prefix


def test_what_is_not_known_is_not_guessed():
    model = Models(TRUTH, Law())
    stranger = as_solution({"problem": "What is 6 × 7?", "answer": "42", "steps": ["It is 42."]})
    other_steps = as_solution(ROWS[0] | {"steps": ["Something else."]})
    for one in (stranger, other_steps):
        case = judge_prompt.case(one, reference=True)
        assert json.loads(model.hear([Message("user", case)])())["unable"] is True
        assert cannot_tell(model.hear([Message("user", rollout_prompt.case(one, 1))])())
    assert "simulated" in model.hear([Message("user", "Who are you?")])()


def test_rows_without_a_known_first_error_or_steps_teach_nothing():
    truth = Truth()
    bad = [{}, {"problem": "p", "steps": ["a"]}, {"problem": "p", "steps": [], "first_error": -1}]
    bad += [{"problem": "p", "steps": ["a"], "first_error": 1}, {"problem": "p", "steps": ["a"], "first_error": None}]
    assert truth.learn(bad) == 0
    assert truth.learn([{"problem": "p", "steps": ["a"], "first_error": 0, "answer": 7}]) == 1
    assert truth.problem("p").answer == "7"


def test_a_first_error_is_found_again_in_another_splitting_of_the_same_text():
    known = KnownSolution.of(["One is one.", "Two is three.", "So five."], 1)
    assert known.error_in(["One is one.", "Two is three.", "So five."]) == 1
    assert known.error_in(["One is", "one.", "Two is three. So five."]) == 2
    assert known.error_in(["One is one. Two is three. So five."]) == 0
    assert KnownSolution.of(["a", "b"], NO_ERROR).error_in(["ab"]) == 1


def test_ungradable_rollouts_have_no_answer():
    texts = [complete(TRUTH, Law(ungradable=1.0), ROWS[0]["problem"], "", i) for i in range(20)]
    assert [answers.find(text) for text in texts] == [None] * 20


@pytest.mark.parametrize("answer", ["42", "-3", "1,200", "2.5", "3/4", "B", "(C)", "\\frac{1}{2}", "x + 1", "yes"])
def test_wrong_answers_are_wrong_whatever_the_right_one_is(answer):
    truth, law = Truth(), Law(solve=(1.0, 50.0), recovery=0.001, noise=0.0, ungradable=0.0)
    truth.learn([{"problem": "p", "answer": answer, "steps": ["a", "b"], "first_error": 0}])
    verdicts = Counter(grade(answers.find(complete(truth, law, "p", "a\n\nb", i)), answer)[0] for i in range(60))
    assert verdicts[Verdict.WRONG] >= 55
    assert verdicts[Verdict.UNKNOWN] == 0


@given(st.integers(0, len(ROWS) - 1), st.integers(0, 10**6))
def test_a_judge_says_the_same_to_the_same_request(number, seed):
    row = ROWS[number]
    first = judge(TRUTH, Law(), row["problem"], row["steps"], str(seed), 0)
    assert first == judge(TRUTH, Law(), row["problem"], row["steps"], str(seed), 0)
    assert [s["index"] for s in first["steps"]] == list(range(len(first["steps"])))


def test_scores_fall_at_the_first_error():
    wrong = [row for row in ROWS if row["first_error"] > 0]
    told = [(scores(TRUTH, Law(), r["problem"], r["steps"]), r["first_error"]) for r in wrong]
    assert mean(s[f - 1] for s, f in told) > mean(s[f] for s, f in told) + 0.3
    assert scores(TRUTH, Law(), "unknown", ["a"]) is None


@pytest.mark.parametrize("prefix", [0, 1, 2, 3, 4, 5])
def test_the_law_is_the_benchmarks(prefix):
    law = Law(noise=0.0)
    s, r, k, f = law.solve_rate("p"), law.recovery_rate("p"), 5, 2
    base = s ** ((k - prefix) / k)
    expected = base + (1 - base) * r / 2 if prefix <= f else r * base * 0.9 ** (prefix - 1 - f)
    assert law.value("p", "x", k, prefix, f) == pytest.approx(expected, rel=1e-6)


def test_faults_are_drawn_at_their_rates_and_named_ones_a_number_of_times():
    faults = Faults.parse("429=0.2, slow=0.1", seed=1)
    drawn = Counter(faults.pick("", b"") for _ in range(5000))
    assert drawn[Fault.RATE_LIMIT] / 5000 == pytest.approx(0.2, abs=0.03)
    assert drawn[Fault.SLOW] / 5000 == pytest.approx(0.1, abs=0.02)
    assert [faults.pick("500*2", b"body") for _ in range(3)] == [Fault.SERVER_ERROR, Fault.SERVER_ERROR, None]


@pytest.mark.parametrize("text", ["nonsense=0.1", "429", "429=x", "429=-0.1", "429=0.9,500=0.2"])
def test_faults_that_mean_nothing_are_refused(text):
    with pytest.raises(InvalidInput):
        Faults.parse(text)


def test_a_truth_file_is_read_line_by_line_and_a_bad_line_is_named(tmp_path):
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text("\ufeff" + "\n\n".join(json.dumps(row) for row in ROWS[:3]) + "\n", encoding="utf-8")
    bad.write_text('{"a": 1}\n{"a": \n', encoding="utf-8")
    assert read_rows(good) == ROWS[:3]
    with pytest.raises(InvalidInput, match="line 2"):
        read_rows(bad)


# --- continuations -----------------------------------------------------------------------------------------------


def joined(row, prefix, continuation):
    """The first steps of a row and what the completer wrote after them, as one row."""
    return row | {"steps": [*row["steps"][:prefix], *continuation.split("\n\n")]}


@given(st.integers(0, len(ROWS) - 1), st.integers(0, 6), st.integers(0, 400))
def test_a_continuation_has_a_first_error_that_fits_its_answer(number, prefix, seed):
    row = ROWS[number]
    prefix = min(prefix, len(row["steps"]) - 1)
    first = len(row["steps"]) if row["first_error"] == NO_ERROR else row["first_error"]
    made = joined(
        row, prefix, complete(TRUTH, Law(ungradable=0.0), row["problem"], as_solution(row).prefix(prefix), seed)
    )
    known = whole(TRUTH.problem(row["problem"]), made["steps"])
    assert known is not None
    assert len(known.steps) == len(made["steps"])
    right = grade(answers.find(made["steps"][-1]), row["answer"])[0] is Verdict.RIGHT
    if first < prefix:
        assert known.first_error == first
    else:
        assert (known.first_error == len(known.steps)) is right
        assert known.first_error >= prefix


def test_prefixes_of_a_continuation_are_worth_what_the_law_says_of_its_first_error():
    law = Law(noise=0.0, ungradable=0.0, solve=(8.0, 3.0), recovery=0.05)
    row = max(ROWS, key=lambda row: (row["first_error"] == NO_ERROR, len(row["steps"])))
    tries = (complete(TRUTH, law, row["problem"], as_solution(row).prefix(1), i) for i in range(500))
    known = [
        (one, whole(TRUTH.problem(row["problem"]), one["steps"])) for one in (joined(row, 1, text) for text in tries)
    ]
    one, truth = next(pair for pair in known if 2 <= pair[1].first_error < len(pair[1].steps) - 1)
    for prefix, low, high in ((truth.first_error, 0.5, 1.0), (truth.first_error + 1, 0.0, 0.2)):
        texts = [complete(TRUTH, law, row["problem"], as_solution(one).prefix(prefix), i) for i in range(300)]
        right = mean(grade(answers.find(text), row["answer"])[0] is Verdict.RIGHT for text in texts)
        assert low <= right <= high


def test_the_judge_and_the_scorer_know_what_the_completer_wrote():
    row = ROWS[0]
    made = joined(row, 1, complete(TRUTH, Law(ungradable=0.0), row["problem"], as_solution(row).prefix(1), 3))
    assert judge(TRUTH, Law(), row["problem"], made["steps"], 0)["unable"] is False
    assert scores(TRUTH, Law(), row["problem"], made["steps"]) is not None
    made["steps"][1] = "Something that nobody wrote."
    assert judge(TRUTH, Law(), row["problem"], made["steps"], 0)["unable"] is True
