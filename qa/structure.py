"""Who does what: the order of names, subjects, verbs and dates that a sentence has to keep to be supported by another.

As in `qa/rules.py` each rule takes the items of what is said and of its source, and gives reasons against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from qa.lexicon import only_noun
from qa.numbers import DAYS, is_year
from qa.rules import AUXILIARIES, GENERIC, SPEECH, hedge
from qa.wording import ARTICLES, Item, keys_of, may_be_verb


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring words of one name: the indices of the first and the last, their keys, and the name."""

    first: int
    last: int
    keys: tuple[str, ...]
    text: str


def name_runs(items: list[Item], known: list[Item]) -> list[Run]:
    """The names in `items`; a capital at a sentence's start counts where `known` has the word as a name."""
    lowered = {item.key for item in known if item.kind == "word" and not item.capital}
    sure = {item.key for item in known if item.capital}
    keys = {item.key for item in known}
    runs: list[Run] = []
    for at, item in enumerate(items):
        if item.kind != "word" or not item.capital or not item.content or item.key in GENERIC:
            continue
        more = items[at + 1 : at + 2]
        named = bool(more) and more[0].capital and more[0].content and more[0].key in keys
        if item.first and not named and (item.key in lowered or item.key not in sure):
            continue
        if runs and runs[-1].last == at - 1:
            last = runs.pop()
            runs.append(Run(last.first, at, (*last.keys, item.key), f"{last.text} {item.text}"))
        else:
            runs.append(Run(at, at, (item.key,), item.text))
    return runs


def voice(said: list[Item], source: list[Item]) -> list[str]:
    """`The journal published a paper` must not become `the journal was published`."""
    reasons = []
    for index, (form, verb) in enumerate(pairwise(said)):
        there = index > 0 and said[index - 1].key == "there"
        if form.key != "be" or not may_be_verb(verb) or hedge(verb) or there:
            continue
        subject = next((item.key for item in reversed(said[:index]) if item.content), "")
        places = [at for at, item in enumerate(source) if item.key == verb.key]
        passive = (
            any(item.key == "be" for item in source[max(0, at - 3) : at])  # an adverb may stand between
            or at + 1 == len(source)
            or not (source[at + 1].content or source[at + 1].key in ARTICLES)
            # `no longer supports it` may become `it is no longer supported`
            or subject in {item.key for item in source[at + 1 :]}
            for at in places
        )
        if places and not any(passive):
            reasons.append(f"structure: {verb.text} is done by somebody in the evidence, not to somebody")
    return reasons


_PRONOUNS = frozenset("he she it they we you i this these those".split())
_SEGMENTS = frozenset(",;:()") | keys_of("that which who where when while but because whereas if unless although")


def subjects(said: list[Item], source: list[Item]) -> list[str]:
    """`With the tools, firms build houses` must not become `the tools build houses`.

    What stands before a verb must stand before it in the source, too, if its clause there has words before the verb.
    """
    keys = {item.key for item in source}
    for at, verb in enumerate(said):
        if verb.key not in keys or not finite(said, at) or passive(said, at):
            continue
        subject = next((item for item in reversed(_clause_before(said, at)) if _noun_like(item)), None)
        if subject is None or subject.key not in keys:
            continue
        places = [place for place, item in enumerate(source) if item.key == verb.key]
        if all(_others_verb(source, place, subject.key) for place in places):
            kind = "roles" if subject.capital and all(_named(source, place) for place in places) else "structure"
            return [f"{kind}: it is not {subject.text} that {verb.text} in the evidence"]
    return []


def finite(items: list[Item], at: int) -> bool:
    """Whether the word at `at` is a verb for sure, as far as forms tell: `opened`, `could open`, `able to open`."""
    item = items[at]
    if item.kind != "word" or not item.content or hedge(item) or item.capital:
        return False
    led = bool(at) and (items[at - 1].key in AUXILIARIES or items[at - 1].text == "to")
    return led or (may_be_verb(item) and not item.text.casefold().endswith("s"))


def _noun_like(item: Item) -> bool:
    plain = not hedge(item) and item.key not in GENERIC
    return item.content and item.kind == "word" and plain and not item.text.endswith("ly")


def _others_verb(source: list[Item], at: int, subject: str) -> bool:
    """Whether the clause of the verb at `at` has another subject before it."""
    before = _clause_before(source, at)
    found = {item.key for item in before if _noun_like(item)}
    listed = bool(before) and before[0].text.casefold() in {"and", "or"}
    pronoun = any(item.text.casefold() in _PRONOUNS for item in before)
    by = any(item.text.casefold() == "by" for item in source[at : at + 5])
    other = bool(found) and subject not in found
    return other and not (listed or pronoun or by or passive(source, at))


def _named(source: list[Item], at: int) -> bool:
    """Whether a name stands before the verb at `at` in its clause."""
    return any(item.capital and item.content for item in _clause_before(source, at))


def _clause_before(items: list[Item], at: int) -> list[Item]:
    start = at
    while start and items[start - 1].text.casefold() not in _SEGMENTS:
        start -= 1
    return items[start:at]


def passive(items: list[Item], at: int) -> bool:
    """Whether a form of `be` stands so near before the verb at `at` that it is done to somebody."""
    infinitive = bool(at) and items[at - 1].text.casefold() == "to"  # `be able to open`
    return not infinitive and any(item.key == "be" for item in items[max(0, at - 3) : at])


_BREAKS = frozenset(",;:()") | {"and", "or", "but", "while"}
_FAR = 14  # items from a name to the word it belongs to
_BESIDE = 3  # the same for a name and its title, in either order


def attachments(said: list[Item], source: list[Item], runs: Sequence[Run]) -> list[str]:
    """The words around a name must stand on the same side of it in the source.

    `Ruiz opened the bridge that Hale designed` does not support `Hale opened the bridge`. The order may be turned by a
    passive, beside the name (`chief executive Ana Ruiz`), and around verbs of speech.
    """
    reasons = []
    where: dict[str, list[int]] = {}
    for at, item in enumerate(source):
        where.setdefault(item.key, []).append(at)
    named = {at for run in runs for at in range(run.first, run.last + 1)}
    keys = {key for run in runs for key in run.keys}
    for run in runs:
        places = _places(source, run.keys)
        passive = said[run.first - 1].text == "by" if run.first else False
        for step, beside in ((1, run.last + 1), (-1, run.first - 1)):
            word = _neighbour(said, beside, step, named)
            if not places or word is None or word.key in SPEECH or word.key not in where:
                continue
            verb = may_be_verb(word) and not only_noun(word.text)
            if not any(
                (0 < to - last <= _FAR if step > 0 else 0 < first - to <= _FAR and not _rival(source, to, first, keys))
                or _turned_about(source, first, to, passive=passive, verb=verb)
                for first, last in places
                for to in where[word.key]
            ):
                reasons.append(f"structure: {run.text} does not belong to {word.text} in the evidence")
    return reasons


def _places(source: list[Item], keys: tuple[str, ...]) -> list[tuple[int, int]]:
    """First and last index of a name in the source: all its words in a row, or else its last one."""
    for wanted in (keys, keys[-1:]):
        size = len(wanted)
        found = [
            (at, at + size - 1)
            for at in range(len(source) - size + 1)
            if tuple(item.key for item in source[at : at + size]) == wanted
        ]
        if found:
            return found
    return []


def _rival(source: list[Item], word: int, name: int, keys: set[str]) -> bool:
    """Whether another name stands where this one is claimed to be: `sang in Graz, and played in Linz`.

    Names that are listed together ("Lee and Trump") do not keep each other out.
    """
    for at in range(name - 1, word, -1):
        item = source[at]
        if (item.key in DAYS) != (source[name].key in DAYS):
            continue
        if item.kind == "word" and item.capital and not item.first and item.content and item.key not in keys:
            return any(
                not (other.capital or other.text.casefold() in {",", "and", "or", "&", "the"})
                for other in source[at:name]
            )
    return False


def _neighbour(said: list[Item], at: int, step: int, named: set[int]) -> Item | None:
    """The nearest content word of the same clause that is neither a name nor a number."""
    for _ in range(4):
        if not 0 <= at < len(said) or said[at].text.casefold() in _BREAKS:
            return None
        if at not in named and said[at].kind == "word" and said[at].content and said[at].key not in GENERIC:
            return said[at]
        at += step
    return None


def _turned_about(source: list[Item], place: int, to: int, *, passive: bool, verb: bool) -> bool:
    low, high = min(place, to), max(place, to)
    if not verb and high - low <= _BESIDE and not any(item.kind == "mark" for item in source[low:high]):
        return True
    by = any(item.text == "by" for item in source[max(0, place - 3) : place])
    return high - low <= _FAR and passive != by


_CLAUSES = frozenset(";") | {"and", "but", "while", "whereas", "which", "who"}


def dates(said: list[Item], source: list[Item]) -> list[str]:
    """A day or year belongs to the words of its own clause: `valued at $5 and on Thursday saw` values nothing then."""
    reasons = []
    for at, item in enumerate(said):
        if item.key not in DAYS and not is_year(item.key):
            continue
        word = _neighbour(said, at - 1, -1, set())
        places = [i for i, other in enumerate(source) if other.key == item.key]
        ends = [i for i, other in enumerate(source) if word is not None and other.key == word.key]
        apart = [
            any(other.text.casefold() in _CLAUSES for other in source[min(place, end) : max(place, end)])
            for place in places
            for end in ends
        ]
        if word is not None and apart and all(apart):
            reasons.append(f"structure: {word.text} and {item.text} are not of one clause in the evidence")
    return reasons


_PREPOSITIONS = frozenset("of in on at for with to from by near into".split())


def equations(said: list[Item], source: list[Item]) -> list[str]:
    """`X is a Y` needs a form of `be` between the two in the source, or that they stand side by side there.

    A comma between them will do where X begins its phrase: `Ana Ruiz, the mayor`, but not `unrest in Egypt, a war`.
    """
    for at, item in enumerate(said[:-1]):
        if item.key != "be" or said[at + 1].key not in ARTICLES:
            continue
        left = next((i for i in range(at - 1, -1, -1) if said[i].content), None)
        right = next((i for i in range(at + 2, len(said)) if said[i].content), None)
        if left is None or right is None:
            continue
        if said[left].key == said[right].key:
            return ["structure: it says nothing"]
        pairs = [
            (min(a, b), max(a, b))
            for a, one in enumerate(source)
            if one.key == said[left].key
            for b, other in enumerate(source)
            if other.key == said[right].key
        ]
        if pairs and not any(_equated(source, low, high) for low, high in pairs):
            return [f"structure: {said[left].text} and {said[right].text} are not said to be the same"]
    return []


_CALLS = keys_of("call describe label dub brand deem regard consider declare replace succeed oust")


def _equated(source: list[Item], low: int, high: int) -> bool:
    between = source[low + 1 : high]
    if any(item.key == "be" for item in between):
        return True
    if any(item.key in _CALLS for item in source[max(0, low - 4) : low]):
        return False  # `critics called the plan a failure`, `Prado replaced Voss as chairwoman`
    if any(item.content for item in between):
        return False
    first = low
    while first and source[first - 1].capital and source[first - 1].content:
        first -= 1
    comma = any(item.kind == "mark" for item in between)
    return not comma or not first or source[first - 1].text.casefold() not in _PREPOSITIONS


_PIVOTS = frozenset("after before than because so on from over into with without against".split())
_DIRECTIONS = frozenset("north south east west left right outside inside ahead".split())
_SIDE = 4
"""Content words on either side of a verb or preposition that are compared."""


def roles(said: list[Item], source: list[Item]) -> list[str]:
    """Who does what to whom, and what belongs to which: neither turned about nor crossed."""
    return [*turned(said, source), *crossed(said, source)]


def turned(said: list[Item], source: list[Item]) -> list[str]:
    """`The owner lent the club money` must not become `the club lent the owner money`.

    A word before a verb, or `after`, `than` and the like, that stands only after it in the source, while one after it
    stands only before it there. A passive may turn the two about, where the source has none, and an active a passive.
    """
    said, source = _in_order(said), _in_order(source)
    for at, pivot in enumerate(said):
        verb = finite(said, at)
        if not (verb or _relates(said, at)):
            continue
        places = [i for i, item in enumerate(source) if item.key == pivot.key]
        if verb:
            places = [i for i in places if _by_whom(source, i) == _by_whom(said, at)]
        left = [item.key for item in reversed(_sentence_before(said, at)) if _counts(item)][:_SIDE]
        right = [item.key for item in _sentence_after(said, at) if _counts(item)][:_SIDE]
        if places and all(_exchanged(left, right, source, place) for place in places):
            return [f"roles: what is before and after {pivot.text} is the other way round in the evidence"]
    return []


def _in_order(items: list[Item]) -> list[Item]:
    """`After the storm, the pier closed` as `the pier closed after the storm`."""
    if not items or items[0].text.casefold() not in ("after", "before", "because"):
        return items
    comma = next((at for at, item in enumerate(items) if item.text == ","), None)
    return items if comma is None else [*items[comma + 1 :], *items[:comma]]


def _counts(item: Item) -> bool:
    return item.content and not hedge(item) and item.key not in GENERIC


def _sentence_before(items: list[Item], at: int) -> list[Item]:
    start = max((i + 1 for i in range(at) if items[i].text == ";"), default=0)
    return items[start:at]


def _sentence_after(items: list[Item], at: int) -> list[Item]:
    end = next((i for i in range(at, len(items)) if items[i].text == ";"), len(items))
    return items[at + 1 : end]


def _relates(items: list[Item], at: int) -> bool:
    """Whether the word at `at` sets what is before it against what is after it: `than`, `south of`."""
    word, after = items[at].text.casefold(), items[at + 1].text if at + 1 < len(items) else ""
    return bool(at) and (word in _PIVOTS or (word in _DIRECTIONS and after == "of"))


def _by_whom(items: list[Item], at: int) -> bool:
    """Whether whoever does what the verb at `at` says comes after it, if at all: `was opened`, `a law passed by`."""
    if items[at].text.casefold().endswith("ing"):
        return False
    return passive(items, at) or any(item.text.casefold() == "by" for item in items[at + 1 : at + 4])


def _exchanged(left: list[str], right: list[str], source: list[Item], place: int) -> bool:
    before = {item.key for item in _sentence_before(source, place)}
    after = {item.key for item in _sentence_after(source, place)}
    return bool(set(left) & (after - before)) and bool(set(right) & (before - after))


_PARTS = frozenset(",;") | {"and", "while", "whereas", "but", "or"}


def crossed(said: list[Item], source: list[Item]) -> list[str]:
    """`Tea costs $2 and coffee $3` must not become `tea costs $3 and coffee $2`.

    Two parts of what is said each have a word of either of two parts of the source.
    """
    parts = [part for part in _parts(source) if part]
    seen = [key for part in parts for key in part]
    mine = [{key for key in part if seen.count(key) == 1} for part in _parts(said)]
    for one, other in combinations(mine, 2):
        for here, there in combinations(parts, 2):
            if one & here and one & there and other & here and other & there:
                return ["roles: it exchanges what belongs together in the evidence"]
    return []


def _parts(items: list[Item]) -> list[set[str]]:
    parts: list[set[str]] = [set()]
    for item in items:
        if item.text.casefold() in _PARTS:
            parts.append(set())
        elif _counts(item):
            parts[-1].add(item.key)
    return parts
