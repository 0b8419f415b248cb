"""Sentences as words, and the noun phrases among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.chunk import split_sentences
from qa.lexicon import (
    ARTICLES,
    DATES,
    DETERMINERS,
    NOT_NOMINAL,
    POSSESSIVES,
    PREPOSITIONS,
    PRONOUNS,
    TIMES,
    base,
    countries,
    lemmas,
    noun,
    only_verb,
    participle,
    plural,
)

_WORD = re.compile(r"[^\W_]+(?:['’.,:&/-][^\W_]+)*|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence and its words; `a` to `b` below are positions of words, `b` exclusive."""

    text: str
    spans: tuple[tuple[int, int], ...]
    words: tuple[str, ...]
    lower: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Text:
        """The words of a text, without the marks at its end."""
        found = list(_WORD.finditer(text))
        while found and not found[-1].group()[0].isalnum():
            found.pop()
        words = tuple(match.group() for match in found)
        return cls(text, tuple(m.span() for m in found), words, tuple(w.casefold().replace("’", "'") for w in words))

    def __len__(self) -> int:
        return len(self.words)

    def phrase(self, a: int, b: int) -> str:
        """The text from word `a` up to word `b`."""
        return self.text[self.spans[a][0] : self.spans[b - 1][1]] if a < b else ""

    def replaced(self, a: int, b: int, by: str) -> str:
        """The whole text with other words in that place."""
        return self.text[: self.spans[a][0]] + by + self.text[self.spans[b - 1][1] :]


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun phrase, without what `of` or another preposition adds to it."""

    a: int
    b: int
    text: str
    kind: str  # name, country, year, date, number, common
    plural: bool
    head: str
    article: bool
    preposition: str = ""

    @property
    def name(self) -> bool:
        """Whether it is written like a name."""
        return self.kind in ("name", "country")


def first_sentence(text: str) -> str:
    """The first sentence of a text."""
    spans = split_sentences(text)
    return spans[0].of(text) if spans else ""


def nouns(of: Text, a: int, b: int) -> list[Noun]:
    """The noun phrases between two words, each with the preposition before it."""
    found: list[Noun] = []
    at = a
    while at < b:
        end = _noun_end(of, at, b)
        if end == at:
            at += 1
            continue
        before = of.lower[at - 1] if at > 0 and of.lower[at - 1] in PREPOSITIONS else ""
        found.append(_noun(of, at, end, before))
        at = end
    return list(_joined(of, found))


def whole(of: Text, item: Noun, until: int) -> str:
    """A noun phrase with what `of`, `in` and the like add to it, up to the word `until`."""
    end = item.b
    while end < until and of.lower[end] in ("of", "in", "for", "from"):
        further = _noun_end(of, end + 1, until)
        if further == end + 1:
            break
        end = further
    return of.phrase(item.a, end)


def _noun_end(of: Text, at: int, limit: int) -> int:
    end = at
    if end < limit and of.lower[end] in DETERMINERS | POSSESSIVES:
        end += 1
    begun = end
    while end < limit:
        word, lower = of.words[end], of.lower[end]
        if not word[0].isalnum() or (lower in NOT_NOMINAL and not _abbreviation(of, end)):
            break
        if lower in DETERMINERS | POSSESSIVES:
            break
        if lower.partition("'")[0] in PRONOUNS and not _abbreviation(of, end):
            break
        if not word[0].isupper() and only_verb(word) and not participle(word):
            break
        if end == at > 0 and of.lower[at - 1] == "to" and lower == base(word):
            break  # `to reach Acre`
        end += 1
        if lower.endswith(("'s", "s'")):
            continue
        # A name ends where lower case begins, unless what comes is its noun: `Kepler telescope`.
        if _capital(of, end - 1) and end < limit and not of.words[end][0].isupper() and not noun(of.words[end]):
            break
    return end if end > begun else at


def _abbreviation(of: Text, at: int) -> bool:
    """Whether a small word is none: the US, the WHO, Theresa May."""
    word = of.words[at]
    return (len(word) > 1 and word.isupper() and not of.text.isupper()) or (word == "May" and _capital(of, at))


def _noun(of: Text, a: int, b: int, preposition: str) -> Noun:
    first = a + 1 if of.lower[a] in DETERMINERS | POSSESSIVES else a
    text, head = of.phrase(a, b), of.lower[b - 1]
    bare = of.phrase(first, b).casefold()
    if bare in countries():
        kind = "country"
    elif re.fullmatch(r"[12]\d{3}s?", bare):
        kind = "year"
    elif (head in TIMES or any(word in DATES for word in of.lower[first:b])) and not (
        b - first > 1 and head == "may" and _capital(of, first)
    ):
        kind = "date"
    elif any(_capital(of, at) for at in range(first, b)):
        kind = "name"
    elif of.words[b - 1][0].isdigit():
        kind = "number"
    else:
        kind = "common"
    last = of.words[b - 1]
    is_plural = (kind == "common" and plural(last)) or bool(re.fullmatch(r"[A-Z]{2,}s", last))
    return Noun(a, b, text, kind, is_plural, head, of.lower[a] in ARTICLES, preposition)


def _joined(of: Text, found: Sequence[Noun]) -> Iterator[Noun]:
    """`A and B`, `A, B and C` as one, where all are names."""
    at = 0
    while at < len(found):
        last = at
        while last + 1 < len(found) and found[last].name and found[last + 1].name and _linked(of, found, last):
            last += 1
        linked = any(word == "and" for word in of.lower[found[at].b : found[last].a])
        if last > at and linked:
            a, b = found[at].a, found[last].b
            yield Noun(a, b, of.phrase(a, b), "name", True, found[last].head, False, found[at].preposition)
        else:
            yield from found[at : last + 1]
        at = last + 1


def _linked(of: Text, found: Sequence[Noun], at: int) -> bool:
    between = of.lower[found[at].b : found[at + 1].a]
    return bool(between) and all(word in (",", "and") for word in between)


def _capital(of: Text, at: int) -> bool:
    """Whether a word is written like a name; at the beginning of a text, only where no dictionary has it."""
    word = of.words[at]
    if not word[0].isupper():
        return False
    return at > 0 or not lemmas(word.casefold()) or (len(of) > 1 and of.words[1][0].isupper())


def decapitalised(of: Text, a: int, b: int) -> str:
    """A phrase for the middle of a sentence: a first word in lower case unless it is a name."""
    text = of.phrase(a, b)
    if a == 0 and (of.lower[0] in DETERMINERS | PREPOSITIONS or not _capital(of, 0)):
        return text[:1].lower() + text[1:]
    return text
