"""The queue before the model: whole requests, right answers, one at a time, bounded."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.predict import Prediction, Row
from whichlever.serve.batching import Batcher, Full


class Slow:
    """Answers a row with its own text; notes batches, and whether two ever ran at once."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.batches, self.threads = seconds, [], set()
        self._busy = threading.Lock()

    def __call__(self, rows: Sequence[Row]) -> list[Prediction]:
        assert self._busy.acquire(blocking=False), "asked by two at once"
        try:
            self.batches.append(len(rows))
            self.threads.add(threading.current_thread() is threading.main_thread())
            time.sleep(self.seconds)
            if any(row.text == "boom" for row in rows):
                raise RuntimeError("boom")
            return [Prediction(row.id, row.text) for row in rows]
        finally:
            self._busy.release()


def rows(*texts: str) -> list[Row]:
    return [Row("", text) for text in texts]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=30),
    st.integers(1, 16),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([0.0, 0.001]),
)
def test_every_request_gets_its_own_answers(
    sizes: list[int], most: int, here: float, wait: float
) -> None:
    model = Slow()

    async def run() -> None:
        batcher = Batcher(model, most, 10_000, wait=wait, here=here)

        async def ask(number: int, size: int) -> None:
            if number % 3 == 0:
                await asyncio.sleep(0)
            said = await batcher.answer(rows(*(f"{number}-{i}" for i in range(size))))
            assert [p.label for p in said] == [f"{number}-{i}" for i in range(size)]

        work = (batcher.aside(lambda n=n: n) for n in range(3))
        asked = (ask(n, size) for n, size in enumerate(sizes))
        found = await asyncio.gather(*asked, *work)
        assert found[-3:] == [0, 1, 2]
        await batcher.close()

    asyncio.run(run())
    assert sum(model.batches) == sum(sizes)
    assert max(model.batches) <= max(most, *sizes)


def test_short_batches_stay_and_long_ones_go_to_the_thread() -> None:
    async def run(seconds: float) -> set[bool]:
        model = Slow(seconds)
        batcher = Batcher(model, 8, 100, here=0.02)
        await batcher.answer(rows("a"))  # the first one is only measured
        model.threads.clear()
        await batcher.answer(rows("a"))
        await batcher.close()
        return model.threads

    assert asyncio.run(run(0.0)) == {True}
    assert asyncio.run(run(0.1)) == {False}


def test_dear_rows_are_not_gathered_into_batches_that_keep_the_first_waiting() -> None:
    class ByRow(Slow):
        def __call__(self, rows: Sequence[Row]) -> list[Prediction]:
            self.seconds = 0.02 * len(rows)
            return super().__call__(rows)

    async def go() -> None:
        model = ByRow()
        batcher = Batcher(model, 64, 100, together=0.05)
        await batcher.answer(rows("first"))  # what a row costs is known from here on
        said = await asyncio.gather(*[batcher.answer(rows(f"row {i}")) for i in range(12)])
        assert [one[0].label for one in said] == [f"row {i}" for i in range(12)]
        assert max(model.batches) <= 4
        await batcher.close()

    asyncio.run(go())


def test_it_refuses_what_would_not_fit_and_goes_on() -> None:
    async def run() -> None:
        batcher = Batcher(Slow(0.05), 2, 4)
        first = asyncio.create_task(batcher.answer(rows("a", "b")))
        await asyncio.sleep(0.01)
        waiting = asyncio.create_task(batcher.answer(rows("c", "d", "e")))
        await asyncio.sleep(0)
        with pytest.raises(Full):
            await batcher.answer(rows("f", "g"))
        assert len(await first) == 2
        assert len(await waiting) == 3
        assert len(await batcher.answer(rows(*"hijklmn"))) == 7  # larger than all: alone, it may
        await batcher.close()

    asyncio.run(run())


def test_a_failure_is_told_to_those_it_concerns() -> None:
    async def run() -> None:
        batcher = Batcher(Slow(), 1, 100)
        said = await asyncio.gather(
            batcher.answer(rows("boom")), batcher.answer(rows("a")), return_exceptions=True
        )
        assert isinstance(said[0], RuntimeError)
        assert said[1][0].label == "a"
        await batcher.close()

    asyncio.run(run())


def test_who_gave_up_is_not_answered() -> None:
    async def run() -> None:
        model = Slow(0.05)
        batcher = Batcher(model, 1, 100)
        first = asyncio.create_task(batcher.answer(rows("a")))
        await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await batcher.answer(rows("b"))
        await first
        await batcher.close()
        assert model.batches == [1]
        assert batcher.waiting == 0

    asyncio.run(run())
