"""The sentences that claims are looked up in, each with what it takes from others: whom its pronouns and names mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from index.types import Passage, Span
from qa.extract import UNRESOLVED, Sentence
from qa.fullnames import in_full
from qa.lexicon import PREPOSITIONS
from qa.rules import introduced
from qa.wording import Item, may_be_verb, read

_PRONOUN = re.compile(
    r"\b(?:he|she|it|they|him|her|them|his|hers|its|their|we|our|who|which|this|that|these|those)\b", re.I
)
_WHEN = re.compile(r"\b(?:until|till|in|on)\s+(?P<date>(?:[\w.]+ ){0,2}\d{4}),?\s+when\s+")

_RELATIVE = re.compile(r", which (?P<says>[^,;]+)")
LONGEST_NOUN = 5
"""Words of what a relative clause is about."""


@dataclass(frozen=True, slots=True)
class Source:
    """A sentence of a passage, the sentence that says whom its pronouns stand for, and the words of its passage.

    With a `lead` it is two sentences: that one and the next, which leans on it; a `clause` is part of its sentence.
    """

    sentence: Sentence
    text: str
    items: list[Item]
    keys: frozenset[str]
    before: Sentence | None
    context: list[Item]
    around: frozenset[str]
    full: Named | None = None
    lead: Sentence | None = None
    clause: bool = False

    @property
    def document(self) -> str:
        """The id of its document."""
        return self.sentence[0].document_id


@dataclass(frozen=True, slots=True)
class Named:
    """The items of a sentence with its names in full, the words that were added, and where the names are from."""

    items: list[Item]
    added: frozenset[str]
    sentences: tuple[Sentence, ...]


def sources(sentences: Iterable[Sentence]) -> list[Source]:
    """The sentences as sources, each with the full names that others of its document give."""
    alone = [_source(passage, span) for passage, span in sentences]
    documents: dict[str, list[Source]] = {}
    for source in alone:
        documents.setdefault(source.document, []).append(source)
    named: dict[Sentence, Named] = {}
    for of_one in documents.values():
        for source, full in zip(of_one, in_full([source.items for source in of_one]), strict=True):
            if full.names:
                added = frozenset(word.key for name in full.names for word in name.words) - source.keys
                given = tuple(of_one[name.sentence].sentence for name in full.names)
                named[source.sentence] = Named(full.items, added, given)
    return [replace(source, full=named.get(source.sentence)) for source in alone]


def _source(passage: Passage, span: Span) -> Source:
    """A sentence, and where it cannot stand alone the nearest one before it in its passage that can."""
    text = passage.slice(span)
    before = None
    if _PRONOUN.search(text) or UNRESOLVED.match(text):
        at = passage.sentences.index(span)
        earlier = passage.sentences[max(0, at - 3) : at]
        before = next((other for other in reversed(earlier) if not UNRESOLVED.match(passage.slice(other))), None)
    items = read(text)
    return Source(
        (passage, span),
        text,
        items,
        frozenset(item.key for item in items),
        (passage, before) if before else None,
        read(passage.slice(before)) if before else [],
        _introduced(passage.text),
    )


def pairs(known: Sequence[Source]) -> Iterator[Source]:
    """Each sentence that begins with what the one right before it names (`It`, `Their`), together with that one."""
    for first, second in pairwise(known):
        if first.sentence[0] == second.sentence[0] and UNRESOLVED.match(second.text):
            yield replace(
                second,
                text=f"{first.text} {second.text}",
                items=[*first.items, *second.items],
                keys=first.keys | second.keys,
                before=None,
                context=[],
                full=None,
                lead=first.sentence,
            )


def clauses(passage: Passage, span: Span) -> Iterator[Source]:
    """Parts of a sentence that are sentences of their own, each with what came before it.

    These are what stands between its semicolons, what happened at its date (`until 2006, when Hale bought it`), and
    what it says by the way: `it is due in version 5.3, which is planned for May`.
    """
    text = passage.slice(span)
    ends = [match.end() for match in re.finditer(r";\s+", text)]
    before: list[Item] = []
    for start, end in pairwise([0, *ends, len(text)]) if ends else ():
        clause = text[start:end].rstrip("; \n")
        leans = _PRONOUN.search(clause) and before
        yield _clause(passage, span, clause, before if leans else [])
        before = read(clause) if not leans else before
    for match in _WHEN.finditer(text):
        yield _clause(passage, span, f"In {match['date']}, {text[match.end() :]}", [])
    for match in _RELATIVE.finditer(text):
        if noun := _noun_before(text[: match.start()]):
            yield _clause(passage, span, f"{noun} {match['says']}", [])


def _noun_before(text: str) -> str:
    """The words at the end of a text that name something: those after its last preposition, verb or mark."""
    words: list[str] = []
    for word in reversed(text.split()):
        item = next(iter(read(word)), None)
        plain = item and word[-1].isalnum() and word.casefold() not in PREPOSITIONS
        if not item or not plain or (words and may_be_verb(item)):
            break
        words.insert(0, word)
    return " ".join(words) if len(words) <= LONGEST_NOUN else ""


def _clause(passage: Passage, span: Span, text: str, before: list[Item]) -> Source:
    items, whole = read(text), (passage, span)
    keys = frozenset(item.key for item in items)
    lends = whole if before else None
    return Source(whole, text, items, keys, lends, before, _introduced(passage.text), clause=True)


@lru_cache(maxsize=256)
def _introduced(text: str) -> frozenset[str]:
    return frozenset(introduced(read(text)))
