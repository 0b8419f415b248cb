"""The rules over words that a sentence has to keep to be supported by another: no model, no I/O, the same every time.

Each takes the items of what is said and of its source, and gives reasons against it, none where it is kept. A reason
starts with the kind of rule and a colon: `number: 300 is not in the evidence`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from itertools import pairwise

from qa.lexicon import DETERMINERS, POSSESSIVES, PRONOUNS, WH, base
from qa.wording import ARTICLES, EMPHATIC, PLAIN, Item, antonyms, key_of, keys_of, own_key, qualifies, read

_TITLES = keys_of(
    "mr mrs ms dr prof professor doctor sir inspector superintendent commissioner detective sergeant captain major "
    "colonel general admiral councillor mayor governor senator president chancellor minister judge justice bishop"
)


def names(said: list[Item], source: list[Item]) -> list[str]:
    """Each name is the source's, and the words of one name stand side by side there."""
    in_source = {item.key for item in source if item.capital}
    lowered = {item.key for item in source if item.kind == "word" and not item.capital}
    mid = {item.key for item in source if item.capital and not item.first}
    reasons = []
    named: list[Item | None] = []
    for item in said:
        name = item.kind == "word" and item.capital and (item.content or not item.first)
        if name and item.first:
            # A capital at the start of a sentence is a name only if the word is one elsewhere.
            name = (item.key in mid and item.key not in lowered) or (item.text.isupper() and len(item.text) > 1)
        named.append(item if name else None)
        if name and item.key not in in_source:
            reasons.append(f"name: {item.text} is not in the evidence")
    beside = {(left.key, right.key) for left, right in pairwise(source)}
    for title, first, last in zip(source, source[1:], source[2:], strict=False):
        if title.key in _TITLES and first.capital and last.capital:
            beside.add((title.key, last.key))  # `Inspector Keane` is `Inspector Rosa Keane`
    for left, right in pairwise(named):
        if left and right and (left.key, right.key) not in beside:
            reasons.append(f"name: {left.text} {right.text} is not a name in the evidence")
    return reasons


# Words that turn what follows into something else than a fact, by what they do; by themselves, without their synonyms:
# to decline to say something is a negation, that prices drop is none.
_HEDGES = {
    key: group
    for group, words in {
        "negation": "not no never neither nor none nobody nothing without hardly barely rarely seldom unable fail "
        "refuse deny decline lack forget pretend neglect omit stop cease avoid prevent cannot unlikely except instead "
        "rather",
        "future": "will shall would going",
        "modality": "modality: may might could should can must ought possible possibly perhaps maybe probable probably "
        "likely potential potentially apparent apparently seem appear alleged allegedly reported reportedly "
        "supposed supposedly presumably rumoured rumored plan want wish hope intend seek aim try tries tried "
        "trying attempt propose consider offer expect predict project forecast estimate schedule promise "
        "pledge vow threaten agree ask need require encourage allow enable permit able desire desirous "
        "attempt effort bid intention goal ambition proposal chance opportunity ability threat nearly almost "
        "partly partially vote decide",
        "time": "former formerly previously once used ex late acting until no-longer originally initially",
        "extent": "some many most several few often usually mostly mainly chiefly sometimes generally largely "
        "occasionally typically primarily frequently commonly normally only half",
        "rank": "vice deputy co assistant so-called would-be self-proclaimed fictional mock fake",
    }.items()
    for word in words.split()
    for key in [own_key(word)]
}  # fmt: skip


def hedge(item: Item) -> str:
    """The kind of hedge that a word is, by its form alone; empty for any other."""
    return _HEDGES.get(own_key(item.text.casefold()), "") if item.kind == "word" else ""


# Hedges that say the same.
_SENSES = {
    key: key_of(group.split()[0])
    for group in (
        "can could able enable",
        "need require",
        "allow permit",
        "seldom rarely hardly barely",
        "want wish hope desire desirous",
        "may might possible possibly perhaps maybe potential potentially",
        "will would shall going",
        "should ought",
        "seek aim try tries tried trying attempt",
        "plan intend intention",
        "vote decide",
        "nearly almost",
        "mostly mainly chiefly largely primarily",
        "often frequently commonly",
        "not no never neither nor none nobody",
    )
    for key in keys_of(group)
}


def _sense(key: str) -> str:
    return _SENSES.get(key, key)


_ALLOWED, _CAN = _SENSES[key_of("allow")], _SENSES[key_of("can")]


def _says(theirs: str, mine: str) -> bool:
    """Whether a hedge of the source says that of the claim: who is allowed to go can go, but not the reverse."""
    one, other = _sense(theirs), _sense(mine)
    return one == other or (one == _ALLOWED and other == _CAN)


AUXILIARIES = keys_of("not will shall would may might could should can must")


def _governed(items: list[Item], at: int, reach: int) -> list[str]:
    """The next content words after a hedge, which is what it bears on. A negation bears on hedges: `not allowed`."""
    negation = hedge(items[at]) == "negation"
    found: list[str] = []
    for item in items[at + 1 : at + 10]:
        # An auxiliary bears on its verb across an aside (`may, in May, close`), an adjective does not leave its noun.
        if item.text in ";.()" or len(found) == reach or (item.text == "," and items[at].key not in AUXILIARIES):
            break
        if item.content and (negation or not hedge(item)):
            found.append(item.key)
    return found


def hedges(said: list[Item], source: list[Item]) -> list[str]:
    """What makes of a claim something else than a fact must be kept, and nothing of the kind be added."""
    reasons = []
    content = {item.key for item in said if item.content}
    known = {item.key for item in source}
    nouns = {at for at, item in enumerate(said) if item.key in _NOUNS_TOO and not _hedges(said, at)}  # `the plan`
    stems = {item.key.partition("+")[0] for at, item in enumerate(said) if at not in nouns}
    kept = [(item.key, hedge(item), _governed(said, at, 3)) for at, item in enumerate(said) if _hedges(said, at)]
    there = [(item, hedge(item), _governed(source, at, 3)) for at, item in enumerate(source) if _hedges(source, at)]
    governed = Counter((kind, word) for _, kind, bears_on in there for word in set(bears_on))
    counts = Counter(item.key for item in source)
    for item, kind, bears_on in there:
        if item.key.partition("+")[0] in stems:
            continue  # `mainly because of steel`: `steel is the main reason`
        if item.text.casefold() == "only" and "not" not in content:
            continue  # what is so only of some, or only then, is so
        # `can write PDF but not SVG`: what it bears on is SVG; that it writes, stands there without a `not`, too.
        bound = [word for word in bears_on if counts[word] <= governed[kind, word]] or bears_on
        if any(word in content for word in bound[:2]) and not any(
            _says(item.key, mine) and set(words[:1]) & known <= set(bears_on) for mine, _, words in kept
        ):
            reasons.append(f"{kind}: {item.text} of the evidence is lost")
    for mine, kind, words in kept:
        # A negation flips exactly what follows it (`no passenger was hurt`: the verb, too); others colour a phrase.
        same = [
            set(bears_on[: (2 if item.key == "no" else 1) if kind == "negation" else 3])
            for item, _, bears_on in there
            if _says(item.key, mine)
        ]
        # A word that the source does not have (`reach` for `get to`) is judged by itself, but a negation has to be near
        # the same words: that something else is not so, says nothing of it.
        first, others = set(words[:1]) & known, set(words[1:]) & known
        stray = (
            kind == "negation"
            and not first
            and others
            and not any(others & set(far) for _, other, far in there if other == kind)
        )
        if stray or not any(first <= reach for reach in same):
            added = "hedge" if kind == "modality" else kind  # added to a fact, not left out
            reasons.append(f"{added}: {mine} is not in the evidence there")
    return reasons


_POSSESSIVES = ARTICLES | {"its", "their", "his", "her", "this", "that", "our", "another"}
_NOUNS_TOO = keys_of("project report schedule forecast estimate offer time request plan")


_OFFICES = keys_of(
    "president mayor chief head director minister chairman chairwoman chair manager secretary governor captain"
)


def _hedges(items: list[Item], at: int) -> bool:
    """Whether the word at `at` is a hedge where it stands."""
    return bool(hedge(items[at])) and not _doubled(items, at) and not _literal(items, at)


_ONLY_TO = frozenset(map(own_key, ("decline", "forget", "pretend", "neglect", "omit")))
_RESOLVES = frozenset(map(own_key, ("vote", "decide", "agree")))


def _literal(items: list[Item], at: int) -> bool:
    """No hedge but another word of the same form: `the project`, `using the chips`, `going to Cork`, `a decline`."""
    item, word = items[at], items[at].text.casefold()
    before = items[at - 1] if at else None
    after = [other.text.casefold() for other in items[at + 1 : at + 7]]
    to_do = after[:1] == ["to"]
    if word in {"go", "goes", "went", "gone", "going"}:
        beyond = items[at + 2] if at + 2 < len(items) else None
        place = beyond is None or beyond.capital or beyond.kind == "number" or beyond.key in _POSSESSIVES
        return word != "going" or not to_do or place
    if item.key == key_of("used"):
        return word != "used" or not to_do
    if item.key == key_of("acting"):
        return word != "acting" or not after or key_of(after[0]) not in _OFFICES
    if own_key(word) in _ONLY_TO:
        return not to_do
    if own_key(word) in _RESOLVES:  # `voted on Thursday to ban cars`, not `cast a vote`, `agreed on a rent`
        return "to" not in after
    if own_key(word) == own_key("encourage"):
        return "to" not in after
    if word in {"report", "reports", "reported", "reporting"}:  # `was reported missing`, `the reported theft`
        said_of = before is not None and before.key == "be" and after[:1] not in ([], ["by"], ["in"], ["on"])
        return not to_do and not said_of and not (word == "reported" and before is not None and before.key in ARTICLES)
    if word == "may" and item.capital and not item.first:
        return True  # the month
    if word == "some" and at + 1 < len(items) and items[at + 1].kind == "number":
        return True  # `some 90`
    if before is None:
        return False
    if word in {"most", "least"} and before.text.casefold() == "at":
        return True  # it limits a number
    return item.key in _NOUNS_TOO and (
        before.text.casefold() in _POSSESSIVES or before.kind == "number" or (not to_do and _named_by(before, item))
    )


def _named_by(before: Item, item: Item) -> bool:
    """Whether two words are one thing, the second in its basic form: `the transport plan`, not `the firms plan`."""
    plain = before.kind == "word" and before.content and not hedge(before) and not before.text.endswith("s")
    return plain and base(item.text) == item.text.casefold()


def _doubled(items: list[Item], at: int) -> bool:
    """`would be able to` hedges once: it says `could`."""
    ability = _SENSES[key_of("can")]
    after = {_sense(item.key) for item in items[at + 1 : at + 4]}
    return hedge(items[at]) == "future" and ability in after


_REPORTS = keys_of("say tell report according announce")
SPEECH = keys_of(
    "say tell claim believe think argue suggest allege according deny assert contend maintain insist estimate predict "
    "report opine hypothesize theorize speculate doubt warn feel view consider"
)
_ADMISSIONS = keys_of("admit acknowledge concede confirm")
UNATTRIBUTED = "attribution: it leaves out who says so"
_CONDITIONS = frozenset({"if", "unless", "whether", "assuming", "otherwise"})


def frame(said: list[Item], source: list[Item], *, reports: bool = True) -> list[str]:
    """What frames a whole sentence must stay: who says so, and on what condition.

    Without `reports`, who merely says or tells something need not be named; who believes, doubts or denies it must be.
    """
    here, content = {item.key for item in said}, {item.key for item in said if item.content and not hedge(item)}
    speech = SPEECH if reports else SPEECH - _REPORTS
    source = [item for at, item in enumerate(source) if not _spoken_of(source, at)]
    reasons = []
    clauses = [{item.key for item in clause} for clause in _contrasted(source)]
    there = set().union(*([clause for clause in clauses if content & clause] or clauses))
    known = {item.key for item in source}
    disputed = known & _DISPUTES and known & SPEECH and not here & _DISPUTES
    if disputed or (there & speech and not there & speech & here):
        reasons.append(UNATTRIBUTED)
    admitted = next((item.text for item in said if item.key in _ADMISSIONS), None)
    if admitted and not _ADMISSIONS & {item.key for item in source}:
        reasons.append(f"attribution: that somebody {admitted} it is not in the evidence")
    if _conditional(source) and not _conditional(said):
        reasons.append("condition: it leaves out a condition")
    return reasons


_DISPUTES = keys_of("dispute deny contest reject contradict")
_OPINIONS = keys_of("estimate claim view report feel doubt")


def _spoken_of(items: list[Item], at: int) -> bool:
    """Whether a word of speech is a noun there: `the original estimate`, `an insurance claim`."""
    item, before = items[at], items[at - 1] if at else None
    if item.key not in _OPINIONS or before is None or base(item.text) != item.text.casefold():
        return False
    if at + 1 < len(items) and items[at + 1].text == "that":
        return False  # `the staff claim that …`
    return before.key in ARTICLES or (before.content and not before.capital and not before.text.endswith("s"))


_CONTRASTS = frozenset({";", "but", "while", "whereas", "although", "though"})


def _contrasted(items: list[Item]) -> list[list[Item]]:
    """The clauses of a sentence beyond which who says so does not reach: `Ames denied it, but a letter proves it`."""
    clauses: list[list[Item]] = [[]]
    for item in items:
        if item.text.casefold() in _CONTRASTS:
            clauses.append([])
        clauses[-1].append(item)
    return clauses


def _conditional(items: list[Item]) -> bool:
    """By the words themselves: the key of `provided` is that of `supplies`, too."""
    texts = [item.text.casefold() for item in items]
    return not _CONDITIONS.isdisjoint(texts) or texts[:1] == ["without"] or ("provided", "that") in pairwise(texts)


_ORDERS = frozenset(
    "say tell answer reply respond write state describe name call add append claim pretend report output print repeat "
    "mention announce declare insist rate recommend insert include begin open start end finish use ignore "
    "conclude".split()
)
_BEFORE_ORDERS = frozenset(
    {"please", "must", "should", "always", "never", "now", "then", "instead", "only", "ever", "and"}
)


_OBJECTS = WH | DETERMINERS | POSSESSIVES | PRONOUNS | {"that", "only"}
_WHENEVER = frozenset("where wherever when whenever if unless once before after while until".split())


def orders(said: list[Item], source: list[Item]) -> list[str]:
    """What a text tells its reader to say is not said by it: `Answer that it is free`, `tell every user that …`.

    Nor does a text that orders nothing bear out an order: `Where somebody claims it, say who`.
    """
    here = {item.key for item in said}
    ordered = [item for at, item in enumerate(source[:-1]) if _is_order(source, at)]
    for item in ordered:
        if item.key not in here:
            return [f"order: the evidence only tells somebody to {item.text.casefold()} so"]
    at = 0
    if said and said[0].text.casefold() in _WHENEVER:
        at = next((place + 1 for place, item in enumerate(said) if item.text == ","), len(said))
    if at + 1 < len(said) and (word := said[at].text.casefold()) in _ORDERS:
        # `Say who`; but `state officials met`, where the evidence has the word, is no order.
        told = ordered if said[at + 1].text.casefold() in _OBJECTS else source
        if word not in {item.text.casefold() for item in told}:
            return [f"order: it tells its reader to {word} something"]
    return []


_OBEY = frozenset("say tell answer reply write claim pretend print repeat announce ignore disregard forget".split())


def steers(said: list[Item]) -> bool:
    """Whether it tells a language model what to do: `Write that …`, `Ignore the instructions`; not `Open the valve`."""
    words = [item.text.casefold() for item in said]
    told = "that" in words[1:4] or not {"instructions", "prompt"}.isdisjoint(words)
    return bool(words) and words[0] in _OBEY and told


def _is_order(items: list[Item], at: int) -> bool:
    before = items[at - 1]
    led = not at or items[at].capital or before.kind == "mark" or before.text.casefold() in _BEFORE_ORDERS
    return led and items[at].text.casefold() in _ORDERS


def quotes(draft: str, source: list[Item]) -> list[str]:
    """What stands between quotation marks must be the evidence's words in a row."""
    keys = [item.key for item in source if item.kind != "mark"]
    for quoted in re.findall(r'"([^"]+)"', unicodedata.normalize("NFKC", draft).translate(PLAIN)):
        words = [item.key for item in read(quoted) if item.kind != "mark"]
        if not any(keys[i : i + len(words)] == words for i in range(len(keys))):
            return ["quote: the evidence does not have these words in a row"]
    return []


# --- rules for claims in a model's own words -------------------------------------------------------------------------

# What an answer may say of itself.
GENERIC = keys_of(
    "also both other such as well while however then meanwhile moreover furthermore additionally additional include "
    "including follow following respectively specifically namely it he she they them his her its their him this these "
    "those but or so same total one part use make come go become another between into over through during within "
    "although though whereas despite according from by than out off back up down on aboard itself himself herself "
    "themselves you your we our get take put far under against across around along upon via per which whose own new"
)
_CAUSES = keys_of("because due since therefore thus reason cause result owing so after as thanks mean lead led for to")
_CAUSAL = keys_of("because due therefore thus reason cause owing thanks")


# Suffixes that make another thing of a word's stem: an `executive` need not `execute`.
_ANOTHER = ("+ive", "+or", "+er", "+ator", "+ist", "+less", "+ful")


def unknown_words(said: list[Item], source: list[Item], around: frozenset[str]) -> tuple[list[Item], list[str]]:
    """The content words that the source has in no form, and reasons against those that cannot be mere paraphrase.

    `around` are the keys of the words that stand around the source in its document: `the company` is somewhere named.
    """
    known = {item.key for item in source}
    stems = {key.partition("+")[0] for key in known}
    senses = {_sense(key) for key in known}
    texts: dict[str, list[str]] = {}
    for other in source:
        if other.kind == "word":
            text = other.text.casefold()
            texts.setdefault(text[:_AKIN], []).append(text)
    opposites = _opposites()
    strangers, reasons = [], []
    for at, item in enumerate(said):
        if item.kind != "word" or not item.content or item.key in known or _sense(item.key) in senses:
            continue
        if qualifies(said, at):
            continue  # `roughly 90`: that is the number's affair
        if item.text.casefold() in EMPHATIC:
            denied = item.key == "any" and any(hedge(other) == "negation" for other in said[max(0, at - 3) : at])
            # `no more than 70` is the number's affair, and `without any` says no more than `without`.
            if not denied and not any(other.qualifier for other in said[at : at + 4]):
                reasons.append(f"emphasis: {item.text} is not in the evidence")
        elif opposites.get(item.key, frozenset()) & known:
            reasons.append(f"opposite: {item.text} is the opposite of a word of the evidence")
        elif (
            item.key in GENERIC | _CAUSAL
            or item.key in around
            or (
                not item.key.endswith(_ANOTHER)
                and (item.key.partition("+")[0] in stems or _akin_to_any(item.text.casefold(), texts))
            )
        ):
            continue
        else:
            strangers.append(item)
    return strangers, reasons


_DENIED = re.compile(r"(?:un|non-?)(?=[a-z]{4})")


def denials(items: list[Item], other: list[Item]) -> list[Item]:
    """The items with `undisclosed` as `not disclosed` where the other text has a form of `disclose`, and not that."""
    known = {item.key for item in other}
    found: list[Item] = []
    for item in items:
        prefix = _DENIED.match(item.text.casefold()) if item.kind == "word" and item.key not in known else None
        denied = item.text[prefix.end() :].casefold() if prefix else ""
        key = key_of(denied)
        if denied and key in known:
            found += [Item("not", key_of("not"), "word", first=item.first), Item(denied, key, "word")]
        else:
            found.append(item)
    return found


def introduced(items: list[Item]) -> set[str]:
    """The keys of nouns that a text introduces, as in `a suspect`, `its main cellar`, and may go on to speak of."""
    return {
        item.key
        for at, item in enumerate(items)
        if item.content and not item.capital and any(i.key in _POSSESSIVES for i in items[max(0, at - 2) : at])
    }


_AKIN = 5
"""Letters that akin words have in common at least."""


def _akin_to_any(word: str, texts: dict[str, list[str]]) -> bool:
    """Whether one of these words, by their first letters, is akin."""
    return any(_akin(word, text) for text in texts.get(word[:_AKIN], ()))


def _akin(word: str, other: str) -> bool:
    """`treatment` and `treated`: the same beginning, and nothing that makes another thing of it."""
    shared = 0
    for a, b in zip(word, other, strict=False):
        if a != b:
            break
        shared += 1
    return shared >= _AKIN and shared >= 0.7 * min(len(word), len(other)) and not word.endswith(_AGENTS)


_AGENTS = ("ive", "or", "er", "ors", "ers", "ist", "ists", "less", "ful")


@cache
def _opposites() -> dict[str, frozenset[str]]:
    """Key to the keys of its opposites, both ways, from `antonyms.txt`."""
    table: dict[str, set[str]] = {}
    for one, other in antonyms():
        table.setdefault(key_of(one), set()).add(key_of(other))
        table.setdefault(key_of(other), set()).add(key_of(one))
    return {key: frozenset(keys) for key, keys in table.items()}


def repeats(said: list[Item], source: list[Item]) -> list[str]:
    """What repeats itself has put two things together: a number, or several words more often than in the source."""
    most = Counter(item.key for item in source)
    counts = Counter(item.key for item in said if item.content and item.key not in GENERIC)
    often = [key for key, n in counts.items() if n > max(1, most[key])]
    return ["structure: it repeats itself"] if len(often) > 1 or any(key.startswith("#") for key in often) else []


def causes(said: list[Item], source: list[Item]) -> list[str]:
    """A reason must be given as one."""
    here, there = {item.key for item in said}, {item.key for item in source}
    if here & _CAUSAL and not there & _CAUSES:
        return ["cause: the evidence gives no reason"]
    return []
