"""Conversations that are kept because somebody asked for it: turns with their citations, until they expire."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qa.errors import ConversationFull, ConversationMissing, ConversationsOff
from qa.records import FILE, reading, writing
from qa.types import MAX_TURN_ANSWER, MAX_TURN_QUESTION, MAX_TURNS, Answer, Turn

MOST_CONVERSATIONS = 10_000
"""Conversations that are kept; with a further one the one that would expire first goes."""
MOST_KEPT_TURNS = 200
"""Turns of one conversation; then a new one is to be begun."""
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Conversation:
    """A kept conversation; times in seconds since 1970."""

    id: str
    created: float
    expires: float
    answers: tuple[Answer, ...] = ()


class Conversations:
    """The kept conversations of a data directory. Each turn puts the expiry off by `days`; with 0 none is kept.

    What was kept before that was set to 0 can still be read and deleted. Every method may raise `RecordsUnavailable`.
    """

    def __init__(self, data_dir: Path, days: float, now: Callable[[], float] = time.time) -> None:
        self._path = data_dir / FILE
        self._days = days
        self._now = now

    @property
    def kept(self) -> bool:
        """Whether new ones are kept."""
        return self._days > 0

    def begin(self) -> Conversation:
        """A new conversation with an id that cannot be guessed. Raises `ConversationsOff`."""
        self._check_kept()
        now = self._now()
        begun = Conversation("conv_" + secrets.token_urlsafe(24), now, now + self._days * _DAY)
        with writing(self._path) as db:
            _forget_expired(db, now)
            db.execute("INSERT INTO conversations VALUES (?, ?, ?)", (begun.id, begun.created, begun.expires))
            db.execute(
                "DELETE FROM conversations WHERE id IN "
                "(SELECT id FROM conversations WHERE id <> ? ORDER BY expires DESC, id LIMIT -1 OFFSET ?)",
                (begun.id, MOST_CONVERSATIONS - 1),
            )
        return begun

    def turns(self, id: str) -> list[Turn]:
        """The latest turns of a conversation, as a follow-up is completed from them.

        Raises `ConversationsOff`, `ConversationMissing`, and `ConversationFull` where no further turn is taken.
        """
        self._check_kept()
        with reading(self._path) as db:
            _found(db, id, self._now())
            assert db is not None  # noqa: S101 - it was found
            count = db.execute("SELECT count(*) FROM turns WHERE conversation = ?", (id,)).fetchone()[0]
            if count >= MOST_KEPT_TURNS:
                raise ConversationFull(
                    f"the conversation has {count:,} turns, and no more are kept",
                    help="Begin a new one: POST /v1/conversations.",
                )
            rows = db.execute(
                "SELECT answer FROM turns WHERE conversation = ? ORDER BY id DESC LIMIT ?", (id, MAX_TURNS)
            ).fetchall()
        return [_turn(Answer.model_validate_json(row[0])) for row in reversed(rows)]

    def keep(self, id: str, answer: Answer) -> None:
        """Append a turn, whole or not at all. Raises `ConversationMissing` where it was deleted meanwhile."""
        now = self._now()
        with writing(self._path) as db:
            _found(db, id, now)
            db.execute("UPDATE conversations SET expires = ? WHERE id = ?", (now + self._days * _DAY, id))
            db.execute("INSERT INTO turns (conversation, answer) VALUES (?, ?)", (id, answer.model_dump_json()))
            _forget_expired(db, now)

    def get(self, id: str) -> Conversation:
        """A conversation with all its answers, in order. Raises `ConversationMissing`."""
        with reading(self._path) as db:
            created, expires = _found(db, id, self._now())
            assert db is not None  # noqa: S101 - it was found
            rows = db.execute("SELECT answer FROM turns WHERE conversation = ? ORDER BY id", (id,)).fetchall()
        return Conversation(id, created, expires, tuple(Answer.model_validate_json(row[0]) for row in rows))

    def delete(self, id: str) -> None:
        """Forget a conversation for good. Raises `ConversationMissing`."""
        with reading(self._path) as db:
            _found(db, id, self._now())
        with writing(self._path) as db:
            db.execute("DELETE FROM conversations WHERE id = ?", (id,))

    def forget_expired(self) -> int:
        """Delete what has expired, and say how many; nothing is written where there is none."""
        with reading(self._path) as db:
            waiting = db and db.execute("SELECT 1 FROM conversations WHERE expires <= ?", (self._now(),)).fetchone()
        if not waiting:
            return 0
        with writing(self._path) as db:
            return _forget_expired(db, self._now())

    def _check_kept(self) -> None:
        if not self.kept:
            raise ConversationsOff(
                "this service keeps no conversations",
                help="Send the turns as `history`; or have QA_KEEP_CONVERSATIONS set to the days they are kept.",
            )


def _found(db: sqlite3.Connection | None, id: str, now: float) -> tuple[float, float]:
    """When a conversation was begun and expires."""
    query = "SELECT created, expires FROM conversations WHERE id = ? AND expires > ?"
    row = db.execute(query, (id, now)).fetchone() if db and id.isascii() else None
    if row is None:
        raise ConversationMissing(
            "there is no such conversation, or not any more",
            help="It was deleted, has expired, or never was. Begin a new one: POST /v1/conversations.",
        )
    return float(row[0]), float(row[1])


def _forget_expired(db: sqlite3.Connection, now: float) -> int:
    return db.execute("DELETE FROM conversations WHERE expires <= ?", (now,)).rowcount


def _turn(answer: Answer) -> Turn:
    asked = answer.standalone_question or answer.question
    said = answer.answer if answer.status == "answered" else ""
    # Without checks: a service may be set to take longer questions than a client may send as history.
    return Turn.model_construct(question=asked[:MAX_TURN_QUESTION], answer=said[:MAX_TURN_ANSWER])
