from __future__ import annotations

import math
from dataclasses import replace

import pytest

from benchmarks.endpoint import Moment, summed_up
from benchmarks.pipeline import Driver, Stack
from reasoning.llm import CallRecord
from reasoning.types import Usage

DONE = CallRecord("e", "m", "rollout", 4, 1, "ok", 200, "", Usage(), estimated=False, seconds=0.3)
BEGAN = Moment(at=100.0, client=5.0, simulator=2.0, machine=50.0)
ENDED = Moment(at=110.0, client=9.0, simulator=3.0, machine=58.0)


def test_waiting_is_the_endpoints_own_time_and_taken_the_networks_and_clients_too() -> None:
    row = summed_up("slots", 4, 250, BEGAN, ENDED, [DONE] * 100)
    assert (row.per_second, row.waiting, row.taken) == pytest.approx((10.0, 100 * 0.25 / 40, 100 * 0.3 / 40))
    assert (row.client_ms, row.simulator_ms, row.others) == pytest.approx((40.0, 10.0, 0.3))


def test_a_failed_request_ends_the_measurement() -> None:
    with pytest.raises(SystemExit, match="1 requests failed: 500: disk full"):
        summed_up(
            "slots", 4, 250, BEGAN, ENDED, [DONE, replace(DONE, status="EndpointUnavailable", detail="500: disk full")]
        )


def test_the_middle_of_a_run_leaves_out_its_first_and_last_fifth(tmp_path) -> None:
    driver = Driver(Stack(tmp_path, "http://127.0.0.1:9", 9), "token")
    slow, steady, tail = [(0, 0), (10, 20)], [(11, 40), (12, 60), (13, 80)], [(30, 100)]
    driver.asked = [(float(at), 1000 + requests) for at, requests in slow + steady + tail]
    assert driver.waiting(slots=10, latency=0.25) == pytest.approx((80 - 20) * 0.25 / (10 * 3))
    driver.asked = driver.asked[:1]
    assert math.isnan(driver.waiting(slots=10, latency=0.25))
