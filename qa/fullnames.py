"""Names in full: the `Byrne` of a sentence is the `Ada Byrne` that another sentence of its document speaks of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.structure import Run, name_runs
from qa.wording import Item

LONGEST = 4  # words of a name


@dataclass(frozen=True, slots=True)
class FullName:
    """A name of several words, and the number of the first sentence that has it."""

    words: tuple[Item, ...]
    sentence: int


@dataclass(frozen=True, slots=True)
class InFull:
    """The items of a sentence with its names in full, and the names that are only in part in the sentence itself."""

    items: list[Item]
    names: list[FullName]


def in_full(sentences: Sequence[list[Item]]) -> list[InFull]:
    """The sentences of a document, each name that is only a part of one that the document has made the whole one.

    A word of two names (`Ada Byrne`, `Tom Byrne`) stays as it is, unless one of them is part of the other.
    """
    runs = [name_runs(items, items) for items in sentences]
    names = _names(sentences, runs)
    return [_completed(items, found, names) for items, found in zip(sentences, runs, strict=True)]


def _names(sentences: Sequence[list[Item]], runs: Sequence[list[Run]]) -> dict[str, FullName]:
    """For a word of a name the one name that has it."""
    having: dict[str, dict[tuple[str, ...], FullName]] = defaultdict(dict)
    for number, (items, found) in enumerate(zip(sentences, runs, strict=True)):
        for run in found:
            if 1 < len(run.keys) <= LONGEST:
                name = FullName(tuple(items[run.first : run.last + 1]), number)
                for key in run.keys:
                    having[key].setdefault(run.keys, name)
    names = {}
    for key, by_keys in having.items():
        longest = max(by_keys, key=len)
        if all(_within(keys, longest) for keys in by_keys):
            names[key] = by_keys[longest]
    return names


def _completed(items: list[Item], runs: list[Run], names: dict[str, FullName]) -> InFull:
    alone = {run.first: names[run.keys[0]] for run in runs if len(run.keys) == 1 and run.keys[0] in names}
    found: list[Item] = []
    for at, item in enumerate(items):
        words = alone[at].words if at in alone else (item,)
        found += [replace(word, first=item.first and not i) for i, word in enumerate(words)]
    return InFull(found, list(alone.values()))


def _within(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    return any(whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1))
