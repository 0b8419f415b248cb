"""Questions with what is known to answer them: files of JSON lines, and of SQuAD 1.1 and 2.0.

A line of a question file has `id`, `question`, `answerable`, `answers` (texts) and `evidence`, a list of
`{"document", "start_char_index", "end_char_index"}`. `document` is the stem of the document's file name, or its whole
name in the collection; offsets count code points, end exclusive. Other fields are passed over.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from index.types import Document, Span
from qa.errors import QAError

FORMATS = "JSON lines as tests/data/README.md describes them, or a SQuAD 1.1 or 2.0 file."


class InvalidDataset(QAError):
    """A file of questions or of claims that cannot be read as one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place that answers: `document` is the document's name in its collection, or the stem of its file's name."""

    document: str
    span: Span


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its gold: `golds` and `evidence` are empty where nothing answers it.

    `group` is what questions have in common, such as the article that they are about. `paragraph` is the name of the
    SQuAD paragraph that it was asked about.
    """

    id: str
    question: str
    golds: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    group: str = ""
    paragraph: str = ""

    @property
    def answerable(self) -> bool:
        """Whether there is an answer."""
        return bool(self.golds)


@dataclass(frozen=True, slots=True)
class Dataset:
    """The questions of a file, and the paragraphs where the file brings them. `checksum` is the file's SHA-256."""

    name: str
    checksum: str
    questions: tuple[Question, ...]
    paragraphs: tuple[Document, ...] = ()

    def sample(self, number: int | None, seed: int) -> Dataset:
        """`number` of the questions, drawn with the seed, in the file's order; all where there are no more."""
        if number is None or number >= len(self.questions):
            return self
        drawn = sorted(random.Random(seed).sample(range(len(self.questions)), number))  # noqa: S311 - no secret
        return replace(self, questions=tuple(self.questions[i] for i in drawn))


def load_dataset(path: Path) -> Dataset:
    """A question file of either form. Raises `InvalidDataset`, which says where it cannot be read."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise InvalidDataset(f"cannot read {path}: {error.strerror or error}", help="Name a file.") from error
    except UnicodeDecodeError as error:
        raise InvalidDataset(f"{path} is not UTF-8 text ({error.reason})", help=FORMATS) from error
    whole = _squad_in(text)
    questions, paragraphs = _squad(path, whole) if whole else (_lines(path, text), [])
    if not questions:
        raise InvalidDataset(f"{path} has no question", help=FORMATS)
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise InvalidDataset(f"{path} has two questions with the id {question.id}", help="Give each its own id.")
        seen.add(question.id)
    return Dataset(path.name, hashlib.sha256(raw).hexdigest(), tuple(questions), tuple(paragraphs))


def _squad_in(text: str) -> dict[str, Any] | None:
    """The object of a SQuAD file, parsed; None for JSON lines."""
    try:
        whole = json.loads(text) if text.lstrip().startswith("{") else None
    except ValueError:
        return None  # JSON lines, unless it is damaged
    return whole if isinstance(whole, dict) and "data" in whole and "question" not in whole else None


def _lines(path: Path, text: str) -> list[Question]:
    questions = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            questions.append(_question(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidDataset(f"{path}, line {number}: {_said(error)}", help=FORMATS) from error
    return questions


def _question(record: dict[str, Any]) -> Question:
    evidence = tuple(
        Evidence(str(item["document"]), Span(int(item["start_char_index"]), int(item["end_char_index"])))
        for item in record.get("evidence", ())
    )
    answerable, answers = record["answerable"], record.get("answers") or []
    if not isinstance(answerable, bool):
        raise ValueError(f"`answerable` is {answerable!r}: somebody has to say true or false")
    if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
        raise ValueError("`answers` is no list of texts")
    golds = tuple(answers) if answerable else ()
    if answerable != bool(golds):
        raise ValueError("an answerable question needs `answers`")
    if any(not 0 <= item.span.start < item.span.end for item in evidence):
        raise ValueError("a place in `evidence` ends before it starts, or starts before its document")
    return Question(str(record["id"]), str(record["question"]), golds, evidence if golds else ())


def _squad(path: Path, whole: dict[str, Any]) -> tuple[list[Question], list[Document]]:
    questions, paragraphs = [], []
    known: Counter[str] = Counter()  # files made from other data sets give every article the same title
    try:
        for article in whole["data"]:
            title = article["title"]
            for paragraph in article["paragraphs"]:
                uri, context = f"{title}/{known[title]}", paragraph["context"]
                known[title] += 1
                paragraphs.append(Document(uri, title.replace("_", " "), context, "squad"))
                questions += [_asked(title, uri, context, record) for record in paragraph["qas"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidDataset(f"{path} is no SQuAD file: {_said(error)}", help=FORMATS) from error
    return questions, paragraphs


def _asked(title: str, uri: str, context: str, record: dict[str, Any]) -> Question:
    answers = [] if record.get("is_impossible") else record["answers"]
    spans = dict.fromkeys(Span(a["answer_start"], a["answer_start"] + len(a["text"])) for a in answers)
    if any(not 0 <= span.start < span.end <= len(context) for span in spans):
        raise ValueError(f"an answer to question {record['id']} lies outside of its paragraph")
    golds = tuple(answer["text"] for answer in answers)
    return Question(str(record["id"]), record["question"], golds, tuple(Evidence(uri, s) for s in spans), title, uri)


def _said(error: Exception) -> str:
    return f"there is no field {error}" if isinstance(error, KeyError) else str(error)


_QUANTITY = "many much long old far often large big small tall high fast wide deep heavy".split()
_KINDS: Sequence[tuple[str, str]] = (
    ("how many", rf"how (?:{'|'.join(_QUANTITY)})\b"),
    ("when", r"when\b|(?:in |on |by |since )?(?:what|which) (?:year|date|day|month|century|decade|time)\b"),
    ("who", r"who(?:m|se)?\b"),
    ("where", r"where\b"),
    ("why", r"why\b|for what reason"),
    ("how", r"how\b"),
    ("which", r"which\b"),
    ("what", r"what\b"),
)


def kind(question: str) -> str:
    """What is asked for, by the first question word: who, when, how many, why… `other` where there is none."""
    text = " ".join(question.casefold().split())
    found = [(match.start(), at, name) for at, (name, pattern) in enumerate(_KINDS) if (match := _first(pattern, text))]
    return min(found)[2] if found else "other"


def _first(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(rf"\b(?:{pattern})", text)
