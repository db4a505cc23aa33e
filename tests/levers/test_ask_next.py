"""Which rows a teacher is asked about next."""

from __future__ import annotations

import numpy as np

from whichlever.levers.ask_next import first_round, next_round
from whichlever.predict import Row

LABELS = ("network", "printer")
KNOWN = [
    Row("1", "vpn dns down", "network"),
    Row("2", "dns wifi slow", "network"),
    Row("3", "toner paper low", "printer"),
    Row("4", "paper tray stuck", "printer"),
]
POOL = [
    *(Row(f"s{i}", f"vpn dns wifi {i}") for i in range(10)),
    *(Row(f"t{i}", f"toner paper tray {i}") for i in range(10)),
    Row("u0", "vpn toner trouble"),
    Row("u1", "vpn toner trouble"),  # the same again teaches nothing more
    Row("u2", "dns paper mystery"),
]


def test_the_least_sure_rows_come_first_and_near_copies_last() -> None:
    chosen = next_round(POOL, np.arange(len(POOL)), KNOWN, LABELS, 2, seed=0)
    ids = {POOL[i].id for i in chosen.tolist()}
    assert "u2" in ids
    assert len(ids & {"u0", "u1"}) == 1
    again = next_round(POOL, np.arange(len(POOL)), KNOWN, LABELS, 2, seed=0)
    assert chosen.tolist() == again.tolist()


def test_nothing_known_is_chance_and_nothing_left_is_all_there_is() -> None:
    assert len(set(first_round(100, 40, seed=0).tolist())) == 10
    left = np.array([3, 5])
    assert set(next_round(POOL, left, KNOWN, LABELS, 9, seed=0).tolist()) == {3, 5}
    assert len(next_round(POOL, np.arange(23), KNOWN[:1], LABELS, 4, seed=0)) == 4
