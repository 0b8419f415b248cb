"""A shallow grammar of English questions and statements: as much as it takes to complete a follow-up question.

There is no parser here. The lexicon says what a word can be, and whoever asks gets None where that is not enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.lexicon import (
    ARTICLES,
    AUXILIARIES,
    BE,
    CLAUSE_MARKERS,
    DETERMINERS,
    DO,
    NOT_NOMINAL,
    POSSESSIVES,
    PREPOSITIONS,
    PRONOUNS,
    WH,
    adjective,
    base,
    finite,
    lemmas,
    noun,
    only_verb,
    participle,
    past,
    plural,
)
from qa.phrases import Noun, Text, decapitalised, nouns

LONGEST_STATEMENT = 30
"""Words of a statement that go into a question; what comes after a comma or a new clause is left out before that."""


_CONTRACTED = re.compile(r"\b(?:(\w+)n['’]t|cannot)\b", re.IGNORECASE)
_NOT = {"cannot": "can not", "can't": "can not", "can’t": "can not", "won't": "will not", "won’t": "will not"}


@dataclass(frozen=True, slots=True)
class Question:
    """`wh` `auxiliary` `subject` `predicate`; without a subject of its own the `wh` phrase is the subject."""

    of: Text
    wh: tuple[int, int]
    auxiliary: int | None
    subject: tuple[int, int] | None
    predicate: int

    @property
    def asks(self) -> str:
        """The question word: `who`, `how many`, `which`; empty where it asks yes or no."""
        words = [word for word in self.of.lower[slice(*self.wh)] if word not in PREPOSITIONS]
        if words[:1] == ["how"] and words[1:2]:
            return " ".join(words[:2])
        return words[0] if words else ""

    @property
    def asked_for(self) -> tuple[int, int]:
        """The noun of `which chips`, `how many trees`, `how much of the harvest`; empty where there is none."""
        a, b = self.wh
        while a < b and self.of.lower[a] in WH | PREPOSITIONS | {"many", "much"}:
            a += 1
        return a, b

    @property
    def adverbial(self) -> bool:
        """Whether subject and object are all there: it asks when, where, why, how, how long, or yes or no."""
        first = self.asks.partition(" ")[0]
        if not first or first in ("when", "where", "why"):
            return True
        if self.subject is not None and self.of.lower[self.wh[0]] in PREPOSITIONS:
            return True
        a, b = self.asked_for
        return first == "how" and (a == b or self.asks.split()[1] not in ("many", "much")) and bool(self.subject)

    def nouns(self) -> list[Noun]:
        """The noun phrases of subject and predicate, in order."""
        after = self.predicate + (1 if self.subject or self.auxiliary is None else 2)
        subject = nouns(self.of, *self.subject) if self.subject else []
        return subject + nouns(self.of, min(after, len(self.of)), len(self.of))

    def said(self, wh: str) -> str:
        """The same asked by another question word, for example `Why`."""
        of = self.of
        assert self.auxiliary is not None and self.subject is not None  # noqa: S101, PT018 - the caller has looked
        parts = [wh, of.words[self.auxiliary].lower(), of.phrase(*self.subject), of.phrase(self.predicate, len(of))]
        return " ".join(filter(None, parts)) + "?"


def question(text: str) -> Question | None:
    """What is asked, by what, of whom; None where the words do not show it."""
    of = Text.of(text)
    at = 0
    while at < len(of) and of.lower[at] in ("and", "but", "so", "or", "also", "then", ","):
        at += 1
    start = at
    if at + 1 < len(of) and of.lower[at] in PREPOSITIONS and of.lower[at + 1] in WH:
        at += 1
    if at == len(of):
        return None
    if of.lower[at] in AUXILIARIES and at == start:
        return _asked(of, (at, at), at)
    if of.lower[at] not in WH:
        return None
    auxiliary = _auxiliary(of, at)
    if auxiliary is not None:
        return _asked(of, (start, auxiliary), auxiliary)
    for verb in range(at + 1, len(of)):
        if of.lower[verb - 1] == "of" or of.lower[verb - 1] in DETERMINERS:
            continue  # `How much of the revenue of Nvidia came…`
        bare = of.lower[at] in ("who", "what") and verb == at + 1
        if base(of.words[verb]) and (bare or (verb > at + 1 and (finite(of.words[verb]) or not noun(of.words[verb])))):
            return Question(of, (start, verb), None, None, verb)
        if of.lower[verb] in ARTICLES:
            break
    # `How many people work for the mill?`: the second of two nouns may be the verb.
    for verb in range(at + 2, len(of)):
        if of.lower[verb] in ARTICLES:
            break
        if base(of.words[verb]) and of.lower[verb - 1] not in ("many", "much", "which", "what"):
            return Question(of, (start, verb), None, None, verb)
    return None


def _auxiliary(of: Text, at: int) -> int | None:
    """The auxiliary after the question word and its noun; none in `who won what was lost`."""
    for place in range(at + 1, len(of)):
        word = of.lower[place]
        if word in AUXILIARIES:
            return place
        if word == "of" or (of.lower[place - 1] == "of" and word in DETERMINERS):
            continue
        if word in PREPOSITIONS | DETERMINERS | CLAUSE_MARKERS and word not in WH:
            return None
        if place == at + 1 and of.lower[at] in ("who", "whom", "when", "where", "why"):
            return None
        if only_verb(of.words[place]) and not participle(of.words[place]):
            return None
    return None


def _asked(of: Text, wh: tuple[int, int], auxiliary: int) -> Question | None:
    a = auxiliary + 1
    if a >= len(of):
        return None
    if wh[0] < wh[1] and _subjectless(of, auxiliary, a):
        return Question(of, wh, auxiliary, None, auxiliary)
    b = _subject_end(of, a, of.lower[auxiliary])
    return Question(of, wh, auxiliary, (a, b), b) if b else None


def _subjectless(of: Text, auxiliary: int, a: int) -> bool:
    """Whether the verb follows its auxiliary at once: `which languages are taught`."""
    word = of.words[a]
    if of.lower[auxiliary] in DO or word[0].isupper() or of.lower[a] in DETERMINERS | POSSESSIVES | PRONOUNS:
        return False
    if of.lower[auxiliary] in BE or of.lower[auxiliary] in ("has", "have", "had"):
        return participle(word) and not (len(of) == a + 1 and "NOUN" in lemmas(of.lower[a]))
    return of.lower[a] in ("be", "have") or only_verb(word)


def _subject_end(of: Text, a: int, auxiliary: str) -> int | None:
    """Where the subject ends that follows an auxiliary."""
    if of.lower[a] in PRONOUNS or of.lower[a] == "there":
        return a + 1
    if of.lower[a] in DETERMINERS and a + 1 < len(of) and of.lower[a + 1] in PREPOSITIONS | AUXILIARIES:
        return a + 1
    first = a + 1
    if of.lower[a] in DETERMINERS | POSSESSIVES:
        first = a + 2
    if auxiliary in BE or auxiliary in ("has", "have", "had"):
        return _before_participle(of, first, auxiliary in BE)
    maybe = None
    for at in range(first, len(of)):
        word = of.words[at]
        beside = DETERMINERS | POSSESSIVES | PRONOUNS | PREPOSITIONS - {"of"}
        if of.lower[at] in beside and not word.isupper():
            if maybe is not None:
                break
            continue
        if word[0].isupper() or (base(word) != of.lower[at] and of.lower[at] not in ("be", "have")):
            if maybe is not None and not word[0].isalnum():
                break
            continue
        if of.lower[at] in ("be", "have") or not noun(word):
            certain = only_verb(word) or of.lower[at] in ("be", "have", "do")
            if certain or of.lower[at - 1] not in DETERMINERS:
                return at
        maybe = at
    return maybe


def _before_participle(of: Text, first: int, being: bool) -> int:
    """Where a participle, an adjective or a preposition begins what is said of the subject; else the end."""
    for at in range(first, len(of)):
        word, before = of.words[at], of.words[at - 1]
        after_noun = before[0].isupper() or noun(before)
        if word[0].isupper() or of.lower[at - 1] in DETERMINERS | PREPOSITIONS:
            continue
        last = at + 1 == len(of)
        if participle(word) and after_noun and (last or not _nominal(of, at + 1) or of.lower[at] != "lying"):
            return at
        if being and after_noun and adjective(word) and (last or of.lower[at + 1] in PREPOSITIONS | {"to", "for"}):
            return at
        if being and last and of.lower[at] in PREPOSITIONS:
            return at
        adverb = of.lower[at] in ("first", "ever", "already", "still", "not", "also")
        if adverb and not last and participle(of.words[at + 1]):
            return at
    return len(of)


def _nominal(of: Text, at: int) -> bool:
    return of.words[at][0].isalnum() and of.lower[at] not in NOT_NOMINAL


def asked_of_statement(wh: str, statement: str) -> str | None:
    """A statement turned into a question: `Anna Holm resigned.` with `Why` is `Why did Anna Holm resign?`."""
    of = Text.of(_CONTRACTED.sub(lambda match: _NOT.get(match[0].lower(), f"{match[1]} not"), statement))
    verb = finite_verb(of)
    if verb is None or of.lower[0] in PRONOUNS or of.lower[0] in POSSESSIVES:
        return None
    start = _after_adverbial(of, verb)
    subject, word = decapitalised(of, start, verb), of.lower[verb]
    end = clause_end(of, verb)
    if word in AUXILIARIES and (word not in DO or of.lower[verb + 1 : verb + 2] == ("not",)):
        return f"{wh} {word} {subject} {of.phrase(verb + 1, end)}".strip() + "?"
    infinitive = base(word)
    if infinitive is None:
        return None
    present = word == infinitive or (word.endswith("s") and not past(word, infinitive))
    helper = ("does" if word != infinitive else "do") if present else "did"
    return f"{wh} {helper} {subject} {infinitive} {of.phrase(verb + 1, end)}".strip() + "?"


def finite_verb(of: Text) -> int | None:
    """The verb of a statement's first clause."""
    for at in range(1, len(of)):
        if of.lower[at] in AUXILIARIES:
            return at
        if of.words[at][0].isupper() or of.lower[at - 1] in DETERMINERS | PREPOSITIONS | POSSESSIVES:
            continue
        if of.lower[at] in CLAUSE_MARKERS and of.lower[at] not in PREPOSITIONS:
            return None
        if finite(of.words[at]) and not (plural(of.words[at]) and at + 1 < len(of) and _is_verb_later(of, at)):
            return at
    return None


def _is_verb_later(of: Text, at: int) -> bool:
    """Whether `chips` in `the chips are` is the noun: a finite verb follows at once."""
    return of.lower[at + 1] in AUXILIARIES or (finite(of.words[at + 1]) and only_verb(of.words[at + 1]))


def clause_end(of: Text, verb: int) -> int:
    """Where what is said by the verb ends: at a comma, a new clause, or the longest that is taken."""
    for at in range(verb + 1, len(of)):
        if of.words[at] in ",;:()" or (of.lower[at] in ("because", "which", "who", "while", "although", "but")):
            return at
    return min(len(of), verb + LONGEST_STATEMENT)


def _after_adverbial(of: Text, verb: int) -> int:
    """After `On Friday,` or `In 2020,`, which open a statement."""
    if of.lower[0] in PREPOSITIONS and "," in of.words[:verb]:
        return of.words.index(",") + 1
    return 0
