"""What is evaluated: the service in this process, or a running server. Both tell the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Protocol

import httpx

from qa.errors import QAError
from qa.pipeline import QA
from qa.trace import Trace
from qa.types import AnswerEvent, AskedMode, Event

Wire = dict[str, Any]
"""An answer as the HTTP API sends it. A server may be of another version than this client: it is not validated."""

_NEEDED = frozenset({"status", "answer", "short_answer", "answerable_probability", "claims", "citations", "passages"})
_TEXTS_KEPT = 4096


class SystemUnavailable(QAError):
    """A server that does not answer, or not as this service does."""


class TimedOut(QAError):
    """An answer that took longer than it was given."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A sentence that a language model wrote, and why it was not shown; `score` is its support score."""

    sentence: str
    shown: bool
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, milliseconds by the clock of whoever asked, and what only the service itself knows.

    `withheld` is the short answer and the text that would have been shown, had the service not refused: None over HTTP,
    and where there was none.
    """

    answer: Wire
    ms: dict[str, float]
    drafted: tuple[Drafted, ...] | None = None
    withheld: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A document of a collection: its name there, and its current version."""

    uri: str
    version: str


@dataclass(frozen=True, slots=True)
class Place:
    """A document version in a collection."""

    collection: str
    document_id: str
    version: str | None


class System(Protocol):
    """Something that answers questions over documents that can be looked up."""

    def ask(self, question: str, collection: str) -> Reply:
        """The answer. Raises `TimedOut`, and whatever goes wrong."""

    def documents(self, collection: str) -> dict[str, Listed]:
        """The documents of a collection by their ids."""

    def text(self, place: Place) -> str:
        """The text of a document version."""

    def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True)
class InProcess:
    """The service in this process."""

    qa: QA
    mode: AskedMode = "auto"
    top_k: int | None = None
    timeout: float = 120.0
    _listed: dict[str, dict[str, Listed]] = field(default_factory=dict)

    def ask(self, question: str, collection: str) -> Reply:
        """The last event of the stream, and when the others came.

        A language model is told to stop when the time is up; what takes too long all the same counts as late.
        """
        trace, clock = Trace(), _Stopwatch()
        inquiry = self.qa.begin(
            question,
            collection=collection,
            mode=self.mode,
            top_k=self.top_k,
            trace=trace,
            cancelled=lambda: clock.ms() > self.timeout * 1000,
        )
        answer = clock.follow(_named(inquiry.read, inquiry.write))
        clock.check(self.timeout)
        found = trace.found[0] if trace.found and answer["status"] == "not_answerable" else None
        return Reply(
            answer,
            clock.marks | _steps(answer),
            tuple(Drafted(d.sentence, d.shown, d.support.score, d.support.reasons) for d in trace.drafted),
            (found.words, found.excerpt.text()) if found else None,
        )

    def documents(self, collection: str) -> dict[str, Listed]:
        """From the index."""
        if collection not in self._listed:
            with self.qa.collections.get(collection).snapshot(self.qa.embedder.name) as snapshot:
                self._listed[collection] = {row.id: Listed(row.uri, row.version) for row in snapshot.documents()}
        return self._listed[collection]

    @lru_cache(maxsize=_TEXTS_KEPT)  # noqa: B019 - lives as long as the run
    def text(self, place: Place) -> str:
        """From the index."""
        with self.qa.collections.get(place.collection).snapshot() as snapshot:
            return snapshot.document(place.document_id, place.version).text

    def close(self) -> None:
        """There are none."""

    __hash__ = object.__hash__


@dataclass(frozen=True)
class Server:
    """A running server, asked with `stream: true`."""

    url: str
    mode: AskedMode = "auto"
    top_k: int | None = None
    timeout: float = 120.0
    _listed: dict[str, dict[str, Listed]] = field(default_factory=dict)

    @cached_property
    def _client(self) -> httpx.Client:
        """One pool of connections, which threads share."""
        return httpx.Client(base_url=self.url.rstrip("/"), timeout=self.timeout, trust_env=False)

    def ask(self, question: str, collection: str) -> Reply:
        """The last event of the stream, and when the others came."""
        clock = _Stopwatch()
        body = {"question": question, "collection": collection, "mode": self.mode, "top_k": self.top_k, "stream": True}
        try:
            with self._client.stream("POST", "/v1/ask", json=body) as response:
                if response.is_error:
                    response.read()
                    raise _problem(response)
                answer = clock.follow(self._events(response, clock))
        except httpx.TimeoutException as error:
            raise TimedOut(f"no answer within {self.timeout:g} s", help="Raise --timeout.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error
        return Reply(answer, clock.marks | _steps(answer))

    def documents(self, collection: str) -> dict[str, Listed]:
        """From `GET /v1/documents`."""
        if collection not in self._listed:
            rows = self._get("/v1/documents", {"collection": collection})["documents"]
            self._listed[collection] = {row["id"]: Listed(row["uri"], row["version"]) for row in rows}
        return self._listed[collection]

    @lru_cache(maxsize=_TEXTS_KEPT)  # noqa: B019 - lives as long as the run
    def text(self, place: Place) -> str:
        """From `GET /v1/documents/{id}`."""
        where = {"collection": place.collection} | ({"version": place.version} if place.version else {})
        return str(self._get(f"/v1/documents/{place.document_id}", where)["text"])

    def close(self) -> None:
        """All connections, if there are any."""
        if "_client" in self.__dict__:
            self._client.close()

    __hash__ = object.__hash__

    def _events(self, response: httpx.Response, clock: _Stopwatch) -> Iterator[tuple[str, Wire]]:
        name = ""
        for line in response.iter_lines():
            clock.check(self.timeout)  # a server that dribbles never times out by itself
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                data = line.removeprefix("data: ")
                if name == "error":
                    raise SystemUnavailable(f"the server broke off: {_shortened(data)}", help="Its log says why.")
                yield name, json.loads(data) if name == "answer" else {}

    def _get(self, path: str, where: dict[str, str]) -> dict[str, Any]:
        try:
            response = self._client.get(path, params=where)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error
        if response.is_error:
            raise _problem(response)
        try:
            found: dict[str, Any] = response.json()
        except ValueError as error:
            raise SystemUnavailable(
                f"{self.url} answers {_shortened(response.text)!r}",
                help="Name a server of this project.",
            ) from error
        return found

    def _unreachable(self, error: Exception) -> SystemUnavailable:
        return SystemUnavailable(
            f"{self.url} does not answer: {str(error) or type(error).__name__}", help="Start it with: qa serve"
        )


def _problem(response: httpx.Response) -> QAError:
    """What a server says is wrong (RFC 9457)."""
    try:
        said = response.json()
        told = f"{said['title']} {said.get('detail', '')}".strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        told = _shortened(response.text)
    return SystemUnavailable(f"HTTP {response.status_code}: {told}", help="Its log says why.")


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "…"


class _Stopwatch:
    """Milliseconds since a question was asked, and when the first event of each kind came."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self.marks: dict[str, float] = {}

    def ms(self) -> float:
        return (time.perf_counter() - self._began) * 1000

    def check(self, seconds: float) -> None:
        if self.ms() > seconds * 1000:
            raise TimedOut(f"no answer within {seconds:g} s", help="Raise --timeout.")

    def follow(self, events: Iterator[tuple[str, Wire]]) -> Wire:
        """Run through the events of a question, by name, and give the answer."""
        answer: Wire = {}
        for name, data in events:
            self.marks.setdefault(name, round(self.ms(), 2))
            answer = data
        if not answer.keys() >= _NEEDED:
            missing = ", ".join(sorted(_NEEDED - answer.keys()))
            raise SystemUnavailable(f"the answer lacks {missing}", help="Is it a server of this project?")
        return answer


def _named(*halves: Callable[[], Iterator[Event]]) -> Iterator[tuple[str, Wire]]:
    for half in halves:
        for event in half():
            yield event.event, event.answer.model_dump(mode="json") if isinstance(event, AnswerEvent) else {}


def _steps(answer: Wire) -> dict[str, float]:
    """The steps as the service clocks them: `retrieve`, `read`, `compose`, `verify`."""
    return {name.removesuffix("_ms"): ms for name, ms in answer.get("timings", {}).items()}
