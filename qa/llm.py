"""Text from any LLM behind LlamaIndex's interface, within a budget: nobody waits for one that is late or endless."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qa.errors import LLMError, LLMTimeout, ModelMissing, QAError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage

log = logging.getLogger(__name__)

TRIES = 3
_FIRST_WAIT = 0.25
"""Seconds before the second try; doubled before the third. A `Retry-After` of the server counts instead."""
_POLL = 0.05
"""Seconds between two looks at whether the client has gone."""
_MENDABLE = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
_UNREACHED = frozenset({"APIConnectionError", "ConnectionError", "ConnectError", "RemoteProtocolError", "ReadError"})
_LATE = frozenset({"APITimeoutError", "TimeoutException", "TimeoutError"})

FALLBACK = "The verbatim answer stands. QA_LLM=none answers without a language model."


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """The LLM that the settings name: importing and loading it wait until it is first needed.

    A `capable` one reads passages and answers in its own words; another only phrases what the reader found. At most
    `parallel` answers are written at once. `hang_up` is called in the thread that reads a reply when it is over or
    nobody wants it any more, for clients that closing the reply does not stop.
    """

    name: str
    load: Callable[[], LLM] = field(repr=False)  # it may hold a key
    capable: bool = True
    parallel: int = 8
    hang_up: Callable[[], None] = field(default=lambda: None, repr=False)
    _threads: threading.BoundedSemaphore = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Twice as many, because a thread that nobody waits for any more may still hang on a silent server.
        object.__setattr__(self, "_threads", threading.BoundedSemaphore(2 * self.parallel))

    def write(self, messages: Sequence[ChatMessage], budget: Budget, **options: Any) -> Iterator[str]:
        """The reply, piece by piece; closing the iterator ends the model's work at its next piece.

        Ends early when the budget is cancelled. Raises `LLMTimeout` when its time is up and `LLMError` for whatever
        else goes wrong; their messages name neither addresses nor keys. What can be mended by trying again (busy, not
        reached) is tried again while there is time and nothing has been said.
        """
        pieces: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
        given_up = threading.Event()

        def run() -> None:
            try:
                for piece in _tried(self.load(), messages, budget, given_up, options):
                    pieces.put(piece)
                    if given_up.is_set():
                        break
                else:
                    pieces.put(None)
            except Exception as error:  # whatever it is must reach the thread that waits
                pieces.put(error)
            finally:
                try:
                    self.hang_up()
                finally:
                    self._threads.release()

        while not self._threads.acquire(timeout=_POLL):
            if budget.cancelled():
                return
            if time.monotonic() >= min(budget.deadline, budget.first_by):
                raise LLMTimeout("it is busy with other answers", help=FALLBACK)
        # A thread of its own, because a model that is silent cannot be interrupted, only no longer waited for.
        threading.Thread(target=run, name="llm", daemon=True).start()
        started = False
        try:
            while not budget.cancelled():
                limit = budget.remaining() if started else min(budget.remaining(), budget.first_by - time.monotonic())
                try:
                    piece = pieces.get(timeout=max(0.0, min(_POLL, limit)))
                except queue.Empty:
                    if limit <= _POLL:
                        raise LLMTimeout("it did not answer in time", help=FALLBACK) from None
                    continue
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise _told(piece) from piece
                started = started or bool(piece)  # a stream opens with a role and no text
                yield piece
                if budget.remaining() <= 0:
                    raise LLMTimeout("it did not come to an end in time", help=FALLBACK)
        finally:
            given_up.set()


@dataclass(frozen=True, slots=True)
class Budget:
    """What an answer may cost: `deadline` and `first_by` (for the first piece) on the monotonic clock, and tokens."""

    deadline: float
    first_by: float
    max_tokens: int
    cancelled: Callable[[], bool] = lambda: False

    def remaining(self) -> float:
        """Seconds left."""
        return self.deadline - time.monotonic()


def _tried(
    llm: LLM, messages: Sequence[ChatMessage], budget: Budget, given_up: threading.Event, options: dict[str, Any]
) -> Iterator[str]:
    wait = _FIRST_WAIT
    for attempt in range(1, TRIES + 1):
        said = False
        try:
            # The names that OpenAI's client uses too, so that other LLMs of LlamaIndex understand them.
            reply = llm.stream_chat(
                messages, max_tokens=budget.max_tokens, timeout=max(0.1, budget.remaining()), **options
            )
            with closing(reply):
                text = ""
                for response in reply:
                    whole = response.message.content or ""
                    delta = whole[len(text) :] if response.delta is None else response.delta
                    text += delta
                    if delta:
                        said = True
                    yield delta  # an empty one, too: whoever has given up is noticed at the next piece
            return
        except Exception as error:
            pause = _asked_wait(error)
            pause = wait if pause is None else pause
            if said or attempt == TRIES or not _mendable(error) or pause >= budget.remaining():
                raise
            log.info("the language model failed (%s), trying again in %.2f s", type(error).__name__, pause)
            if given_up.wait(pause):
                return
            wait *= 2


def _names(error: Exception) -> set[str]:
    """The classes of an error by name: those of clients that may not be installed cannot be imported to compare."""
    return {cls.__name__ for cls in type(error).__mro__}


def _mendable(error: Exception) -> bool:
    if _names(error) & _LATE:
        return False  # the time that is left went into it
    return getattr(error, "status_code", None) in _MENDABLE or bool(_names(error) & _UNREACHED)


def _asked_wait(error: Exception) -> float | None:
    """The seconds that the server asks to wait."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None  # none, or a date: not worth a parser within budgets of seconds


def _told(error: Exception) -> QAError:
    """An error in words that may be shown to whoever asked."""
    if isinstance(error, QAError):
        return error
    log.warning("the language model failed: %s: %s", type(error).__name__, error)
    if isinstance(error, ImportError):
        return ModelMissing(f"its client is not installed ({error.name})", help=FALLBACK)
    if _names(error) & _LATE:
        return LLMTimeout("it did not answer in time", help=FALLBACK)
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return LLMError(f"it answered HTTP {status}", help=FALLBACK)
    if _names(error) & _UNREACHED:
        return LLMError("it cannot be reached, or broke off", help=FALLBACK)
    return LLMError(f"its reply cannot be read ({type(error).__name__})", help=FALLBACK)
