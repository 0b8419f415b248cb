"""Answering without blocking the event loop: a few questions at a time, each step in one worker thread."""

from __future__ import annotations

import math
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TypeVar

import anyio
from anyio import from_thread, to_thread
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from qa.api.problems import BUSY, ProblemError, problem_of
from qa.pipeline import Inquiry
from qa.types import AnswerEvent, Event

Result = TypeVar("Result")
Begin = Callable[[Callable[[], bool]], Inquiry]
"""Begins a question, given a function that says whether the client has gone. Called in a worker thread."""


class Asking:
    """Gives questions their turns: `reading` of them are read at a time, `writing` written by a language model.

    A model that is slow or silent keeps nobody from reading. Those that wait occupy the event loop only, no thread, and
    are at most `queue`; more are turned away with a 429.
    """

    def __init__(self, reading: int, writing: int, queue: int) -> None:
        self._reading = anyio.CapacityLimiter(reading)
        self._writing = anyio.CapacityLimiter(writing)
        self._turns = anyio.Semaphore(writing)  # a thread's limiter cannot be waited for with a time limit
        self._most = reading + writing + queue
        self._present = 0

    async def run(self, begin: Begin, receive: Receive, on_event: Callable[[Event], Awaitable[None]]) -> None:
        """Hand every event to `on_event`, and raise what asking raises.

        When the client disconnects, this returns early: the question leaves the queue, or ends after the step it is in,
        and a language model stops writing. Events are few and small and are kept for a slow client, so that it holds
        neither a turn nor the index.
        """
        with self._place():
            await self._run(begin, receive, on_event)

    async def turn(self, work: Callable[[Callable[[], bool]], Result], receive: Receive) -> Result | None:
        """What `work` returns, which takes a turn at reading as a question does; None when the client has gone.

        `work` is given a function that says whether it has, and need not go on then.
        """
        gone = threading.Event()
        result: Result | None = None
        failure: Exception | None = None
        with self._place():
            async with anyio.create_task_group() as group:
                group.start_soon(_watch, receive, gone, group.cancel_scope)
                try:
                    result = await to_thread.run_sync(work, gone.is_set, limiter=self._reading)
                except Exception as error:  # carried over, or the task group would wrap it
                    failure = error
                group.cancel_scope.cancel()
        if failure:
            raise failure
        return None if gone.is_set() else result

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._present >= self._most:
            raise ProblemError(BUSY, f"{self._present:,} questions are being answered or wait.")
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1

    async def _run(self, begin: Begin, receive: Receive, on_event: Callable[[Event], Awaitable[None]]) -> None:
        outbox, inbox = anyio.create_memory_object_stream[Event](math.inf)
        gone = threading.Event()
        failure: Exception | None = None

        def send(events: Iterator[Event]) -> None:
            with closing(events):  # type: ignore[type-var]
                for event in events:
                    from_thread.check_cancelled()
                    from_thread.run_sync(outbox.send_nowait, event)

        def begun() -> Inquiry:
            inquiry = begin(gone.is_set)
            if not inquiry.rewrites:
                read(inquiry)
            return inquiry

        def read(inquiry: Inquiry) -> None:
            send(inquiry.read())
            if not inquiry.writes:
                send(inquiry.write())

        async def produce() -> None:
            nonlocal failure
            with outbox:
                try:
                    inquiry = await to_thread.run_sync(begun, limiter=self._reading)
                    if inquiry.rewrites:
                        await self._in_turn(inquiry, lambda away: inquiry.understand(turned_away=away))
                        await to_thread.run_sync(read, inquiry, limiter=self._reading)
                    if inquiry.writes:
                        await self._in_turn(inquiry, lambda away: send(inquiry.write(turned_away=away)))
                except Exception as error:  # carried over, or the task group would wrap it
                    failure = error

        # `outbox` here, too: a producer that is cancelled before its first step never gets to close it.
        with outbox, inbox:
            async with anyio.create_task_group() as group:
                group.start_soon(produce)
                group.start_soon(_watch, receive, gone, group.cancel_scope)
                with suppress(OSError):  # what a server may raise when it cannot send any more
                    async for event in inbox:
                        await on_event(event)
                gone.set()
                group.cancel_scope.cancel()
        if failure:
            raise failure

    async def _in_turn(self, inquiry: Inquiry, work: Callable[[bool], None]) -> None:
        """Wait for a turn at the language model, but no longer than it may take; `work` is told when there was none."""
        with anyio.move_on_after(max(0.0, inquiry.time_left())) as waiting:
            await self._turns.acquire()
        if waiting.cancelled_caught:
            await to_thread.run_sync(work, True, limiter=self._reading)
            return
        try:
            await to_thread.run_sync(work, False, limiter=self._writing)
        finally:
            self._turns.release()


async def _watch(receive: Receive, gone: threading.Event, scope: anyio.CancelScope) -> None:
    """Set `gone` when the client disconnects, and cancel what is done for it."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
    scope.cancel()


class AnswerStream(EventSourceResponse):
    """An answer as server-sent events.

    FastAPI's own event streams begin before the first event is there. This one begins with it, so that a question which
    cannot be asked still gets a status of its own; an error after that becomes an `error` event.
    """

    def __init__(self, asking: Asking, begin: Begin) -> None:
        super().__init__(content=(), headers={"X-Accel-Buffering": "no"})  # nginx would hold events back
        self._asking = asking
        self._begin = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events; nothing is sent before there is one."""
        started = False

        async def send_event(name: str, data: str) -> None:
            nonlocal started
            if not started:
                started = True
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            body = format_sse_event(event=name, data_str=data)
            await send({"type": "http.response.body", "body": body, "more_body": True})

        async def on_event(event: Event) -> None:
            await send_event(event.event, data_of(event))

        try:
            await self._asking.run(self._begin, receive, on_event)
        except Exception as error:
            if not started:
                raise
            await send_event("error", problem_of(error).model_dump_json(exclude_none=True))
        if started:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def data_of(event: Event) -> str:
    """What an event carries as JSON: the last one the answer itself, the others their fields without `event`."""
    if isinstance(event, AnswerEvent):
        return event.answer.model_dump_json()
    return event.model_dump_json(exclude={"event"})
