"""Names in full: the `Byrne` of a sentence is the `Ada Byrne` that another sentence of its document speaks of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.structure import name_runs
from qa.wording import Item

LONGEST = 4  # words of a name


@dataclass(frozen=True, slots=True)
class FullName:
    """A name of several words, and the number of the first sentence that has it."""

    words: tuple[Item, ...]
    sentence: int

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its words."""
        return tuple(word.key for word in self.words)


def full_names(sentences: Sequence[Sequence[Item]]) -> dict[str, FullName]:
    """For a word of a name the one name that has it, of those in the sentences of a document.

    A word of two names (`Ada Byrne`, `Tom Byrne`) has none, unless one of them is part of the other.
    """
    having: dict[str, dict[tuple[str, ...], FullName]] = defaultdict(dict)
    for number, items in enumerate(sentences):
        for run in name_runs(list(items), list(items)):
            if 1 < len(run.keys) <= LONGEST:
                name = FullName(tuple(items[run.first : run.last + 1]), number)
                for key in run.keys:
                    having[key].setdefault(run.keys, name)
    found = {}
    for key, names in having.items():
        longest = max(names.values(), key=lambda name: len(name.keys))
        if all(_within(keys, longest.keys) for keys in names):
            found[key] = longest
    return found


def completed(items: Sequence[Item], names: dict[str, FullName]) -> tuple[list[Item], list[FullName]]:
    """The items with each name that is only a part of one in full, and the names that were completed."""
    runs = {run.first: run for run in name_runs(list(items), list(items))}
    found: list[Item] = []
    added: list[FullName] = []
    for at, item in enumerate(items):
        run = runs.get(at)
        name = names.get(item.key) if run and len(run.keys) == 1 else None
        if name is None:
            found.append(item)
            continue
        found += [replace(word, first=item.first and not i) for i, word in enumerate(name.words)]
        added.append(name)
    return found, added


def _within(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    return any(whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1))
