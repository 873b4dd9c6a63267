from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.limits import USUAL, Limiter, Rate, Verdict, rates_of

SMALL = {"member": Rate(2, 4), "members": Rate(3, 6), "strangers": Rate(3, 6), "address": Rate(1, 3)}


@dataclass
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def asks(limiter: Limiter, *wants: tuple[str, str], times: int = 1) -> list[bool]:
    found = [limiter.take(wants) for _ in range(times)]
    return [verdict is None or verdict.allowed for verdict in found]


@given(
    st.lists(st.tuples(st.floats(0, 5), st.sampled_from(["a", "b", "c"])), max_size=200),
    st.floats(0.1, 20),
    st.integers(1, 30),
)
def test_nobody_is_answered_more_often_than_the_rate_says(
    steps: list[tuple[float, str]], per_second: float, burst: int
) -> None:
    clock, answered = Seconds(), dict.fromkeys("abc", 0)
    limiter = Limiter({"member": Rate(per_second, burst)}, clock=clock)
    for pause, who in steps:
        clock.now += pause
        verdict = limiter.take([("member", who)])
        assert verdict is not None
        answered[who] += verdict.allowed
        assert verdict.allowed == (verdict.wait == 0) or verdict.remaining == 0
        assert answered[who] <= burst + per_second * clock.now + 1e-6


@given(st.floats(0.01, 100), st.integers(1, 50))
def test_who_waits_as_long_as_it_is_told_is_answered(per_second: float, burst: int) -> None:
    clock = Seconds()
    limiter = Limiter({"member": Rate(per_second, burst)}, clock=clock)
    assert all(asks(limiter, ("member", "a"), times=burst))
    refused = limiter.take([("member", "a")])
    assert isinstance(refused, Verdict)
    assert not refused.allowed
    clock.now += refused.wait
    assert asks(limiter, ("member", "a")) == [True]


def test_one_network_takes_nothing_from_another_and_strangers_nothing_from_members() -> None:
    limiter = Limiter(SMALL, clock=Seconds())
    for crowd in ("members", "strangers"):
        assert asks(limiter, (crowd, "greedy"), times=100).count(True) == SMALL[crowd].burst
    assert asks(limiter, ("member", "quiet/me"), ("members", "quiet"), times=4) == [True] * 4
    limiter = Limiter(SMALL, clock=Seconds())
    asks(limiter, ("strangers", "small"), times=100)
    assert asks(limiter, ("member", "small/me"), ("members", "small")) == [True]


def test_who_is_refused_takes_nothing_from_the_whole() -> None:
    limiter = Limiter(SMALL, clock=Seconds())
    assert asks(limiter, ("member", "a"), ("members", "n"), times=50).count(True) == 4
    assert asks(limiter, ("member", "b"), ("members", "n"), times=50).count(True) == 2
    assert limiter.take([("member", "b")]) == Verdict(True, "member", SMALL["member"], 1, 0, 2)


def test_what_has_no_rate_is_not_limited() -> None:
    assert Limiter({}).take([("member", "a"), ("members", "n")]) is None
    assert all(asks(Limiter(SMALL, clock=Seconds()), ("unheard of", "a"), times=1000))


def test_only_so_many_are_remembered() -> None:
    limiter = Limiter(SMALL, clock=Seconds(), most=10)
    for number in range(1000):
        asks(limiter, ("address", str(number)))
        limiter.learn(str(number), "somebody")
    kept = [number for number in range(1000) if limiter.owner(str(number))]
    assert kept == list(range(990, 1000))
    assert asks(limiter, ("address", "999"), times=3) == [True, True, False]
    assert asks(limiter, ("address", "0"), times=3) == [True, True, True]


def test_an_installation_says_its_own_rates() -> None:
    assert rates_of("") == USUAL
    assert rates_of(" off ") == {}
    own = rates_of("token=5/10 reset=0.5/3")
    assert own == {**USUAL, "token": Rate(5, 10), "reset": Rate(0.5, 3)}
    assert rates_of("token=8/10", processes=4)["token"] == Rate(2, 2)


@pytest.mark.parametrize("wrong", ["token", "token=0/5", "token=5/0", "tokens=5/5", "token=-1/5", "token=5"])
def test_rates_that_cannot_be_read_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="name=per_second/burst"):
        rates_of(wrong)
