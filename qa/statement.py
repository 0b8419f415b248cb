"""Is a text one plain sentence that states something: no fragment, list, markup, question, talk with the reader?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.lexicon import DETERMINERS, POSSESSIVES, PREPOSITIONS, base
from qa.wording import ARTICLES, ENDS, Item, collapse, may_be_verb, read

MIN_WORDS = 3
MAX_WORDS = 60

_TALK = re.compile(
    r"(?:sure|certainly|of course|hello|hi|hey|dear|thanks|thank you|great question|good question|welcome|sorry|"
    r"here (?:is|are)|here's|i hope|i can|let me|let us|let's|feel free|please|in summary|to sum up|as an ai)\b",
    re.IGNORECASE,
)
_ODD = re.compile(r"[^\w\s.,;:!?'\"()%$€£¥₩/&+°–—’‘“”…-]|_")


def states(sentence: str) -> bool:
    """Whether a sentence states anything that could be wrong: no question, heading, greeting, talk with the reader."""
    said = read(sentence)
    words = [item for item in said if item.kind != "mark"]
    if not any(item.content for item in words) or sentence.rstrip("\"'”’) ").endswith(("?", ":")):
        return False
    if _TALK.match(sentence):
        return False
    if any(item.kind == "number" for item in words):
        return True
    return len(words) >= MIN_WORDS and has_verb(words)


_AFFIRMED = {"cannot": "can", "can't": "can", "won't": "will", "shan't": "shall"}
_NEGATIVE = re.compile(r"\b(?:cannot|(?:ca|wo|sha)n['’]t|not|never)\b|(?<=\w)n['’]t\b", re.IGNORECASE)


def affirmed(claim: str) -> str | None:
    """What a claim denies: the claim without its `not`, `n't` or `never`; None where it has none."""
    found = _NEGATIVE.sub(lambda match: _AFFIRMED.get(match.group().casefold().replace("’", "'"), " "), claim)
    return None if found == claim else " ".join(found.split())


def has_verb(items: list[Item]) -> bool:
    """A word whose form is a verb's; or a plain one between whoever does it and what it is done to, or how."""
    if any(map(may_be_verb, items)):
        return True
    for before, item, after in zip(items, items[1:], items[2:], strict=False):
        led = before.kind == "word" and before.key not in ARTICLES and before.text.casefold() not in PREPOSITIONS
        followed = after.kind == "number" or after.text.casefold() in PREPOSITIONS | DETERMINERS | POSSESSIVES
        if led and followed and not item.capital and base(item.text) == item.text:
            return True
    return False


def form(claim: str, said: list[Item], sources: Sequence[str]) -> list[str]:
    """Whether it is one plain sentence: no fragment, no list, no markup, no code."""
    text = collapse(claim)
    if "\n" in claim.strip():
        return ["sentence: it has more than one line"]
    words = sum(item.kind != "mark" for item in said)
    if not any(item.content for item in said) or not MIN_WORDS <= words <= MAX_WORDS:
        return [f"sentence: it has {words} words"]
    if not re.search(r"[.!][\"'”’)]*$", text):
        return ["sentence: it does not end like a statement"]
    if not has_verb(said):
        return ["sentence: it has no verb"]
    ends = [at for at, item in enumerate(said[:-1]) if item.text in ENDS and said[at + 1].first]
    inner = [at for at in ends if any(item.kind != "mark" for item in said[at + 1 :])]
    joined = [f"{said[at - 1].text}{said[at].text} {said[at + 1].text}" for at in inner]
    if any(not any(text in source for source in sources) for text in joined):
        return ["sentence: it is more than one"]
    odd = {match.group() for match in _ODD.finditer(text)}
    if any(not any(mark in source for source in sources) for mark in odd):
        return [f"sentence: no text of the evidence has {' '.join(sorted(odd))}"]
    return []
