"""Who says so: what a sentence names as its speaker, put onto a draft that left it out."""

from __future__ import annotations

import re

from qa.wording import collapse, read

_VERBS = (
    "said|says|stated|states|added|adds|noted|notes|claimed|claims|believes|believed|thinks|thought|argued|argues|"
    "suggested|suggests|estimated|estimates|reported|reports|announced|announces|told reporters|explained|explains|"
    "warned|warns|insisted|insists|remarked|remarks"
)
_WHO = r"(?:(?:Mr|Mrs|Ms|Dr|Prof|Gen|Sen|Gov)\. )?[^\W\d_][^.,;:!?\"()]{1,60}?"
_BEFORE = re.compile(rf"(?:^|, )(?P<phrase>{_WHO} (?:{_VERBS}) that) ")
_AFTER = re.compile(rf",['\"’”]?\s+(?P<phrase>{_WHO} (?:{_VERBS})|according to {_WHO}|(?:{_VERBS}) {_WHO})\.?$")
_MOST_WORDS = 8


def attributed(draft: str, source: str) -> str | None:
    """`draft` with the speaker of `source` ("… , Ana Ruiz said."), None where none is found.

    It only puts the two together: whether the source says it of this speaker is for the verifier to find out.
    """
    source, draft = collapse(source), collapse(draft)
    if after := _AFTER.search(source):
        phrase = after["phrase"]
        joined = f"{draft.rstrip('.')}, {phrase}."
    elif before := _BEFORE.search(source):
        phrase = before["phrase"]
        joined = f"{phrase[0].upper()}{phrase[1:]} {_inside(draft, source)}"
    else:
        return None
    return joined if len(phrase.split()) <= _MOST_WORDS else None


def _inside(draft: str, source: str) -> str:
    """A sentence as a clause: its first word has a capital only where it is a name."""
    word, _, rest = draft.partition(" ")
    known = {item.text for item in read(source) if not item.first}
    return draft if word in known or not word[1:].islower() else f"{word.lower()} {rest}"
