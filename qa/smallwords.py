"""Small words that turn a statement about: `from` and `to`, `'s`, `of the`, `or`, `unlike`, `a year`, `by`, `was to`.

A sentence may keep every name, number and verb of its source and yet say something else. As in `qa/rules.py` each rule
takes the items of what is said and of its source, and gives reasons against it.
"""

from __future__ import annotations

from qa.lexicon import base, lemmas
from qa.numbers import DAYS, is_year
from qa.rules import hedge
from qa.structure import finite, passive
from qa.wording import ARTICLES, Item, keys_of, may_be_verb


def small_words(said: list[Item], source: list[Item]) -> list[str]:
    """All rules of this module."""
    rules = (
        directions, owners, heads, parts, wholes, alternatives, exceptions, rates, shares, ranks, superlatives,
        restrictions, agents, plans, causatives, partners, modifiers, adjuncts,
    )  # fmt: skip
    return [reason for rule in rules for reason in rule(said, source)]


_OPPOSED = {
    "from": {"to", "into", "towards", "toward"}, "to": {"from"}, "into": {"from"}, "towards": {"from"},
    "for": {"against"}, "against": {"for"}, "before": {"after"}, "after": {"before"},
    "above": {"below", "under"}, "below": {"above", "over"}, "over": {"under", "below"}, "under": {"over", "above"},
    "inside": {"outside"}, "outside": {"inside"}, "since": {"until", "till"}, "until": {"since"}, "till": {"since"},
}  # fmt: skip
_PREPOSITIONS = frozenset(_OPPOSED) | frozenset(
    "with without by at in on of through beyond near between during toward as than".split()
)


def directions(said: list[Item], source: list[Item]) -> list[str]:
    """`From Aldery to Marstrand` must not become `from Marstrand to Aldery`, nor `for the plan` `against the plan`."""
    for at, item in enumerate(said):
        opposed = _OPPOSED.get(_governor(said, at), set()) if item.content else set()
        there = {_governor(source, place) for place in _places(source, item.key)} if opposed else set()
        if there and there <= opposed:
            return [f"direction: it is {min(there)} {item.text} in the evidence, not {_governor(said, at)}"]
    return []


def _governor(items: list[Item], at: int) -> str:
    """The preposition that leads to the word at `at`, over articles and up to two words that describe it."""
    described = 0
    for item in reversed(items[max(0, at - 4) : at]):
        word = item.text.casefold()
        if word in _PREPOSITIONS:
            return word
        described += item.content
        if item.kind == "mark" or word in {"and", "or", "but"} or may_be_verb(item) or described > 2:
            return ""
    return ""


def _places(items: list[Item], key: str) -> list[int]:
    return [at for at, item in enumerate(items) if item.key == key]


_TIMES = DAYS | keys_of("year month week day season century decade today yesterday tomorrow evening morning night")


def owners(said: list[Item], source: list[Item]) -> list[str]:
    """`The mayor's rival closed the port` must not become `the mayor closed the port`.

    Where somebody does, or suffers, what only something of his does, or suffers, in the source.
    """
    here = {item.key for item in said}
    for at, item in enumerate(said):
        if item.owner and item.capital and (mine := _owned(said, at)):  # `the company's` may well be Nvidia's
            theirs = {other.key for other in source if other.owner and other.capital} - {item.key}
            others = [place for place in _places(source, mine[0].key) if place and source[place - 1].key in theirs]
            if others and len(others) == len(_places(source, mine[0].key)) and item.key in _keys(source):
                return [f"owner: it is {source[others[0] - 1].text}'s {mine[0].text} in the evidence"]
    for key in dict.fromkeys(item.key for item in source if item.content and item.key not in _TIMES):
        places = _places(source, key)
        if not all(_owns(source, at) for at in places) or any(_owns(said, at) for at in _places(said, key)):
            continue
        owned = {item.key for at in places for item in _owned(source, at)}
        beside = {item.key for at in places for item in source[max(0, at - 4) : at + 6] if item.content} - {key}
        for at in _places(said, key):
            verb = _verb_beside(said, at)
            if not owned & here and verb in beside and not (at > 1 and "of" in _texts(said[at - 2 : at])):
                return [f"owner: it is something of {said[at].text} in the evidence"]
    return []


def _keys(items: list[Item]) -> set[str]:
    return {item.key for item in items if item.content}


def _owned(items: list[Item], at: int) -> list[Item]:
    """The words after the owner at `at` that name what is his."""
    found = []
    for place in range(at + 1, min(at + 4, len(items))):
        if finite(items, place) or _led(items[place]):
            break
        found += [items[place]] if items[place].content else []
    return found


def _owns(items: list[Item], at: int) -> bool:
    return items[at].owner or (items[at].text.endswith("s") and _texts(items[at + 1 : at + 2]) == ["'"])


def _verb_beside(items: list[Item], at: int) -> str:
    """The key of the verb that the word at `at` stands directly before, or behind."""
    after = next((i for i in range(at + 1, min(at + 3, len(items))) if items[i].content), at)
    if after > at and finite(items, after):
        return items[after].key
    before = next((i for i in range(at - 1, max(at - 4, -1), -1) if items[i].content and not _led(items[i])), at)
    return items[before].key if before < at and finite(items, before) else ""


def _led(item: Item) -> bool:
    return item.text.casefold() in _PREPOSITIONS


_KINDS_OF = keys_of(
    "city town village state republic kingdom island province county district region river lake mount month year group "
    "team number set pair series crowd lot kind sort type crew couple band gang handful majority name government"
)


def heads(said: list[Item], source: list[Item]) -> list[str]:
    """`The owner of the mill sued the bank` must not become `the mill sued the bank`, nor `part of it` `it`."""
    here = {item.key for item in said}
    for at, item in enumerate(said):
        verb = _verb_beside(said, at) if item.content and item.kind == "word" else ""
        if not verb or (at > 1 and "of" in _texts(said[max(0, at - 3) : at])):
            continue
        places = _places(source, item.key)
        owned = [_head(source, place) for place in places]
        near = [verb in _keys(source[max(0, place - 8) : place + 4]) for place in places]
        if owned and all(head is not None and head.key not in here for head in owned) and any(near):
            return [f"owner: it is the {owned[0].text if owned[0] else ''} of {item.text} in the evidence"]
    return []


def _head(items: list[Item], at: int) -> Item | None:
    """What the word at `at` only says more about: `owner` of `the owner of the mill`, `spokesman for the bank said`."""
    for place in range(at - 1, max(at - 5, 0), -1):
        item = items[place]
        word = item.text.casefold()
        inside = word in {"for", "at"} and at + 1 < len(items) and finite(items, at + 1)
        if word == "of" or inside:
            before = items[place - 1]
            plain = (
                before.content
                and (before.first or not before.capital)
                and before.key not in _KINDS_OF
                and not may_be_verb(before)
            )
            return before if plain and not hedge(before) else None
        if item.kind == "mark" or _led(item) or may_be_verb(item):
            return None
    return None


def _texts(items: list[Item]) -> list[str]:
    return [item.text.casefold() for item in items]


def parts(said: list[Item], source: list[Item]) -> list[str]:
    """`Nine of the twelve boats sank` must not become `the twelve boats sank`."""
    here = {item.key for item in said}
    for at, item in enumerate(said):
        places = _places(source, item.key) if item.kind == "number" else []
        if not places or "of" in _texts(said[max(0, at - 3) : at]) or "there" in _texts(said):
            continue
        some = [_part_of(source, place) for place in places]
        if all(some) and not any(part in here for part in some):
            return [f"number: it is only some of {item.text} in the evidence"]
    for at, item in enumerate(source):  # `31 hikers, three of whom died`
        if item.key in here or not (item.kind == "number" or hedge(item) == "extent"):
            continue
        did = next((other for other in source[at + 3 :] if other.content), None)
        if _texts(source[at + 1 : at + 3]) in (["of", "whom"], ["of", "which"]) and did and did.key in here:
            return [f"number: only {item.text} {did.text} in the evidence"]
    return []


_BEFORE_WHOLES = ARTICLES | keys_of("its their his her our those these all")


def _part_of(items: list[Item], at: int) -> str:
    """The key of what stands before `of the` and the number at `at`; empty where nothing does."""
    place = at - 1
    while place > 0 and items[place].key in _BEFORE_WHOLES:
        place -= 1
    if place < 1 or items[place].text.casefold() != "of":
        return ""
    before = items[place - 1]
    return before.key if before.kind == "number" or hedge(before) in ("extent", "negation") else ""


_ALL = frozenset("all every everyone everybody everything each any no none nobody".split())
_BUT = frozenset("but except bar save".split())
_EVERY_OTHER = frozenset("second other third fourth fifth".split())


def wholes(said: list[Item], source: list[Item]) -> list[str]:
    """`All but two` must not become `all`, nor `every second boat` `every boat`."""
    for at, item in enumerate(said):
        word, after = item.text.casefold(), _texts(said[at + 1 : at + 2])
        if word not in _ALL or (after and after[0] in _BUT | _EVERY_OTHER):
            continue
        there = [place for place, other in enumerate(source) if other.text.casefold() == word]
        if there and all(_limited(source, place) for place in there):
            return [f"extent: {item.text} is limited in the evidence"]
    return []


def _limited(items: list[Item], at: int) -> bool:
    after = items[at + 1] if at + 1 < len(items) else None
    if after is None:
        return False
    if _BUT & set(_texts(items[at + 2 : at + 5])) and not any(item.text == "," for item in items[at + 1 : at + 5]):
        return True
    other = after.text.casefold() in _EVERY_OTHER or after.kind == "number"
    return after.text.casefold() in _BUT or (items[at].text.casefold() == "every" and other)


def alternatives(said: list[Item], source: list[Item]) -> list[str]:
    """`Lee or Kim resigned` must not become `Lee and Kim resigned`."""
    either = _joined(source, "or") - _joined(source, "and")
    for one, other in _joined(said, "and"):
        if {(one, other), (other, one)} & either:
            return ["alternative: it is one or the other in the evidence"]
    return []


def _joined(items: list[Item], word: str) -> set[tuple[str, str]]:
    """The keys of the words on either side of a conjunction."""
    found = set()
    for at, item in enumerate(items):
        if item.text.casefold() == word:
            before = next((other.key for other in reversed(items[:at]) if other.content), "")
            after = next((other.key for other in items[at + 1 :] if other.content), "")
            found.add((before, after))
    return found


_EXCEPT = (("unlike",), ("other", "than"), ("apart", "from"), ("instead", "of"), ("rather", "than"), ("except",))
_SAYS_SO = frozenset(
    "unlike other apart instead rather except not no never only but while whereas neither nor without".split()
)


def exceptions(said: list[Item], source: list[Item]) -> list[str]:
    """`Unlike the council, the mayor agreed` must not become `the council agreed`."""
    if _SAYS_SO & set(_texts(said)):
        return []
    excepted: list[int] = []
    for at in range(len(source)):
        for words in _EXCEPT:
            if tuple(_texts(source[at : at + len(words)])) == words:
                for place in range(at + len(words), min(at + len(words) + 6, len(source))):
                    if source[place].kind == "mark" or finite(source, place):
                        break
                    excepted.append(place)
    keys = {source[place].key for place in excepted if source[place].content}
    keys -= {item.key for place, item in enumerate(source) if place not in excepted}
    found = next((item for item in said if item.key in keys), None)
    return [f"exception: the evidence excepts {found.text}"] if found else []


_PERIODS = {
    period: frozenset(also.split())
    for periods, also in (
        ("year years annum", "annual annually yearly"),
        ("month months", "monthly"),
        ("week weeks", "weekly"),
        ("day days", "daily"),
        ("hour hours", "hourly"),
    )
    for period in periods.split()
}
_TIMES_OVER = frozenset(("once", "twice"))


def rates(said: list[Item], source: list[Item]) -> list[str]:
    """`30 euros a month` must not become `30 euros`, nor `twice a year` `twice`."""
    words = set(_texts(said))
    for item in said:
        if item.kind != "number" and item.text.casefold() not in _TIMES_OVER:
            continue
        periods = [_period(source, place) for place in _places(source, item.key)]
        if periods and all(periods) and not any(period in words or _PERIODS[period] & words for period in periods):
            return [f"rate: it is {item.text} for each {periods[0]} in the evidence"]
    return []


def _period(items: list[Item], at: int) -> str:
    """The period that the number at `at` is a rate for: `30 euros a month`."""
    for place in range(at + 1, min(at + 7, len(items) - 1)):  # `30 days of paid annual leave a year`
        if items[place].kind != "word":
            return ""
        if items[place].text.casefold() in {"a", "an", "per", "each", "every"}:
            period = items[place + 1].text.casefold()
            return period if period in _PERIODS else ""
    return ""


def shares(said: list[Item], source: list[Item]) -> list[str]:
    """`40 euros for adults and 20 for children` must not become `40 euros for children`."""
    for at, item in enumerate(said):
        belongs = _belongs(said, at) if item.kind == "number" else None
        places = _places(source, item.key) if belongs else []
        theirs = [_belongs(source, place) for place in places]
        others = [
            _belongs(source, place)
            for place, other in enumerate(source)
            if other.kind == "number" and other.key != item.key
        ]
        elsewhere = None not in theirs or all(_ends(source, place) for place in places)
        if belongs and theirs and elsewhere and belongs not in theirs and belongs in others:
            return [f"number: {item.text} is {belongs[0]} something else in the evidence"]
    return []


def _ends(items: list[Item], at: int) -> bool:
    """Whether nothing more is said of the number at `at`: `80 euros, or 120 for firms`."""
    return any(item.text.casefold() in {",", "or"} for item in items[at + 1 : at + 3])


def _belongs(items: list[Item], at: int) -> tuple[str, str] | None:
    """The preposition soon after the number at `at`, and the key of the word that it leads to."""
    for place in range(at + 1, min(at + 4, len(items))):
        word = items[place].text.casefold()
        if items[place].kind != "word" or word in {"and", "or", "but"}:
            return None
        if word in {"for", "in", "at", "from", "to", "on", "by", "with"}:
            led = next((item for item in items[place + 1 : place + 4] if item.content), None)
            return (word, led.key) if led else None
    return None


_ORDINALS = frozenset("first second third fourth fifth sixth seventh eighth ninth tenth last only".split())


def ranks(said: list[Item], source: list[Item]) -> list[str]:
    """`The first woman to win` must not become `the first to win`."""
    here = {item.key for item in said}
    for item in said:
        word = item.text.casefold()
        places = [at for at, other in enumerate(source) if other.text.casefold() == word] if word in _ORDINALS else []
        heads = [source[at + 1] for at in places if at + 1 < len(source)]
        named = heads and all(head.content and head.kind == "word" and not hedge(head) for head in heads)
        if named and not any(head.key in here or _led(head) for head in heads):
            return [f"rank: it is the {word} {heads[0].text} in the evidence"]
    return []


def superlatives(said: list[Item], source: list[Item]) -> list[str]:
    """`The largest farm` is not to be had where nothing is the most of anything."""
    most = [item for item in said if _superlative(item)]
    if most and not any(_superlative(item) or item.text.casefold() in _COMPARING for item in source):
        return [f"rank: that something is {most[0].text} is not in the evidence"]
    return []


def _superlative(item: Item) -> bool:
    word = item.text.casefold()
    return word.endswith("est") and word not in lemmas(word).get("ADJ", (word,))


_LIMITS = frozenset(("more", "less", "least", "most"))
_COMPARING = _ORDINALS | _LIMITS | {"than"}
_BEFORE_LIMITS = frozenset("than more less fewer least most over under above below aged with of at".split())
_PLURALS = frozenset(("children", "people", "men", "women", "persons", "staff"))


_WHICH = frozenset(("who", "that", "whose", "with", "without"))


def restrictions(said: list[Item], source: list[Item]) -> list[str]:
    """`Children under six travel free` must not become `children travel free`."""
    here = {item.key for item in said}
    kept: set[str] = set()
    lost: dict[str, str] = {}
    for at, noun in enumerate(source[:-2]):
        after = source[at + 1 : at + 6]
        if not _bare_plural(source, at) or noun.key not in here:
            continue
        led = {item.key for item in [item for item in after[1:] if item.content][:2]}
        some = after[0].text.casefold() in _WHICH and led
        compared = after[1].text == "than" and after[0].text.endswith("er") and after[0].key not in here
        if some and here & led:
            kept.add(noun.key)
        elif some or compared:
            lost[noun.key] = noun.text
    for key, text in lost.items():
        if key not in kept:  # `files with layers, but not files with fonts`: it may be about the former
            return [f"qualifier: it leaves out which {text}"]
    denied = any(hedge(item) == "negation" for item in said)
    for at, item in enumerate(source):
        lacking = next((other.key for other in source[at + 1 :] if other.content), "")
        before = any(hedge(other) == "negation" for other in source[:at])
        if item.text == "without" and denied and before and lacking not in here:
            return ["qualifier: it leaves out without what"]
    for at, item in enumerate(source):
        if item.qualifier not in _LIMITS or item.key in here:
            continue
        place = at - 1
        while place > 0 and not source[place].content:
            place -= 1
        while place > 0 and source[place].text.casefold() in _BEFORE_LIMITS:
            place -= 1
        if _bare_plural(source, place) and at - place <= 5 and source[place].key in here:
            return [f"qualifier: it leaves out which {source[place].text}"]
    return []


def _bare_plural(items: list[Item], at: int) -> bool:
    """Whether the word at `at` says whom something is true of in general: `children`, not `the children`."""
    noun, before = items[at], items[at - 1] if at > 0 else None
    many = noun.text.casefold() in _PLURALS or (noun.text.endswith("s") and not noun.text.endswith("ss"))
    whose = before is not None and (before.key in ARTICLES or before.kind == "number" or before.owner)
    return many and noun.content and noun.kind == "word" and not whose


def agents(said: list[Item], source: list[Item]) -> list[str]:
    """`Lee was succeeded by Kim` must not become `Lee succeeded Kim`."""
    for at, verb in enumerate(said):
        acts = verb.kind == "word" and verb.content and not verb.capital and not hedge(verb) and may_be_verb(verb)
        if not acts or passive(said, at) or "by" in _texts(said[at + 1 : at + 4]):
            continue
        mine = [
            {item.key for item in side if item.content} for side in (said[max(0, at - 6) : at], said[at + 1 : at + 7])
        ]
        turned = []
        for place in _places(source, verb.key):
            by = next((i for i in range(place + 1, min(place + 5, len(source))) if source[i].text == "by"), None)
            if by is None or not passive(source, place):
                turned.append(False)
                continue
            did = {item.key for item in source[by + 1 : by + 6] if item.content}
            suffered = {item.key for item in source[max(0, place - 8) : place] if item.content} - did
            turned.append(bool(mine[0] & suffered) and bool(mine[1] & did) and not mine[0] & did)
        if turned and all(turned):
            return [f"roles: {verb.text} is done by the other one in the evidence"]
    return []


def plans(said: list[Item], source: list[Item]) -> list[str]:
    """`It was to open in May` must not become `it opened in May`, nor `it opens on 3 May`."""
    dated = any(item.key in DAYS or is_year(item.key) for item in source)
    for at, verb in enumerate(said):
        led = _texts(said[max(0, at - 3) : at])
        if not finite(said, at) or {"to", "will", "would", "should"} & set(led):
            continue
        places = _places(source, verb.key)
        if places and all(_to_be(source, place) for place in places):
            return [f"future: it was only to {verb.key} in the evidence"]
        past = base(verb.text) != verb.text and not verb.text.endswith(("s", "ing"))
        if past and dated and places and all(_present(source[place]) for place in places):
            return [f"future: the evidence says {source[places[0]].text}, not {verb.text}"]
    return []


def _present(item: Item) -> bool:
    return item.text.endswith("s") and base(item.text) != item.text


def _to_be(items: list[Item], at: int) -> bool:
    """Whether the verb at `at` only was to be, or about to be."""
    if at < 2 or items[at - 1].text.casefold() != "to":
        return False
    return items[at - 2].key == "be" or items[at - 2].text.casefold() == "about"


_CAUSES = frozenset("let lets letting make makes made making had saw sees watched heard helped helps".split())


def causatives(said: list[Item], source: list[Item]) -> list[str]:
    """`Lee let Kim open the door` must not become `Lee opened the door`."""
    for at, item in enumerate(source):
        if item.text.casefold() not in _CAUSES:
            continue
        whom = next((i for i in range(at + 1, min(at + 4, len(source))) if source[i].content), None)
        verb = source[whom + 1] if whom is not None and whom + 1 < len(source) else None
        if whom is None or verb is None or verb.kind != "word" or not verb.content or base(verb.text) != verb.text:
            continue
        for place in _places(said, verb.key):
            if (
                finite(said, place)
                and source[whom].key not in _keys(said[:place])
                and len(_places(source, verb.key)) == 1
            ):
                return [f"roles: it is {source[whom].text} that was to {verb.text} in the evidence"]
    return []


def partners(said: list[Item], source: list[Item]) -> list[str]:
    """`Lee taught Kim, and Kim taught Park` must not become `Lee taught Park`."""
    for at, verb in enumerate(said):
        places = _places(source, verb.key) if finite(said, at) and not passive(said, at) else []
        left, right = _names(said[max(0, at - 6) : at]), _names(said[at + 1 : at + 6])
        if len(places) < 2 or not left & _keys(source) or not right & _keys(source):
            continue
        bounds = [0, *places, len(source)]
        together = [
            left & _names(source[bounds[i] : place]) and right & _names(source[place + 1 : bounds[i + 2]])
            for i, place in enumerate(places)
        ]
        if not any(together) and not any(passive(source, place) for place in places):
            return [f"roles: these do not belong to one {verb.text} in the evidence"]
    return []


def _names(items: list[Item]) -> set[str]:
    return {item.key for item in items if item.capital and item.content and item.kind == "word"}


def modifiers(said: list[Item], source: list[Item]) -> list[str]:
    """`The red boat won and the blue boat lost` must not become `the blue boat won`."""
    for at in range(1, len(said) - 1):
        which, noun, verb = said[at - 1], said[at], said[at + 1]
        if not (_plain(which) and _plain(noun) and verb.key != noun.key and finite(said, at + 1)):
            continue
        before = {source[place - 1].key for place in _places(source, noun.key) if place and _plain(source[place - 1])}
        verbs = [place for place in _places(source, verb.key) if place > 1]
        own = {
            source[place - 2].key for place in verbs if source[place - 1].key == noun.key and _plain(source[place - 2])
        }
        if which.key in before and own and which.key not in own:
            return [f"roles: it is not the {which.text} {noun.text} that {verb.text} in the evidence"]
    return []


def _plain(item: Item) -> bool:
    return item.kind == "word" and item.content and not item.capital and not _led(item)


_JOINS = frozenset({"and", "but", "or", ";", "then"})


def adjuncts(said: list[Item], source: list[Item]) -> list[str]:
    """`Kim lives in Oslo and works in Bergen` must not become `Kim lives in Bergen`."""
    for at, item in enumerate(said):
        led = _governor(said, at) if item.content else ""
        before = max((i for i in range(at) if said[i].text.casefold() == led), default=0) - 1 if led else -1
        if led not in {"in", "at", "for", "from", "to", "on", "with", "near"} or before < 0:
            continue
        if not _plain(said[before]) or not (may_be_verb(said[before]) or said[before].text == "born"):
            continue
        places = [place for place in _places(source, item.key) if _governor(source, place) == led]
        pairs = [(one, place) for one in _places(source, said[before].key) for place in places]
        if pairs and all(_other_clause(source, *pair) for pair in pairs):
            return [f"clause: {said[before].text} does not go with {led} {item.text} in the evidence"]
    return []


def _other_clause(items: list[Item], word: int, at: int) -> bool:
    """Whether another verb, joined to what is at `word`, has the word at `at`."""
    low, high = min(word, at), max(word, at)
    for place in range(low + 1, high + (at < word)):
        joined = _JOINS & set(_texts(items[max(low, place - 3) : place]))
        if joined and _plain(items[place]) and may_be_verb(items[place]):
            return True
    return False
