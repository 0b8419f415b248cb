"""What English words can be: closed lists of the small ones, a dictionary (lemminflect) for the others."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import resources

from qa.wording import MONTHS

AUXILIARIES = frozenset(
    "is are was were am be been do does did has have had can could will would shall should may might must".split()
)
BE = frozenset("is are was were am be been".split())
DO = frozenset("do does did".split())
WH = frozenset("who whom whose what which when where why how".split())
PREPOSITIONS = frozenset(
    "of in on at for with to from by near into during since until till before after about against between among under "
    "over through via per within without across towards toward behind beside outside inside around along as".split()
)
ARTICLES = frozenset("a an the".split())
DETERMINERS = ARTICLES | frozenset("this that these those my our your each every some any all both no".split())
POSSESSIVES = frozenset("his her its their".split())
PRONOUNS = frozenset("he him she her it they them i me we us you himself herself itself themselves".split())
CONJUNCTIONS = frozenset("and or but nor".split())
CLAUSE_MARKERS = frozenset(
    "that who whom which whose when while where why how whether if because although though since after before until "
    "unless once what than".split()
)
NOT_NOMINAL = (
    AUXILIARIES | WH | PREPOSITIONS | PRONOUNS | CONJUNCTIONS | CLAUSE_MARKERS
    | frozenset("not then there here also too so just else".split())
)  # fmt: skip
WEEKDAYS = frozenset("monday tuesday wednesday thursday friday saturday sunday".split())
TIMES = frozenset(
    "spring summer autumn winter weekdays weekday weekends weekend today tomorrow yesterday morning afternoon evening "
    "night week month year years".split()
)
TITLES = frozenset(
    "mr mrs ms miss dr prof professor sir dame lord lady king queen prince princess president minister mayor captain "
    "judge pope saint".split()
)
PERSONS = frozenset(
    "man woman boy girl person people child children engineer mayor minister president author writer poet teacher "
    "director king queen founder leader doctor driver farmer player singer actor actress artist painter officer "
    "scientist architect inventor composer manager chairman chairwoman chief boss owner captain coach student pupil "
    "professor judge lawyer nurse baker builder designer researcher historian explorer astronaut pilot soldier general "
    "bishop emperor empress prince princess duke spokesman spokeswoman founders leaders directors authors women men "
    "teachers students workers ceo cfo chancellor secretary governor senator".split()
)
PERSON_VERBS = frozenset(
    "born die died marry married study studied retire retired resign resigned say said write wrote graduate".split()
)
SPEECH = frozenset("say think believe claim know mean tell announce do happen".split())
MALE, FEMALE = frozenset("mr sir lord king prince".split()), frozenset("mrs ms miss dame lady queen princess".split())
DAYS = frozenset(f"{day}s" for day in WEEKDAYS) | WEEKDAYS
DATES = MONTHS | DAYS

_NOUNS_TOO = frozenset("abscess act dam merit pan restart splint uplift".split())
"""Nouns that are verbs alone in the dictionary."""


@lru_cache(maxsize=8192)
def lemmas(word: str) -> dict[str, tuple[str, ...]]:
    """What a word in lower case can be, each with its basic forms; empty where the dictionary does not have it."""
    from lemminflect import getAllLemmas

    found: dict[str, tuple[str, ...]] = getAllLemmas(word)
    singular = word if word in _NOUNS_TOO else word.removesuffix("s")
    return {**found, "NOUN": (singular,)} if singular in _NOUNS_TOO and "NOUN" not in found else found


def base(word: str) -> str | None:
    """The infinitive of a word that can be a verb."""
    known = lemmas(word.casefold()).get("VERB")
    return known[0] if known else None


def finite(word: str) -> bool:
    """Whether a word can be a verb in the past tense or with -s."""
    infinitive = base(word)
    return infinitive is not None and (word.casefold() != infinitive or _unchanged(word)) and not word.endswith("ing")


def participle(word: str) -> bool:
    """Whether a word can be a participle."""
    infinitive = base(word)
    return infinitive is not None and (
        (word.casefold() != infinitive and not word.casefold().endswith("s")) or _unchanged(word)
    )


@lru_cache(maxsize=1024)
def _unchanged(word: str) -> bool:
    from lemminflect import getInflection

    return word.casefold() in getInflection(base(word) or "", "VBD")


def only_verb(word: str) -> bool:
    """Whether a word can be a verb and nothing else."""
    return set(lemmas(word.casefold())) == {"VERB"}


def only_noun(word: str) -> bool:
    """Whether a word can be a noun and nothing else."""
    return set(lemmas(word.casefold())) == {"NOUN"}


def adjective(word: str) -> bool:
    """Whether a word can be an adjective."""
    return "ADJ" in lemmas(word.casefold())


def noun(word: str) -> bool:
    """Whether a word can be a noun; what the dictionary does not have is one."""
    known = lemmas(word.casefold())
    return not known or "NOUN" in known


def plural(word: str) -> bool:
    """Whether a word can be the plural of a noun."""
    known = lemmas(word.casefold())
    if not known:
        return word.islower() and bool(re.search(r"(?<![sui])s$", word))
    singular = known.get("NOUN", ())
    return word.casefold() == "people" or (bool(singular) and word.casefold() not in singular)


@cache
def countries() -> frozenset[str]:
    """Countries and continents, and what newspapers call them, in lower case."""
    text = resources.files("qa").joinpath("countries.txt").read_text(encoding="utf-8")
    return frozenset(line.strip().casefold() for line in text.splitlines() if line.strip())


def past(word: str, infinitive: str) -> bool:
    """Whether a word is the past tense of that infinitive."""
    from lemminflect import getInflection

    return word in getInflection(infinitive, "VBD")
