"""A follow-up, made a question that stands by itself: `And to China?`, `Why?`, `Where was she born?`.

Three things make a question lean on the one before it: it is a fragment that takes the place of a part of that one, it
is a bare question word, or it has pronouns. What is none of these stands by itself and is never changed; what cannot be
completed with some certainty stays as it was asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.answer import REFUSAL
from qa.grammar import Question, asked_of_statement, clause_end, finite_verb, question
from qa.lexicon import AUXILIARIES, CONJUNCTIONS, DAYS, PREPOSITIONS, PRONOUNS, WH, finite, plural
from qa.phrases import Noun, Text, decapitalised, first_sentence, nouns, whole
from qa.reference import DEMONSTRATIVES, REQUESTS, leans, put_back
from qa.types import Turn

MOST_TURNS = 6
"""Turns that are looked back on; what was spoken of earlier is not what `it` means."""
LONGEST_FRAGMENT = 8  # words
LONGEST_QUESTION, LONGEST_ANSWER = 300, 1000
"""Characters of a question that may lean on others, or be leaned on, and of an answer that are looked at. What takes
longer to ask stands by itself."""

_LEAD = re.compile(
    r"^\W*(?:(?:and|but|or|so|ok(?:ay)?|well|then|also)\b[\s,]*)*(?:(?:what|how)\s+about\s+)?(?:(?:and|then)\s+)?",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"^(?:who\s+(?:said|says|claimed|claims|stated)\s+(?:that|this|so|it)|says\s+who|according\s+to\s+whom)$",
    re.IGNORECASE,
)
# `why`, `why exactly`, `when was that`, `how did that happen`, `since when`, `by whom`, `how long for`
_BARE = re.compile(
    r"""^(?P<wh>(?:(?:since|until|from|to|for|by|with|in|at|on|about|against)\s+)?
        (?:why|when|where|how|whom|what|which\s+(?:year|month|day)|what\s+(?:year|month|day|time)
          |how\s+(?:long|often|far|fast|tall|high|old|big|deep|wide|large|soon|late|early|heavy)))
        (?:\s+(?:exactly|so|come|then|precisely|not))?
        (?:(?<=why|hen|how|ere)\s+(?:(?:is|was|does|did|do|are|were|has|will)\s+(?:that|this)
          |(?:does|did|do|has|will)\s+(?:it|he|she|they))(?:\s+happen(?:ed)?)?)?$""",
    re.IGNORECASE | re.VERBOSE,
)
_OBJECT = re.compile(r"^(?P<wh>what|who|where)\s+else$", re.IGNORECASE)
_COUNTED = re.compile(
    r"^(?P<wh>how\s+many|how\s+much|which|whose|what\s+kind\s+of|what)(?:\s+(?P<noun>(?!of\b).+?))?"
    r"(?:\s+of\s+(?P<of>it|them|that|this|these|those))?$",
    re.IGNORECASE,
)
_YES_OR_NO = re.compile(r"^\W*(?:yes|no)\b[\s,.:;–-]*", re.IGNORECASE)


def standalone(asked: str, history: Sequence[Turn]) -> str | None:
    """The question completed from what came before it, the latest last; None where it stays as it was asked."""
    before: list[Turn] = []
    for turn in map(_heard, history[-MOST_TURNS:]):
        completed = _completed(turn.question, before)
        before.append(turn.model_copy(update={"question": completed}) if completed else turn)
    return _completed(asked, before)


def _completed(asked: str, history: Sequence[Turn]) -> str | None:
    """The same where the questions before it stand by themselves, as far as they can."""
    completed = _from_last(asked, history)
    return None if completed is None or leans(completed) else completed


def _from_last(asked: str, history: Sequence[Turn]) -> str | None:
    """The question completed from the last one, which may itself have a pronoun left."""
    asked = " ".join(asked.split())
    if not history or len(asked) > LONGEST_QUESTION or not any(character.isalnum() for character in asked):
        return None
    lead = _LEAD.match(asked)
    led = bool(lead and lead.group().strip())
    rest = asked[lead.end() :] if lead else asked
    body = Text.of(rest)
    if not len(body):
        return None
    plain = rest[: body.spans[-1][1]]
    # What was said last and is a question: not the `Thank you` after it.
    last = next((turn for turn in reversed(history) if question(turn.question)), None)
    if last is None:
        return None
    of = question(last.question)
    assert of is not None  # noqa: S101 - just chosen so
    if _SAID.match(plain):
        return _who_said(last)
    if match := _BARE.match(plain):
        return _asked_again(_sentence_case(match["wh"]), of, last)
    if match := _OBJECT.match(plain):
        return _else(match["wh"], of)
    match = _COUNTED.match(plain) if len(body) <= LONGEST_FRAGMENT and not _has_verb(body) else None
    if match and (match["noun"] is None or _only_noun(match["noun"])):
        return _counted(match, of)
    if len(body) <= LONGEST_FRAGMENT and body.lower[0] not in WH | AUXILIARIES | REQUESTS:
        fragment = _fragment(body, of, led=led, marked=asked.rstrip().endswith("?"))
        if fragment or not _has_verb(body):
            return fragment
    put = put_back(_sentence_case(rest) if led and question(rest) else asked, [(t.question, t.answer) for t in history])
    return put and _sentence_case(put)


def _heard(turn: Turn) -> Turn:
    """A turn with as much of its answer as is looked at; a refusal says nothing."""
    answer = "" if turn.answer.startswith(REFUSAL) else turn.answer[:LONGEST_ANSWER]
    question = turn.question if len(turn.question) <= LONGEST_QUESTION else ""
    return turn.model_copy(update={"question": question, "answer": answer})


# --- a bare question word --------------------------------------------------------------------------------------------


def _asked_again(wh: str, of: Question, last: Turn) -> str | None:
    """The statement of the last question, or of its answer, asked by another question word."""
    first = wh.split()[0].lower()
    if wh.lower() in ("what", "which", "whom") or wh.lower() == of.of.phrase(*of.wh).lower():
        return None
    verb = of.predicate < len(of.of)
    stated = _stated(wh, last)
    if of.subject and of.auxiliary is not None and of.adverbial and not _has_pronoun(of):
        if of.asks == "" and last.answer:
            return stated  # what was asked may not be so: `Did it close?` `It stayed open.`
        if verb or (of.asks in ("when", "where") and first in ("when", "where")):
            measured = of.asks.startswith("how ") and first in ("why", "how")
            return stated if measured and stated else of.said(wh)
        return stated
    a, b = of.asked_for
    if of.subject is None and a < b:
        counted = of.of.phrase(a, b)
        counted = counted.removeprefix("of ") if counted.startswith("of ") else counted
        if of.auxiliary is not None:
            return f"{wh} {of.of.lower[of.auxiliary]} {counted} {of.of.phrase(of.predicate + 1, len(of.of))}?"
        return asked_of_statement(wh, f"{counted} {of.of.phrase(of.predicate, len(of.of))}") or stated
    return stated


def _stated(wh: str, last: Turn) -> str | None:
    if not _to_the_point(last):
        return None
    stated = asked_of_statement(wh, _YES_OR_NO.sub("", first_sentence(last.answer)))
    stated = stated and _named(stated, last.question)
    if stated and wh == "When":
        of = Text.of(stated)
        for item in reversed(nouns(of, 1, len(of))):
            if _class(item) == "time" and item.preposition:  # it is what is asked for
                stated = Text.of(stated).replaced(item.a - 2, item.b, of.words[item.a - 2])
    return stated


def _to_the_point(last: Turn) -> bool:
    """Whether the answer speaks of what was asked, so that its clause can stand for it."""
    asked = {word for word in Text.of(last.question).lower if word not in WH | PREPOSITIONS | AUXILIARIES | {"the"}}
    said = Text.of(first_sentence(last.answer))
    return bool(len(said)) and bool({word[:5] for word in asked} & {word[:5] for word in said.lower})


def _who_said(last: Turn) -> str | None:
    """`Who said that`, with what the answer says: what is quoted there, or its first clause."""
    quoted = re.search(r"[“\"]([^“”\"]{12,}?)[,.]?[”\"]", last.answer)
    of = Text.of(quoted[1] if quoted else first_sentence(last.answer))
    verb = finite_verb(of)
    if verb is None:
        return None
    # `Dr Lee says that the water is safe` says the water is.
    start = next((at + 1 for at in range(verb, min(verb + 3, len(of))) if of.lower[at] == "that"), 0)
    if start and (verb := finite_verb(Text.of(of.phrase(start, len(of))))) is not None:
        of = Text.of(of.phrase(start, len(of)))
    elif verb is None:
        return None
    return _named(f"Who said that {decapitalised(of, 0, clause_end(of, verb))}?", last.question)


def _named(text: str, asked: str) -> str:
    """A text with the capitals that the question shows to be those of names: `Trump`, at the head of an answer."""
    for word in Text.of(asked).words[1:]:
        if word[0].isupper():
            text = re.sub(rf"\b{re.escape(word.lower())}\b", word, text)
    return text


def _else(wh: str, of: Question) -> str | None:
    if of.asks != wh.lower():
        return None
    at = of.wh[0]
    return _sentence_case(of.of.replaced(at, at + 1, f"{wh.lower()} else"))


# --- a fragment ------------------------------------------------------------------------------------------------------


def _counted(match: re.Match[str], of: Question) -> str | None:
    """`How many?`, `And how many teachers?`, `How much of it?`."""
    wh, noun = _sentence_case(match["wh"]), match["noun"]
    if match["of"]:
        return _share(wh, of)
    a, b = of.asked_for
    if noun in ("one", "ones"):
        noun = None
    if noun is None:
        if a == b or of.asks == wh.lower() or wh.lower() == "what":
            return None
        noun = of.of.phrase(a, b)
    if of.asks not in ("how many", "how much", "which", "what", "whose") or (of.wh[1] - of.wh[0] == 1 and not a < b):
        return None
    return _sentence_case(of.of.replaced(of.wh[0], of.wh[1], f"{wh} {noun}"))


def _only_noun(text: str) -> bool:
    """Whether a phrase is a noun with nothing after it that could be its verb: `teachers`, `party formed` is not."""
    of = Text.of(text)
    found = nouns(of, 0, len(of))
    verbs = [word for word in of.words if word[0].islower() and finite(word) and not plural(word)]
    return len(of) < 3 and len(found) == 1 and found[0].b - found[0].a == len(of) and not verbs


def _share(wh: str, of: Question) -> str | None:
    """`How much of it`, where the question was whether something happened to the whole."""
    if of.asks or of.auxiliary is None or of.subject is None:
        return None
    helper, end = of.of.lower[of.auxiliary], len(of.of)
    objects = (
        [item for item in nouns(of.of, of.predicate + 1, end) if not item.preposition] if of.predicate < end else []
    )
    if objects:
        item = objects[0]
        rest = f"{of.of.phrase(of.predicate, item.a)} {of.of.phrase(item.b, end)}".strip()
        return f"{wh} of {item.text} {helper} {of.of.phrase(*of.subject)} {rest}?"
    if of.predicate == end:
        return None
    return f"{wh} of {of.of.phrase(*of.subject)} {helper} {of.of.phrase(of.predicate, end)}?"


def _fragment(body: Text, of: Question, *, led: bool, marked: bool) -> str | None:
    """The last question with a part of it replaced by one of the same kind."""
    if _has_verb(body) or any(word in PRONOUNS | DEMONSTRATIVES.keys() for word in body.lower):
        return None
    parts = nouns(body, 0, len(body))
    covered = sum(item.b - item.a for item in parts) + sum(bool(item.preposition) for item in parts)
    if not parts or covered < len(body):
        return None
    if parts[0].preposition and parts[0].a == 1:
        return _phrases_replaced(parts, of)
    if parts[0].a != 0 or any(item.preposition not in ("of", "in") for item in parts[1:]):
        return None
    return _noun_replaced(body, parts[0], of, least=2 if led or marked else 4)


def _phrases_replaced(parts: Sequence[Noun], of: Question) -> str | None:
    """Each `to Islay`, `in 2023` put in the place of its like, or at the end where there is none."""
    result = of.of.text
    for part in parts:
        asked = question(result)
        if asked is None:
            return None
        new = f"{part.preposition} {part.text}"
        alike = [item for item in asked.nouns() if item.preposition and _class(item) == _class(part)]
        same = [item for item in alike if item.preposition == part.preposition]
        places = same or [item for item in alike if _class(item) != "common"]
        if len(places) > 1 or any(item.text.casefold() == part.text.casefold() for item in places):
            return None
        if places:
            result = asked.of.replaced(places[0].a - 1, places[0].b, new)
        else:
            result = f"{asked.of.phrase(0, len(asked.of))} {new}?"
    return _sentence_case(result)


def _noun_replaced(body: Text, part: Noun, of: Question, *, least: int) -> str | None:
    new = whole(body, part, len(body))
    if new.casefold() in of.of.text.casefold():
        return None
    scored = [(_likeness(part, item, of), item) for item in of.nouns()]
    best = max((score for score, _ in scored), default=0)
    alike = [item for score, item in scored if score == best]
    if best == 0 and _class(part) == "time" and least < 4:
        preposition = "on" if part.head in DAYS else "in"
        return _sentence_case(f"{of.of.phrase(0, len(of.of))} {preposition} {part.text}?")
    if best < least or len(alike) != 1:
        return None
    item = alike[0]
    own = re.match(r"((?:[A-Z][\w.-]*\s+)*[A-Z][\w.-]*)['’]s?\s", item.text)
    if own and part.name and not part.article:
        # `Nvidia's revenue`: the name is what is replaced.
        owner = re.sub(r"['’]s?$", "", new)
        return _sentence_case(of.of.replaced(item.a, item.b, f"{owner}'s {item.text[own.end() :]}"))
    end = item.b if new == part.text else _whole_end(of, item)
    return _sentence_case(of.of.replaced(item.a, end, new))


def _whole_end(of: Question, item: Noun) -> int:
    text = whole(of.of, item, len(of.of))
    return item.a + len(Text.of(text))


def _likeness(part: Noun, item: Noun, of: Question) -> float:
    """How well a noun takes the place of another one; from 2 on it may, 4 leaves no doubt."""
    ours, theirs = _class(part), _class(item)
    # `How do I reset the pump?` is about the pump.
    asker = of.subject is not None and of.of.lower[of.subject[0]] in ("i", "we", "you")
    subject = 1 if asker or (of.subject and item.b <= of.subject[1]) else 0
    if ours == theirs == "time":
        return 4 if part.kind == item.kind else 0
    if "time" in (ours, theirs):
        return 0
    if part.head == item.head:
        return 4 + subject
    if ours == theirs == "common":
        if part.article != item.article or part.plural != item.plural:
            return subject
        # `And a sauna?` is one more of `a pool`, not of `the hotel`.
        same = part.text.split()[0].casefold() == item.text.split()[0].casefold()
        return 1 + subject + (1.5 if part.article and same else 0)
    if ours == theirs == "name":
        if "country" in (part.kind, item.kind):
            return 3 + subject if part.kind == item.kind else 0.5 + subject
        return 2 + subject + (0.5 if part.article == item.article else 0)
    return 0


def _class(item: Noun) -> str:
    if item.kind in ("year", "date"):
        return "time"
    return "name" if item.name else "number" if item.kind == "number" else "common"


def _has_verb(body: Text) -> bool:
    """Whether a fragment is none: it has a verb, or might have one before its last word."""
    for at, word in enumerate(body.words):
        if body.lower[at] in AUXILIARIES:
            return True
        inside = 0 < at < len(body) - 1 and body.lower[at - 1] not in CONJUNCTIONS | PREPOSITIONS
        if inside and word[0].islower() and finite(word) and not word.endswith("ed"):
            return True
    return False


def _has_pronoun(of: Question) -> bool:
    return any(word in PRONOUNS for word in of.of.lower[slice(*(of.subject or (0, 0)))])


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
