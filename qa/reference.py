"""Pronouns of a follow-up question, put back into names: `Where was she born?` into `Where was Rosa Linde born?`.

A pronoun that refers inside its own question, or to nothing (`Is it true that…`), is left alone; so is the whole
question when one pronoun has no referent, or more than one that suits it equally well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from qa.grammar import Question, finite_verb, question
from qa.lexicon import (
    ARTICLES,
    AUXILIARIES,
    BE,
    CLAUSE_MARKERS,
    DETERMINERS,
    FEMALE,
    MALE,
    PERSON_VERBS,
    PERSONS,
    PREPOSITIONS,
    SPEECH,
    TITLES,
    adjective,
    base,
    finite,
    lemmas,
    noun,
    participle,
    plural,
)
from qa.phrases import Noun, Text, first_sentence, nouns, whole

HE, SHE = frozenset("he him his".split()), frozenset("she her hers".split())
IT, THEY = frozenset("it its".split()), frozenset("they them their theirs".split())
THIRD_PERSON = HE | SHE | IT | THEY
DEMONSTRATIVES = {"that": "it", "this": "it", "those": "they", "these": "they"}
POSSESSIVE = frozenset("his her its their hers theirs".split())

MOST_PRONOUNS = 4
"""Pronouns of one question that are replaced; with more of them it is not certain what is what."""

REQUESTS = frozenset("tell describe explain list name show give summarise summarize".split())
_ORGANISATIONS = re.compile(
    r"\b(?:inc|ltd|plc|gmbh|group|company|corporation|university|college|council|committee|party|bank|union|club|"
    r"museum|institute|foundation|society|association|ministry|department|agency)\b",
    re.IGNORECASE,
)
_PLACES = frozenset("in at on near to from".split())
# `Is it true that…`, `How long does it take to…`, `What time is it`, `Is it raining`: it stands for nothing.
_EXPLETIVE = re.compile(
    r"""\b(?:is|was|be|been|makes?|made)\s+it\s+(?:\w+\s+){1,4}(?:that|whether|if|to|for)\b
      | \bit\s+(?:takes?|took|taken|costs?|means?|meant|requires?|needs?)\s+(?:\S+\s+)*?(?:to|for|that|when|if)\b
      | \b(?:make|makes|made|making)\s+it\s+(?:to|into|through|past)\b
      | \bit\s+(?:\w+\s+)?becom\w+\s+\w+\s+(?:to|that)\b
      | \bit\s+called\s+(?:when|if)\b
      | \bit\s+(?:rain|snow|seem|appear|matter|happen)\w*
      | \b(?:what\s+(?:time|day|date|year)|how\s+(?:late|far))\s+(?:is|was)\s+it\b
      | \bit\s+(?:cold|warm|hot|dark|light|sunny|rainy|windy|wet|dry|safe|legal|possible|worth)\b
      | \b(?:cold|warm|hot|dark|sunny|windy|wet|late)\s+(?:is|was|does|will)\s+it\b
      | \bit(?:'s|\s+is|\s+was)\s+(?:\w+\s+){1,3}(?:that|who|to|when)\b""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Referent:
    """What a pronoun may stand for. `rank` 0 is what was asked for, 1 what the question was about, then the rest."""

    text: str
    rank: int
    plural: bool = False
    person: bool | None = None  # None: it cannot be seen
    gender: str = ""
    acts: bool = False  # it does what the question is about, as persons do, and not only things


def put_back(asked: str, history: Sequence[tuple[str, str]]) -> str | None:
    """The question with its pronouns replaced by what they stand for in the (question, answer) pairs before it.

    None where there is nothing to replace, or it is not certain by what.
    """
    of = Text.of(asked)
    asks = question(asked)
    if asks is None and not (of.lower and of.lower[0] in REQUESTS):
        return None
    places = list(islice(_referring(of, asks), MOST_PRONOUNS + 1))
    if not places or len(places) > MOST_PRONOUNS:
        return None
    result = asked
    for at in reversed(places):
        word = DEMONSTRATIVES.get(of.lower[at], of.lower[at])
        if of.lower[at] in DEMONSTRATIVES and base(of.lower[at - 1]) in SPEECH:
            return None  # what was said is no noun
        found = _place(history) if word == "there" else _referent(word, history)
        if found is None:
            return None
        text = found.text
        if word == "there" and of.lower[at - 1] in PREPOSITIONS:
            text = text.partition(" ")[2]  # `from there`
        if _possessive(of, at):
            text += "'" if text.endswith("s") and found.plural else "'s"
        a, b = of.spans[at]
        result = result[:a] + (text[:1].upper() + text[1:] if a == 0 else text) + result[b:]
    return result


def leans(asked: str) -> bool:
    """Whether a question has a pronoun that refers to something outside of it."""
    return next(_referring(Text.of(asked), question(asked)), None) is not None


def _referring(of: Text, asked: Question | None) -> Iterator[int]:
    """The pronouns that refer to something outside of the question."""
    for at, word in enumerate(of.lower):
        if word in DEMONSTRATIVES:
            # Alone, at the end: `Who paid for that?`; elsewhere it points at a noun, or joins clauses.
            if at == 0 or at + 1 < len(of) or of.lower[at - 1] in ("like", "than", "as"):
                continue
        elif word == "there":
            if not asked or asked.subject == (at, at + 1) or at + 1 < len(of):
                continue
            yield at
            continue
        elif word not in THIRD_PERSON:
            continue
        if _mentioned(of, at) or (word == "it" and _EXPLETIVE.search(of.text)):
            continue
        if not _inside(of, asked, at):
            yield at


def _mentioned(of: Text, at: int) -> bool:
    """Whether a pronoun is the name of something: in quotes, or with a capital in the middle."""
    a, b = of.spans[at]
    around = of.text[max(0, a - 1) : a] + of.text[b : b + 1]
    return bool(set(around) & set("\"'“”‘’«»")) or (
        at > 0 and of.words[at][0].isupper() and of.text[a - 2] not in ".?!"
    )


def _possessive(of: Text, at: int) -> bool:
    word = of.lower[at]
    if word != "her":
        return word in POSSESSIVE
    # `gave her the oven` is no possessive, `her oven` is.
    following = of.lower[at + 1 : at + 2]
    return bool(following) and following[0] not in DETERMINERS | PREPOSITIONS | CLAUSE_MARKERS | AUXILIARIES


def _inside(of: Text, asked: Question | None, at: int) -> bool:
    """Whether the pronoun may have its referent in its own question."""
    word = DEMONSTRATIVES.get(of.lower[at], of.lower[at])
    possessive = _possessive(of, at)
    subject = asked.subject if asked else None
    # The subject of another clause than the question's own: `the audience they could not reach`.
    embedded = not possessive and at + 1 < len(of) and _verb_follows(of, at) and subject != (at, at + 1)
    if embedded and asked and subject is None:
        return True
    for item in _own_nouns(of, asked):
        governs = subject is not None and item.a == subject[0] and not of.lower[item.a].endswith("ing")
        if not (_agrees(item, word) or (possessive and governs and word in THEY)):
            continue
        if item.b > at:
            # `When he died, where did Mozart live?`
            if item.a > at and "," in of.words[at : item.a]:
                return True
            continue
        between = of.lower[item.b : at]
        joined = any(token in CLAUSE_MARKERS | {"to", "and", ",", "for"} or token.endswith("ing") for token in between)
        # In one clause a subject and its object are two different things: `When did the council buy it?`
        if possessive or joined or embedded or not (governs or (asked and item.b <= asked.wh[1])):
            return True
    if asked and asked.asks == "whose":
        return True
    if not possessive or asked is None or asked.subject is not None or at < asked.wh[1]:
        return False
    # `Who sold his house?` may be his own; `Who was his wife?` is somebody else.
    verb = asked.predicate
    return of.lower[verb] not in BE or (verb + 1 < len(of) and participle(of.words[verb + 1]))


def _verb_follows(of: Text, at: int) -> bool:
    word = of.lower[at + 1]
    return word in AUXILIARIES or word.endswith("n't") or finite(word) or (of.lower[at] in THEY and bool(base(word)))


def _own_nouns(of: Text, asked: Question | None) -> list[Noun]:
    """The noun phrases of a question, its question word's noun among them."""
    if asked is None:
        return nouns(of, 0, len(of))
    a, b = asked.asked_for
    return nouns(of, a, b) + asked.nouns()


def _agrees(item: Noun, pronoun: str) -> bool:
    """Whether a noun of the same question may be what the pronoun stands for."""
    if item.kind in ("year", "date", "number") or item.text.casefold().split()[0] in ("how", "what", "which"):
        return False
    if pronoun in THEY:
        return item.plural or item.head in PERSONS or item.name
    if pronoun in IT:
        return not item.plural and item.head not in PERSONS
    return not item.plural and (item.kind == "name" or item.head in PERSONS)


# --- what was spoken of ----------------------------------------------------------------------------------------------


def _referent(pronoun: str, history: Sequence[tuple[str, str]]) -> Referent | None:
    """What the pronoun stands for, in the latest turn that has anything it can stand for."""
    for asked, answer in reversed(history):
        suits = [item for item in referents(asked, answer) if _suits(item, pronoun)]
        if suits:
            if _contradicted(pronoun, answer):
                return None
            return _foremost(suits, pronoun)
    return None


def _place(history: Sequence[tuple[str, str]]) -> Referent | None:
    """What `there` stands for, with its preposition: the place of the last turn that has just one."""
    for asked, answer in reversed(history):
        of = question(asked)
        if of is None:
            continue
        found = [item for item in _said(answer)[1] if of.asks == "where" and item.preposition in _PLACES and item.name]
        found = found or [item for item in of.nouns() if item.preposition in _PLACES and (item.name or item.article)]
        named = [item for item in referents(asked, answer) if item.rank == 0 and item.person is False]
        if len(found) == 1:
            return Referent(f"{found[0].preposition} {found[0].text}", 0)
        if not found and len(named) == 1:
            return Referent(f"in {named[0].text}", 0)
        if found:
            return None
    return None


def _suits(item: Referent, pronoun: str) -> bool:
    if pronoun in HE | SHE:
        other = "she" if pronoun in HE else "he"
        certain = item.rank < 3 or item.person or " " in item.text
        return not item.plural and item.person is not False and item.gender != other and bool(certain)
    if pronoun in IT:
        return not item.plural and item.person is not True and item.rank < 3
    if pronoun in THEY and not item.plural:
        return item.rank < 2 and bool(item.person or _ORGANISATIONS.search(item.text) or _bare_name(item.text))
    return item.rank < 3


def _bare_name(text: str) -> bool:
    return text[0].isupper()


def _contradicted(pronoun: str, answer: str) -> bool:
    """Whether the answer speaks of a person by the other pronoun only."""
    words = set(Text.of(answer).lower)
    same, other = (HE, SHE) if pronoun in HE else (SHE, HE)
    return pronoun in HE | SHE and bool(words & other) and not words & same


def _foremost(suits: list[Referent], pronoun: str) -> Referent | None:
    if pronoun in THEY and any(item.plural for item in suits):
        suits = [item for item in suits if item.plural]
    persons = [item for item in suits if item.person or item.acts or item.rank == 0]
    if pronoun in HE | SHE:
        if not persons and len(_distinct(suits)) > 1:
            return None
        suits = persons or suits
    if pronoun in IT:
        suits = [item for item in suits if item.rank == min(i.rank for i in suits)]
        if any(item.person is False for item in suits):
            suits = [item for item in suits if item.person is False]
    best = _distinct([item for item in suits if item.rank == min(i.rank for i in suits)])
    if pronoun in HE | SHE and len(best) > 1:
        best = [item for item in best if item.person]
    return best[0] if len(best) == 1 else None


def _distinct(items: Sequence[Referent]) -> list[Referent]:
    """The same without those whose words are all part of another one: `Huang` beside `Jensen Huang`."""
    kept: list[Referent] = []
    for item in sorted(items, key=lambda item: -len(item.text)):
        words = set(item.text.casefold().split()) - ARTICLES
        if not any(words <= set(other.text.casefold().split()) for other in kept):
            kept.append(item)
    return kept


def referents(asked: str, answer: str) -> list[Referent]:
    """What a turn spoke of, an empty `answer` standing for none."""
    of = question(asked)
    if of is None:
        return []
    found = list(_asked_for(of, answer))
    if of.subject:
        found += _subject(of)
    found += _counted(of)
    inside = {item.text for item in found}
    mentioned = [item for item in of.nouns() if not (of.subject and item.a == of.subject[0])]
    found += [_described(item, 2, of.of) for item in mentioned if _nameable(item) and item.text not in inside]
    if answer:
        said, items = _said(answer)
        found += [_described(item, 3, said) for item in items if item.name and not _known(item, of.of)]
    return found


def _asked_for(of: Question, answer: str) -> Iterator[Referent]:
    """The names that answer `who`, `which` and `what is`."""
    first = of.asks.partition(" ")[0]
    equation = of.auxiliary is not None and of.of.lower[of.auxiliary] in BE and of.predicate == len(of.of)
    a, b = of.asked_for
    one = a < b and not plural(of.of.words[b - 1])  # `Which company did they hire?`
    if not answer or not (
        first in ("who", "whom") or (first in ("which", "what") and (equation or one or not of.subject))
    ):
        return
    said, items = _said(answer)
    names = [item for item in items if item.name and not _known(item, of.of)]
    verb = finite_verb(said)
    before = [item for item in names if verb is not None and item.b <= verb and item.preposition in ("", "of")]
    agents = [item for item in names if item.preposition == "by"]
    for item in (before[:1] or agents[:1]) or names:
        if one and item.plural and first in ("which", "what"):
            continue
        described = _described(item, 0, said)
        if first in ("who", "whom"):
            named = " " in described.text and not item.article and item.kind == "name"
            person = True if named and not _ORGANISATIONS.search(item.text) else described.person
            yield replace(described, person=person)
        else:
            asked_for = of.of.lower[of.wh[1] - 1] if of.wh[1] - of.wh[0] > 1 else ""
            head = of.nouns()[0].head if equation and of.nouns() else asked_for
            yield replace(described, person=described.person or head in PERSONS)


def _subject(of: Question) -> Iterator[Referent]:
    assert of.subject is not None  # noqa: S101 - the caller has looked
    inner = nouns(of.of, *of.subject)
    if not inner or of.of.lower[of.subject[0]] in THIRD_PERSON | {"there", "i", "we", "you"}:
        return
    described = _described(inner[0], 1, of.of)
    verb = of.of.lower[of.predicate] if of.predicate < len(of.of) else ""
    if (verb in PERSON_VERBS and inner[0].kind == "name") or (of.asks == "who" and not verb):
        described = replace(described, person=True)
    acts = of.auxiliary is not None and of.of.lower[of.auxiliary] not in BE
    yield replace(described, acts=acts, text=_definite(whole(of.of, inner[0], of.subject[1])))


def _counted(of: Question) -> Iterator[Referent]:
    """The things of `how many chips` and `which chips`."""
    a, b = of.asked_for
    things = nouns(of.of, a, b)
    if any(item.plural for item in of.nouns()):
        return  # `Which planets have rings?` is about either
    if len(things) == 1 and things[0].plural and things[0].b == b:
        yield Referent(f"the {things[0].text}", 1, plural=True, person=things[0].head in PERSONS)


def _described(item: Noun, rank: int, of: Text) -> Referent:
    words = [word.casefold().rstrip(".") for word in item.text.split()]
    gender = "he" if set(words) & MALE else "she" if set(words) & FEMALE else ""
    text, person = item.text, None
    if item.kind in ("common", "country"):
        person = item.head in PERSONS
        text = _definite(text)
    elif set(words) & TITLES or gender:
        person = True
    elif role := re.match(r"(?:(?:the|a|an|its|their|his|her)\s+)?(?:[a-z][\w-]*\s+)*?([a-z][\w-]*)\s+(?=[A-Z])", text):
        # `the engineer Ada Brandt`
        person = role[1] in PERSONS
        text = text[role.end() :] if person else text
    elif item.article or _ORGANISATIONS.search(text) or "NOUN" in lemmas(item.head):
        person = False  # `Skerrow Light` is called so for what it is
    text = re.sub(r"['’]s?$", "", re.sub(r"^The\b", "the", text))
    return Referent(text, rank, item.plural, person, gender)


def _definite(text: str) -> str:
    """`a day ticket`, once spoken of, is `the day ticket`."""
    return re.sub(r"^(?:an?|this|that|these|those)\s+", "the ", text, flags=re.IGNORECASE)


def _nameable(item: Noun) -> bool:
    if item.kind in ("year", "date", "number"):
        return False
    bare = " " not in item.text and noun(item.text) and not finite(item.text) and not adjective(item.text)
    return item.name or item.article or item.plural or bare or item.text[:4].casefold() in ("this", "that")


def _said(answer: str) -> tuple[Text, list[Noun]]:
    of = Text.of(first_sentence(answer))
    verb = finite_verb(of)
    if verb is None:
        return of, nouns(of, 0, len(of))
    return of, nouns(of, 0, verb) + nouns(of, verb + 1, len(of))


def _known(item: Noun, of: Text) -> bool:
    """Whether the question has the name already."""
    names = [word.removesuffix("'s") for word in item.text.replace("’", "'").split()]
    words = {word.replace("’", "'").removesuffix("'s") for word in of.words}
    last = next((name for name in reversed(names) if name[:1].isupper()), names[-1])
    return last in words or {name.casefold() for name in names} <= words
