"""A question that asks two or three things, taken apart: `Who owns the farm, and how did it get the land?`.

Each part is then found, decided and cited by itself. What cannot be told apart with some certainty stays one question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from qa.followup import LONGEST_QUESTION, standalone
from qa.grammar import question
from qa.lexicon import AUXILIARIES, DETERMINERS, POSSESSIVES, PREPOSITIONS, PRONOUNS, WH
from qa.phrases import Text
from qa.reference import leans
from qa.types import Turn
from qa.wording import read

MOST_PARTS = 3

_JOINT = re.compile(
    r"\?[?!]*\s*(?:\d+[.)]\s+)?(?:(?:and|also|then)\b,?\s*)*(?=\w)|[,;]?\s+(?:and|&)\s+|;\s+", re.IGNORECASE
)
_AROUND = re.compile(r"^(?:\d+[.)]\s+)|(?<=\?)[\s!]*(?:thanks|thank\s+you|please)[\s.!]*$", re.IGNORECASE)
_WH = "when|where|why|how|who|what"
_TWO_WORDS = re.compile(rf"^\W*(?P<one>{_WH})\s+and\s+(?P<other>{_WH})\s+(?P<rest>\w+\s.+)$", re.IGNORECASE | re.DOTALL)
_MEASURED = frozenset("long old far often large big tall high fast wide deep heavy late early".split())


@dataclass(frozen=True, slots=True)
class Part:
    """One of the questions that were asked, standing by itself.

    One that names nothing (`who was the referee`) is of what the part before it is about: the whole question is its
    `topic`, whose passages may answer it, and it `follows`: only the document that was found for that part counts.
    """

    question: str
    topic: str
    follows: bool = False


def parts(asked: str) -> list[Part]:
    """The questions that a question consists of; only itself where it is one."""
    found = _taken_apart(_AROUND.sub("", " ".join(asked.split()))) if len(asked) <= LONGEST_QUESTION else []
    if not 1 < len(found) <= MOST_PARTS:
        return [Part(asked, asked)]
    first, *others = found
    return [Part(first, first), *(Part(it, it) if _names(it) else Part(it, asked, follows=True) for it in others)]


def same_event(one: str, other: str) -> bool:
    """Whether two questions differ in their question word alone: `Where did X speak?`, `When did X speak?`."""
    return [word.casefold() for word in one.split()[1:]] == [word.casefold() for word in other.split()[1:]]


def _taken_apart(asked: str) -> list[str]:
    both = _TWO_WORDS.match(asked)
    if both and both["rest"].split()[0].casefold() in AUXILIARIES:
        return [f"{both['one']} {both['rest']}", f"{both['other'].capitalize()} {both['rest']}"]
    for joint in _JOINT.finditer(asked):
        first, rest = asked[: joint.start()], asked[joint.end() :]
        if not _begins(rest, marked=joint.group()[0] in "?,;") or not _asks(first) or not _says_enough(first):
            continue
        first = first.rstrip(" ?!,;") + "?"
        completed = list(_completed(_taken_apart(rest) or [rest], first))
        if completed and all(completed):
            return [first, *(other for other in completed if other)]
    return []


def _completed(rest: list[str], first: str) -> Iterator[str | None]:
    """The questions after the first one, as they are asked without it; None for what is no question then."""
    history = [Turn(question=first, answer="")]
    for other in rest:
        by_itself = _asks(other) and not leans(other) and not _ABOUT.match(other)
        completed = other if by_itself else standalone(other, history)
        if completed is None or not _asks(completed):
            yield None
            return
        completed = completed[:1].upper() + completed[1:].rstrip(" ?!.,;") + "?"
        yield completed
        history.append(Turn(question=completed, answer=""))


_SUBJECTS = DETERMINERS | POSSESSIVES | PRONOUNS | frozenset("anyone anybody anything someone there".split())
_ABOUT = re.compile(r"(?:what|how)\s+about\b", re.IGNORECASE)


def _begins(rest: str, *, marked: bool) -> bool:
    """Whether it begins like a question; `and was sold` and `and the sea` go on with the one before."""
    words = Text.of(rest).lower[:2]
    if words and words[0] in AUXILIARIES:
        return marked and len(words) == 2 and words[1] in _SUBJECTS
    return bool(words) and (words[0] in WH or (words[0] in PREPOSITIONS and words[-1] in WH))


def _asks(text: str) -> bool:
    """Whether it is a question of its own, with one question word, at its beginning; no clause like `how it works`."""
    parsed, of = question(text), Text.of(text)
    if parsed is None or len(of) < 2:
        return False
    at = 1 if of.lower[0] in PREPOSITIONS else 0
    first = of.lower[at]
    if any(word in WH for word in of.lower[at + 1 :]):
        return False
    if first in AUXILIARIES or first in ("who", "whom", "whose", "what", "which"):
        return True
    if first == "how" and of.lower[at + 1] in ("many", "much"):
        return True
    return parsed.auxiliary is not None and (
        parsed.auxiliary == at + 1 or (first == "how" and of.lower[at + 1] in _MEASURED)
    )


def _says_enough(text: str) -> bool:
    """Whether it says what it is about: not `Who wrote`, of `Who wrote and who directed the film?`."""
    content = [item for item in read(text) if item.content and item.text.casefold() not in WH | AUXILIARIES]
    return len(content) >= 2 or any(item.capital and not item.first for item in content)


def _names(text: str) -> bool:
    """Whether a name or a number stands in it."""
    return any(item.kind == "number" or (item.capital and not item.first) for item in read(text))
