"""Thumbs up and down, and refused questions: kept, listed, and exported as evaluation cases.

What was rated is evidence for a case only where a person said so: a thumb up confirms an answer and its citations, or a
refusal. What is right after a thumb down, or when nobody rated a refusal, is not known; such a question is exported
apart, to be filled in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from index.errors import IndexingError
from index.store import Collections, Snapshot
from qa.cite import decode
from qa.errors import InvalidCitation
from qa.records import FILE, reading, writing
from qa.types import Answer

Rating = Literal["up", "down", "refused"]
MOST_OF_A_KIND = 10_000
"""Ratings up, ratings down and refusals that are kept, each; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Rated:
    """An answer and what a person thought of it; `refused` is a refusal that the service kept by itself.

    `question` stands by itself. `citations` are ids; of a refusal they are the nearest passages. `at` is in seconds
    since 1970.
    """

    answer_id: str
    rating: Rating
    question: str
    collection: str
    status: Literal["answered", "not_answerable"]
    reason: str = ""
    answer: str = ""
    short_answer: str = ""
    citations: tuple[str, ...] = ()
    at: float = 0.0
    id: int = 0


@dataclass(slots=True)
class Cases:
    """Evaluation cases: `judged` ones in the format of a question file, and those that a person has to fill in."""

    judged: list[dict[str, Any]] = field(default_factory=list)
    open: list[dict[str, Any]] = field(default_factory=list)


class Feedback:
    """The feedback of a data directory. Every method may raise `RecordsUnavailable`."""

    def __init__(self, data_dir: Path, now: Callable[[], float] = time.time) -> None:
        self._path = data_dir / FILE
        self._now = now

    def rate(self, rated: Rated) -> None:
        """Keep a rating. A second one of the same answer takes the place of the first."""
        record = asdict(rated)
        columns = {name: record.pop(name) for name in ("answer_id", "rating", "collection", "question")}
        del record["id"], record["at"]
        with writing(self._path) as db:
            db.execute("DELETE FROM feedback WHERE answer_id = ?", (rated.answer_id,))
            db.execute(
                "INSERT INTO feedback (answer_id, rating, collection, question, at, record) VALUES (?, ?, ?, ?, ?, ?)",
                (*columns.values(), self._now(), json.dumps(record, ensure_ascii=False)),
            )
            db.execute(
                "DELETE FROM feedback WHERE id IN "
                "(SELECT id FROM feedback WHERE rating = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
                (rated.rating, MOST_OF_A_KIND),
            )

    def refused(self, answer: Answer) -> None:
        """Keep a refusal: the question, the collection, and where the nearest passages are; nothing that was shown."""
        nearest = [passage.viewer_url.rpartition("#")[2] for passage in answer.passages]
        question = answer.standalone_question or answer.question
        self.rate(Rated(answer.id, "refused", question, answer.collection, "not_answerable", citations=tuple(nearest)))

    def all(self, *, collection: str | None = None, rating: Rating | None = None) -> list[Rated]:
        """What is kept, the latest first."""
        with reading(self._path) as db:
            if db is None:
                return []
            rows = db.execute(
                "SELECT id, answer_id, rating, collection, question, at, record FROM feedback "
                "WHERE iif(?1 IS NULL, 1, collection = ?1) AND iif(?2 IS NULL, 1, rating = ?2) ORDER BY id DESC",
                (collection, rating),
            ).fetchall()
        names = ("id", "answer_id", "rating", "collection", "question", "at")
        found = []
        for *values, record in rows:
            more = json.loads(record)
            found.append(
                Rated(**dict(zip(names, values, strict=True)), **more | {"citations": tuple(more["citations"])})
            )
        return found

    def clear(self, *, collection: str | None = None) -> int:
        """Delete what is kept, of one collection or all, and say how much that was."""
        if not self._path.is_file():
            return 0
        with writing(self._path) as db:
            return db.execute("DELETE FROM feedback WHERE iif(?1 IS NULL, 1, collection = ?1)", (collection,)).rowcount


def cases(rated: Sequence[Rated], collection: str, collections: Collections) -> Cases:
    """The evaluation cases that the ratings of one collection make, one a question, the latest first.

    Judged are questions that have only been rated up: with the answer's citations as evidence where it was answered,
    as not answerable where it was refused. All others are open: rated down, refused without a word of anybody, rated
    both ways, or cited from text that is no longer there.
    """
    made = Cases()
    by_question: dict[str, list[Rated]] = {}
    for item in rated:
        if item.collection == collection:
            by_question.setdefault(" ".join(item.question.casefold().split()), []).append(item)
    for same in by_question.values():
        judged = [item for item in same if item.rating != "refused"]
        latest = (judged or same)[0]
        case: dict[str, Any] = {"id": f"feedback-{latest.id}", "question": latest.question}
        agreed = judged and all((i.rating, i.status) == ("up", latest.status) for i in judged)
        if agreed and latest.status == "not_answerable":
            made.judged.append({**case, "answerable": False, "answers": [], "evidence": []})
            continue
        evidence = _evidence(latest, collections)
        answers = [text for text in (latest.short_answer or latest.answer,) if text]
        if agreed and evidence and answers:
            made.judged.append({**case, "answerable": True, "answers": answers, "evidence": evidence})
            continue
        shown = {"rating": latest.rating, "reason": latest.reason, "status": latest.status, "answer": latest.answer}
        case |= {"answerable": None, "answers": [], "evidence": []}
        made.open.append({**case, **shown, "nearest" if latest.status == "not_answerable" else "cited": evidence or []})
    return made


def _evidence(item: Rated, collections: Collections) -> list[dict[str, Any]] | None:
    """What was cited, where it stands today; None where part of it is nowhere any more."""
    try:
        with collections.get(item.collection).snapshot() as snapshot:
            uris = {document.id: document.uri for document in snapshot.documents()}
            found = [_place(cited, item.collection, snapshot, uris) for cited in dict.fromkeys(item.citations)]
    except IndexingError:
        return None
    return None if None in found else [place for place in found if place]


def _place(cited: str, collection: str, snapshot: Snapshot, uris: dict[str, str]) -> dict[str, Any] | None:
    try:
        place = decode(cited)
        text = snapshot.document(place.document_id, place.document_version).text[place.start : place.end]
        current = snapshot.document(place.document_id)
    except (InvalidCitation, IndexingError):
        return None
    start = place.start
    if current.version != place.document_version:
        # The document has moved on: the same words count if they stand there once.
        start = current.text.find(text)
        if start < 0 or current.text.find(text, start + 1) >= 0:
            return None
    if place.collection != collection or not text:
        return None
    return {
        "document": Path(uris[place.document_id]).stem,
        "text": text,
        "start_char_index": start,
        "end_char_index": start + len(text),
    }
