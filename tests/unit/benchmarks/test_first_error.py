"""The first-error benchmark: its worlds are what the regimes say, its rows what outside programs rely on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.first_error.__main__ import CASES, main
from benchmarks.first_error.ceilings import unlimited
from benchmarks.first_error.harness import Row, rows_of
from benchmarks.first_error.metrics import Scorer, calibration_error, cost_at, f1_at
from benchmarks.first_error.ranges import random_regimes
from benchmarks.first_error.worlds import Regime, draw_world, read_regimes
from reasoning.errors import InvalidInput
from reasoning.first_error import Confusion

PLAIN = Regime("plain", (4, 10), (2.0, 1.5), 0.12, 0.7, None, 0.1, 0.1)
JUDGED = replace(PLAIN, name="judged", judge=Confusion(0.6, 0.2, 0.1, 0.15), solutions_per_problem=3)
FIELDS = [
    *("regime", "method", "setting", "f1", "f1_low", "f1_high", "accuracy_wrong", "accuracy_right"),
    *("rollouts", "step_tokens", "ece", "decision_ms", "fit_rollouts"),
]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return rows_of(JUDGED, chains=60, seed=3, fit_chains=30)


def test_the_same_seed_draws_the_same_world() -> None:
    one, two, other = draw_world(JUDGED, 50, 1), draw_world(JUDGED, 50, 1), draw_world(JUDGED, 50, 2)
    assert (one.draws.outcome == two.draws.outcome).all()
    assert (one.first_error == two.first_error).all()
    assert one.draws.outcome.shape != other.draws.outcome.shape or (one.draws.outcome != other.draws.outcome).any()


def test_a_world_is_what_its_regime_says() -> None:
    world = draw_world(JUDGED, 6000, 1)
    assert world.judged is not None
    wrong = world.first_error < world.steps
    assert world.steps.min() == 4
    assert world.steps.max() == 10
    assert (world.solve[0::3] == world.solve[2::3]).all()
    assert wrong.mean() == pytest.approx(1 - world.solve.mean(), abs=0.02)  # each chain is right with chance s
    assert world.own_right[~wrong].all()
    assert (world.judged[~wrong] < world.steps[~wrong]).mean() == pytest.approx(0.15, abs=0.02)
    assert (world.judged[wrong] == world.steps[wrong]).mean() == pytest.approx(0.1, abs=0.02)
    assert (world.draws.outcome < 0).mean() == pytest.approx(0.1, abs=0.01)
    graded = np.where(world.draws.outcome[:, 1] < 0, np.nan, world.draws.outcome[:, 1])
    assert np.nanmean(graded) == pytest.approx(world.value[:, 1].mean(), abs=0.01)


@pytest.mark.parametrize(
    "broken", [{"uneven": 0.7}, {"hazard": 0.12}, {"fade": 1.0}, {"noise_kind": "t3"}, {"noise_kind": "ar1"}]
)
def test_broken_worlds_are_drawn_and_known_as_broken(broken: dict[str, object]) -> None:
    regime = replace(PLAIN, **broken)
    world = draw_world(regime, 300, 1)
    assert regime.broken
    assert not PLAIN.broken
    assert ((world.value >= 0) & (world.value <= 1)).all()


def test_a_constant_hazard_is_constant() -> None:
    world = draw_world(replace(PLAIN, hazard=0.12), 8000, 1)
    assert (world.first_error == 0).mean() == pytest.approx(0.12, abs=0.015)


def test_regimes_are_read_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(read_regimes(CASES)) >= 12
    path = tmp_path / "regimes.json"
    row = {"name": "odd", "steps": [4, 5], "solve_rate": [2, 1], "recovery_mean": 0.1, "value_noise": 0, "judge": None}
    path.write_text(json.dumps([row | {"colour": "blue"}]))
    (regime,) = read_regimes(path)
    assert (regime.judge, regime.false_positive, regime.uneven) == (None, 0.0, None)
    assert "colour" in capsys.readouterr().err


def test_random_regimes_are_drawn_by_the_seed_alone() -> None:
    few, many = random_regimes(3, 7), random_regimes(60, 7)
    assert few == many[:3]
    assert few != random_regimes(3, 8)
    assert {regime.broken for regime in many} == {regime.judge is None for regime in many} == {True, False}
    assert all(len(draw_world(regime, 20, 1)) == 20 for regime in many)


@pytest.mark.parametrize(
    "bad", [{"noise_kind": "pink"}, {"steps": [4]}, {"judge": {"hit": 2}}, {"name": "odd", "value_noise": None}]
)
def test_a_bad_regime_is_named(tmp_path: Path, bad: dict[str, object]) -> None:
    path = tmp_path / "regimes.json"
    row = {"name": "odd", "steps": [4, 5], "solve_rate": [2, 1], "recovery_mean": 0.1, "value_noise": 0}
    path.write_text(json.dumps([row | bad]))
    with pytest.raises(InvalidInput, match="odd"):
        read_regimes(path)


def test_every_promised_method_has_rows(rows: list[Row]) -> None:
    published = ("hard_estimation", "soft_estimation", "sequential", "bisection", "sprt", "sprt_bisection")
    both = [*published, "soft_bisection", "scan"]
    expected = {*both, *(f"{name}_shortcut" for name in both), "judge_alone", "unlimited", "genie"}
    expected |= {
        "posterior",
        "posterior_judge",
        "posterior_fitted",
        "posterior_judge_fitted",
        "posterior_fitted_tokens",
    }
    assert expected <= {row.method for row in rows}
    assert len({(row.method, row.setting) for row in rows}) == len(rows)


def test_rows_have_the_promised_fields_and_make_sense(rows: list[Row]) -> None:
    for row in rows:
        assert list(row.to_json()) == FIELDS
        assert 0 <= row.f1_low <= row.f1 + 1e-9
        assert row.f1 <= row.f1_high + 1e-9 <= 1 + 2e-9
    hard = next(row for row in rows if (row.method, row.setting) == ("hard_estimation", "N=8"))
    lossless = next(row for row in rows if (row.method, row.setting) == ("sequential", "N=8"))
    assert (hard.f1, hard.accuracy_wrong) == (lossless.f1, lossless.accuracy_wrong)
    assert lossless.rollouts < hard.rollouts / 2
    fitted = [row for row in rows if row.method.endswith("_fitted")]
    assert all(row.fit_rollouts is not None and row.fit_rollouts <= 300 for row in fitted)


def test_budgets_are_kept_and_stop_settings_are_nested(rows: list[Row]) -> None:
    mine = [row for row in rows if row.method == "posterior"]
    for row in mine:
        if row.setting.startswith("budget="):
            assert row.rollouts <= float(row.setting.removeprefix("budget=")) + 1e-9
    assert [row.rollouts for row in mine] == sorted(row.rollouts for row in mine)


def test_what_the_unlimited_posterior_knows_is_nearly_the_truth() -> None:
    world = draw_world(replace(PLAIN, value_noise=0.0, false_positive=0.0), 400, 1)
    found = unlimited(world)
    assert (found.argmax(1) == world.first_error).mean() > 0.95
    assert found.sum(1) == pytest.approx(1)


def test_f1_and_its_interval() -> None:
    truth, steps = np.array([0, 1, 2, 3] * 50), np.full(200, 3)
    scorer = Scorer(truth, steps, np.arange(200), seed=1)
    assert scorer.score(truth).f1 == 1
    half = np.where(np.arange(200) < 100, truth, (truth + 1) % 4)
    score = scorer.score(half)
    assert (score.accuracy_wrong, score.accuracy_right, score.f1) == (0.5, 0.5, 0.5)
    assert 0.38 < score.f1_low < 0.5 < score.f1_high < 0.62


def test_calibration_error_is_nought_for_honest_certainty_and_large_for_boasting() -> None:
    g = np.random.default_rng(1)
    certainty = g.random(20_000)
    right = g.random(20_000) < certainty
    assert calibration_error(certainty, right) < 0.015
    assert calibration_error(np.minimum(certainty + 0.2, 1), right) > 0.12


def test_curves_are_made_monotone_and_interpolated() -> None:
    costs, f1s = np.array([4.0, 1.0, 2.0, 8.0]), np.array([0.6, 0.4, 0.7, 0.8])
    assert f1_at(costs, f1s, 4) == pytest.approx(0.7)
    assert f1_at(costs, f1s, 6) == pytest.approx(0.75)
    assert cost_at(costs, f1s, 0.55) == pytest.approx(1.5)
    assert cost_at(costs, f1s, 0.75) == pytest.approx(6.0)
    assert cost_at(costs, f1s, 0.3) == 1.0
    assert cost_at(costs, f1s, 0.9) == float("inf")


def test_it_runs_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = tmp_path / "regimes.json"
    row = {"name": "tiny", "steps": [1, 4], "solve_rate": [2, 1], "recovery_mean": 0.1, "value_noise": 0}
    cases.write_text(json.dumps([row | {"judge": None, "false_positive": 0, "ungradable": 0}]))
    out = tmp_path / "rows.json"
    arguments = ["--regimes", str(cases), "--chains", "40", "--seed", "2", "--fit", "0", "--jobs", "1"]
    assert main([*arguments, "--json", str(out)]) == 0
    document = json.loads(out.read_text())
    assert list(document) == ["seed", "chains", "version", "rows"]
    assert (document["seed"], document["chains"]) == (2, 40)
    assert {row["regime"] for row in document["rows"]} == {"tiny"}
    printed = capsys.readouterr().out
    assert "rollouts saved against hard estimation" in printed
