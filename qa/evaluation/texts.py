"""The texts behind an evaluation: sentences of the documents, and which of them the gold evidence touches."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from index.chunk import split_sentences
from index.types import Passage, Span
from qa.evaluation.questions import Question
from qa.evaluation.systems import Listed, Place, System

Sentence = tuple[str, Span]
"""A document id, and a span of its current version."""


class Texts:
    """Looks up, for the questions of one collection, what their spans mean."""

    def __init__(self, system: System, collection: str) -> None:
        self._system = system
        self._collection = collection
        self._documents: Mapping[str, Listed] = system.documents(collection)
        self._named: dict[str, list[str]] = {}
        for document_id, listed in self._documents.items():
            for name in {listed.uri, PurePosixPath(listed.uri).stem}:
                self._named.setdefault(name, []).append(document_id)

    def uri(self, document_id: str) -> str:
        """A document's name, or its id where it is no longer listed."""
        listed = self._documents.get(document_id)
        return listed.uri if listed else document_id

    def listed(self) -> list[tuple[str, str]]:
        """Name and version of each document."""
        return [(listed.uri, listed.version) for listed in self._documents.values()]

    def of(self, document_id: str, version: str | None = None) -> str:
        """The text of a document; that of its current version by default."""
        return self._system.text(Place(self._collection, document_id, version))

    def named(self, name: str) -> list[str]:
        """The ids of the documents of this name; a whole name comes before the stem of a file's."""
        found = self._named.get(name, [])
        return [document_id for document_id in found if self.uri(document_id) == name] or found

    def gold(self, question: Question) -> dict[str, list[Span]]:
        """The evidence of a question by document id, overlapping places as one, in order."""
        places: dict[str, list[Span]] = {}
        for item in question.evidence:
            for document_id in self.named(item.document):
                places.setdefault(document_id, []).append(item.span)
        return {document_id: _merged(spans) for document_id, spans in places.items()}

    def sentences(self, document_id: str, spans: list[Span]) -> list[Sentence]:
        """The sentences of a document that one of the spans touches, in order."""
        return [(document_id, s) for s in _sentences(self.of(document_id)) if any(s.overlaps(span) for span in spans)]

    def passage(self, citation: Mapping[str, Any]) -> Passage:
        """A cited span as a passage of one sentence."""
        start, end = citation["start_char_index"], citation["end_char_index"]
        return Passage(
            start, citation["document_id"], citation.get("document_version", ""), citation.get("document_title", ""),
            None, start, end, citation["cited_text"], (Span(start, end),),
        )  # fmt: skip

    def exact(self, citation: Mapping[str, Any]) -> bool:
        """Whether the cited text is what stands at its offsets in the version that it names."""
        text = self.of(citation["document_id"], citation["document_version"])
        cited: str = citation["cited_text"]
        return bool(cited) and text[citation["start_char_index"] : citation["end_char_index"]] == cited


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and merged[-1].overlaps(span):
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


@lru_cache(maxsize=4096)
def _sentences(text: str) -> tuple[Span, ...]:
    return tuple(split_sentences(text))
