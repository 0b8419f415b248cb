"""Answering without blocking the event loop: a few questions at a time, each in one worker thread from start to end."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress

import anyio
from anyio import from_thread, to_thread
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from qa.api.problems import problem_of
from qa.types import AnswerEvent, Event

Ask = Callable[[], Iterator[Event]]


class Asking:
    """Runs questions, at most `limit` at a time; those that wait occupy the event loop only, no thread."""

    def __init__(self, limit: int) -> None:
        self._slots = anyio.CapacityLimiter(limit)

    async def run(self, ask: Ask, receive: Receive, on_event: Callable[[Event], Awaitable[None]]) -> None:
        """Hand every event to `on_event`, and raise what `ask` raises.

        When the client disconnects, this returns early: the question leaves the queue, or is closed after the step it
        is in. Events are few and small and are kept for a slow client, so that it holds neither a slot nor the index.
        """
        outbox, inbox = anyio.create_memory_object_stream[Event](math.inf)
        failure: Exception | None = None

        def work() -> None:
            with closing(ask()) as events:  # type: ignore[type-var]
                for event in events:
                    from_thread.check_cancelled()
                    from_thread.run_sync(outbox.send_nowait, event)

        async def produce() -> None:
            nonlocal failure
            with outbox:
                try:
                    await to_thread.run_sync(work, limiter=self._slots)
                except Exception as error:  # carried over, or the task group would wrap it
                    failure = error

        # `outbox` here, too: a producer that is cancelled before its first step never gets to close it.
        with outbox, inbox:
            async with anyio.create_task_group() as group:

                async def watch() -> None:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    group.cancel_scope.cancel()

                group.start_soon(produce)
                group.start_soon(watch)
                with suppress(OSError):  # what a server may raise when it cannot send any more
                    async for event in inbox:
                        await on_event(event)
                group.cancel_scope.cancel()
        if failure:
            raise failure


class AnswerStream(EventSourceResponse):
    """An answer as server-sent events.

    FastAPI's own event streams begin before the first event is there. This one begins with it, so that a question which
    cannot be asked still gets a status of its own; an error after that becomes an `error` event.
    """

    def __init__(self, asking: Asking, ask: Ask) -> None:
        super().__init__(content=(), headers={"X-Accel-Buffering": "no"})  # nginx would hold events back
        self._asking = asking
        self._ask = ask

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
            await self._asking.run(self._ask, receive, on_event)
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
