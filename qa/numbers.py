"""The rules over numbers: each is the source's, qualified as there, and counts the same thing.

As in `qa/rules.py` each takes the items of what is said and of its source, and gives reasons against it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from qa.rules import hedge
from qa.wording import ARTICLES, MONTHS, Item, changed, key_of, keys_of


def numbers(said: list[Item], source: list[Item], context: Sequence[Item] = ()) -> list[str]:
    """Each number is the source's, qualified as there ("over", "about"), and counts the same thing.

    A number that is part of a name ("Python 3") may be the context's, after the same word.
    """
    reasons = []
    lent = {(one.key, other.key) for one, other in pairwise(context)}
    for at, item in enumerate(said):
        if item.kind != "number" or _pronoun(said, at):
            continue
        places = [index for index, other in enumerate(source) if other.key == item.key]
        if not places:
            named = at and said[at - 1].capital and (said[at - 1].key, item.key) in lent
            if not named and not _indefinite(said, at, source):
                reasons.append(f"number: {item.text} is not in the evidence")
            continue
        places = [index for index in places if source[index].qualifier == item.qualifier]
        if not places:
            reasons.append(f"qualifier: {item.text} is qualified otherwise in the evidence")
            continue
        change, theirs = changed(said, at), {changed(source, index) for index in places}
        if change and change not in theirs and "" not in theirs:
            reasons.append(f"number: {item.text} is what it changed {min(theirs)} in the evidence, not {change}")
            continue
        if _years_old(said, at) and any(_age(source, index) for index in places):
            continue
        counted = _next(said, at)
        # A word that the source does not have is for `counted`; what the source counts elsewhere is a mix-up.
        if counted in _UNITS and not any(_measures(source, index, counted) for index in places):
            reasons.append(f"number: {item.text} is not one of {counted} in the evidence")
            continue
        elsewhere = counted in {other.key for other in source}
        if elsewhere and not any(_counts(source, index, counted) for index in places):
            reasons.append(f"number: {item.text} does not count {counted} in the evidence")
    return reasons


def counted(said: list[Item], strangers: Sequence[Item]) -> list[str]:
    """What a number counts is the source's, in some form: two of a crew that were hurt may be no patients."""
    keys = {item.key for item in strangers} - _UNITS
    return [
        f"number: {item.text} counts {said[at + 1].text}, which are not in the evidence"
        for at, item in enumerate(said)
        if item.kind == "number" and not _pronoun(said, at) and _next(said, at) in keys
    ]


_UNITS = keys_of(
    "millimetre centimetre metre kilometre inch foot yard mile milligram gram kilogram ton tonne ounce millilitre "
    "litre gallon barrel acre hectare watt kilowatt megawatt gigawatt terawatt byte kilobyte megabyte gigabyte "
    "terabyte hertz kilohertz megahertz gigahertz second minute hour day week month year decade century degree"
)


def _measures(source: list[Item], at: int, unit: str) -> bool:
    """Whether the number at `at` is one of such units, as are both of `20 to 30 minutes`."""
    for item in source[at + 1 : at + 7]:
        if item.kind == "word" and item.text.casefold() not in {"to", "and", "or", "by", "of", "the", "full", "more"}:
            return item.key == unit
    return False


def _years_old(items: Sequence[Item], at: int) -> bool:
    """`140 years old`."""
    return [item.text.casefold() for item in items[at + 1 : at + 3]] in (["years", "old"], ["year", "old"])


def _age(items: Sequence[Item], at: int) -> bool:
    """`at the age of 140`, `aged 140`, `Garrity, 86,`."""
    beside = [item.text for item in items[max(0, at - 1) : at + 2 : 2]]
    return beside == [",", ","] or any(item.text.casefold() in {"age", "aged"} for item in items[max(0, at - 2) : at])


def _pronoun(items: Sequence[Item], at: int) -> bool:
    """`No one came`, `the curfew was a nightly one`: no number."""
    ends = at + 1 == len(items) or items[at + 1].kind == "mark"
    named = any(item.key in ARTICLES for item in items[max(0, at - 2) : at])
    nobody = at > 0 and items[at - 1].text.casefold() == "no"
    return items[at].text == "one" and (nobody or (ends and named))


def _indefinite(said: Sequence[Item], at: int, source: Sequence[Item]) -> bool:
    """`for one year`, of `for a year`."""
    counted = _next(said, at)
    return said[at].text.casefold() == "one" and any(
        article.text.casefold() in {"a", "an"} and other.key == counted for article, other in pairwise(source)
    )


def _next(items: Sequence[Item], at: int) -> str:
    """The key of the content word directly after `at`: what a number counts."""
    after = items[at + 1] if at + 1 < len(items) else None
    dated = is_year(items[at].key) and at > 0 and items[at - 1].text.casefold() in _BEFORE_YEARS
    return after.key if after and after.kind == "word" and after.content and not hedge(after) and not dated else ""


_MONTHS = frozenset(map(key_of, MONTHS))
_BEFORE_YEARS = MONTHS | frozenset("in since until by from of during before after".split())
DAYS = _MONTHS | keys_of("monday tuesday wednesday thursday friday saturday sunday")


def is_year(key: str) -> bool:
    """Whether a number may be a year."""
    return bool(re.fullmatch(r"#[12]\d{3}", key))


def _counts(source: list[Item], at: int, counted: str) -> bool:
    """Whether the number at `at` counts `counted`: it follows soon."""
    if counted in _MONTHS and counted in {item.key for item in source[max(0, at - 1) : at + 2]}:
        return True  # `3 May` and `May 3`
    of_some = False
    for item in source[at + 1 : at + 8]:
        if item.key == counted:
            return True
        if item.text in ";." or (item.kind == "number" and not of_some):
            break
        of_some = item.text == "of" or (of_some and item.key in ARTICLES)  # `one of the five judges`
    return False
