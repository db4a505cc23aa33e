import numpy as np

from whichlever.measure.ladder import Ladder, Tried, climb


def answers(targets: np.ndarray, right: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(targets)) < right, targets, (targets + 1) % 4)


TARGETS = np.random.default_rng(0).integers(0, 4, 600)


def ladder(*rungs: Tried, **more: object) -> Ladder:
    return climb(rungs, TARGETS, "accuracy", 0.02, **more)  # type: ignore[arg-type]


def test_it_climbs_while_the_gain_is_above_the_margin_and_shown() -> None:
    found = ladder(
        Tried("linear", answers(TARGETS, 0.6, 1)),
        Tried("finetune-static", answers(TARGETS, 0.75, 2), (0.75, 0.74, 0.76)),
        Tried("finetune-encoder", answers(TARGETS, 0.76, 3), (0.76,)),
    )
    assert found.stands_on == "finetune-static"
    assert [r.climbed for r in found.rungs] == [True, True, False]
    assert found.rungs[1].text == "better than linear by more than the margin"
    assert found.rungs[2].over == "finetune-static"


def test_a_rung_that_is_too_dear_is_not_stood_on_and_one_seed_is_said_to_be_one() -> None:
    found = ladder(
        Tried("linear", answers(TARGETS, 0.5, 1)),
        Tried("finetune-static", answers(TARGETS, 0.9, 2), (0.9,), "its p95 latency is over 1 ms"),
        Tried("finetune-encoder", answers(TARGETS, 0.8, 3), (0.8,)),
    )
    assert found.stands_on == "finetune-encoder"
    assert found.rungs[1].text == "better than linear, but its p95 latency is over 1 ms"
    assert found.rungs[2].over == "linear"
    assert "1 training seed only" in found.rungs[2].text


def test_a_gain_that_few_groups_carry_may_be_chance() -> None:
    below = answers(TARGETS, 0.6, 1)
    above = below.copy()
    above[:60] = TARGETS[:60]  # one group of ten is answered right throughout, the rest alike
    found = ladder(
        Tried("linear", below),
        Tried("finetune-static", above, (0.7,)),
        groups=[str(i // 60) for i in range(600)],
    )
    gain = found.rungs[1].gain
    assert gain is not None
    assert gain.value > 0.02
    assert found.stands_on == "linear"
    assert "may be chance" in found.rungs[1].text
