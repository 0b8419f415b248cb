"""Does the evidence support this sentence? Rules over words only: no model, no I/O, the same answer every time.

The rules are strict on purpose. A sentence that fails costs nothing, because the verbatim sentence then stands; a wrong
sentence that passes is shown to somebody. So whatever cannot be told from the words alone (a rephrased date, a
derived noun, an active turned into a passive) fails.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

import snowballstemmer

MIN_WORDS = 3
MAX_WORDS = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of one sentence.

    `score` is the share of its content words and numbers that the evidence itself has; 0.0 when a rule failed. Each
    reason starts with the kind of rule and a colon: `number: 300 is not in the evidence`.
    """

    supported: bool
    score: float
    reasons: tuple[str, ...]


def check_sentence(draft: str, *, question: str, evidence: str, context: str, short_answer: str) -> Verdict:
    """Whether `draft` says only what `evidence` says, and gives `short_answer`.

    `evidence` is the sentence that holds the answer, `context` the passage around it with the document's title. The
    context only lends names: one that the question uses and the passage has may stand for a pronoun of the evidence.
    """
    said, source, asked = _read(draft), _read(evidence), _read(question)
    answer = _read(short_answer)
    verbatim = _collapse(draft) == _collapse(evidence)
    reasons = _not_a_sentence(draft, said, evidence) + _without_answer(said, answer, verbatim)
    if not reasons and verbatim:
        return Verdict(True, 1.0, ())
    if not reasons:
        reasons = [
            *_numbers(said, source, asked),
            *_names(said, source, _read(context), asked),
            *_words(said, source, asked),
            *_hedges(said, source),
            *_frame(said, source),
            *_quotes(draft, source),
            *_structure(said, source, asked, answer),
            *_responds(said, source, asked),
        ]
    if reasons:
        return Verdict(False, 0.0, tuple(dict.fromkeys(reasons)))
    content = [item.key for item in said if item.content]
    known = {item.key for item in source}
    return Verdict(True, sum(key in known for key in content) / len(content), ())


def _list(words: str) -> list[str]:
    # A long list of words reads better as text than one quoted word a line.
    return words.split()


# --- reading text into items -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Item:
    """A word, a number (with currency, magnitude and percent sign) or a mark of punctuation."""

    text: str
    key: str  # what two spellings of the same thing share
    kind: str  # word, number, mark
    capital: bool = False
    first: bool = False  # of its sentence, where a capital says nothing
    qualifier: str = ""  # of a number: "more", "about", "range", ...

    @property
    def content(self) -> bool:
        return self.kind == "number" or (self.kind == "word" and self.key not in _FREE)


_TOKEN = re.compile(
    r"(?P<dotted>(?:[^\W\d_]\.){2,})"
    r"|(?P<number>(?:(?<![\w.)\]])-)?(?:\d+(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?)(?P<suffix>[^\W\d_]+)?"
    r"|(?P<word>[^\W\d_]\w*(?:'[^\W\d_]+)*)"
    r"|(?P<other>\S)"
)
_PLAIN = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "−": "-"})
_MARKS = frozenset(".,;:!?()[]{}\"'-/…*_|")
_ENDS = frozenset(".!?")
_TITLES = frozenset(_list("mr mrs ms dr st prof gen col sgt lt capt rev hon jr sr vs etc no inc ltd co corp"))

_UNITS = {
    "$": "$", "dollar": "$", "dollars": "$", "€": "€", "euro": "€", "euros": "€", "£": "£", "pound": "£",
    "pounds": "£", "¥": "¥", "yen": "¥", "yuan": "yuan", "₩": "₩", "%": "%", "percent": "%", "pct": "%",
}  # fmt: skip
_CURRENCY_SIGNS = frozenset("$€£¥₩")
_MAGNITUDES = {
    "hundred": 2, "thousand": 3, "k": 3, "million": 6, "mn": 6, "billion": 9, "bn": 9, "trillion": 12, "tn": 12,
}  # fmt: skip
_SMALL = {
    word: value
    for value, word in enumerate(
        _list(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen"
        )
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(_list("twenty thirty forty fifty sixty seventy eighty ninety"), start=2)
}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        _list("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"),
        start=1,
    )
}

# What stands before a number and changes what it claims. The longest match counts.
_QUALIFIERS = {
    "more": "more than|over|above|exceeding|exceeded|exceeds|exceed|upwards of|in excess of|greater than|beyond|>",
    "least": "at least|no less than|no fewer than|not less than|a minimum of|minimum",
    "less": "less than|fewer than|under|below|<",
    "most": "up to|as many as|as much as|at most|no more than|not more than|a maximum of|maximum|within",
    "about": "about|around|approximately|approx|roughly|some|circa|an estimated|estimated|estimate of|estimated at|"
    "or so|close to|in the region of|c|~|≈|±",
    "nearly": "nearly|almost|just under|just short of",
    "only": "only|just|merely",
    "average": "average|an average of|averaging|averaged|median|median of|mean",
    "until": "until|till|by",
    "before": "before|prior to",
    "after": "after|since|from",
    "between": "between",
    "another": "another|further|additional|other",
    "top": "top|the top",
}
_QUALIFIER = {
    tuple(phrase.split()): name for name, phrases in _QUALIFIERS.items() for phrase in phrases.split("|")
}  # fmt: skip


def _read(text: str) -> list[_Item]:
    """The items of a text, numbers put together, in order."""
    return _join_numbers(_tokens(text))


def _tokens(text: str) -> list[_Item]:
    items: list[_Item] = []
    first = True
    for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text).translate(_PLAIN)):
        raw = match.group()
        if match["number"]:
            items.append(_Item(raw, raw.casefold(), "digits", first=first))
        elif match["other"]:
            kind = "mark" if raw in _MARKS else "word"
            items.append(_Item(raw, raw, kind, first=first))
            if raw in _ENDS and not (items[-2:-1] and items[-2].key in _TITLES):
                first = True
            continue
        else:
            for part in _split_word(raw.replace(".", "") if match["dotted"] else raw):
                items.append(_Item(part, _key(part.casefold()), "word", part[0].isupper(), first))
                first = False
        first = False
    return items


def _split_word(word: str) -> list[str]:
    """`Nvidia's` is `Nvidia`, `didn't` is `did not`, `cannot` is `can not`."""
    lower = word.casefold()
    if lower in {"cannot", "can't"}:
        return [word[:3], "not"]
    if lower == "won't":
        return ["will", "not"]
    if lower.endswith("n't"):
        return [word[:-3], "not"]
    head, _, tail = word.partition("'")
    return [head, "will"] if tail == "ll" else [head] if tail in {"s", "re", "ve", "m", "d"} else [word]


def _join_numbers(tokens: list[_Item]) -> list[_Item]:
    items: list[_Item] = []
    index = 0
    while index < len(tokens):
        number, after = _number_at(tokens, index)
        if number is None:
            items.append(tokens[index])
            index += 1
        else:
            items.append(number)
            index = after
    return [_qualified(items, at) if item.kind == "number" else item for at, item in enumerate(items)]


def _number_at(tokens: list[_Item], start: int) -> tuple[_Item | None, int]:
    """The number that begins at `start`, and the index after it."""
    at, unit = start, ""
    if tokens[at].text in _CURRENCY_SIGNS and at + 1 < len(tokens) and tokens[at + 1].kind == "digits":
        unit = _UNITS[tokens[at].text]
        at += 1
    value: Decimal | None = None
    tail = ""
    if tokens[at].kind == "digits":
        match = re.fullmatch(r"(-?[\d,]*(?:\.\d+)?)(.*)", tokens[at].key)
        assert match is not None  # noqa: S101  (the token pattern)
        digits, tail = match[1].replace(",", ""), match[2]
        value = Decimal(digits)
        if tail == "m" and unit:
            value, tail = value.scaleb(6), ""
        elif tail in _MAGNITUDES and tail != "hundred":
            value, tail = value.scaleb(_MAGNITUDES[tail]), ""
        elif tail in {"st", "nd", "rd", "th"}:
            tail = "ordinal"
        at += 1
    else:
        value, at, tail = _spelled(tokens, at)
    if value is None:
        return None, start
    if not tail:
        while at < len(tokens) and tokens[at].text.casefold() in _MAGNITUDES and len(tokens[at].text) > 1:
            value = value.scaleb(_MAGNITUDES[tokens[at].text.casefold()])
            at += 1
        hyphen = at + 1 < len(tokens) and tokens[at].text == "-"
        unit_at = at + 1 if hyphen else at
        if unit_at < len(tokens) and tokens[unit_at].text.casefold() in _UNITS and not unit:
            unit, at = _UNITS[tokens[unit_at].text.casefold()], unit_at + 1
        elif [token.text.casefold() for token in tokens[at : at + 2]] == ["per", "cent"]:
            unit, at = "%", at + 2
    text = (
        "".join(token.text for token in tokens[start:at])
        if at - start < 2
        else " ".join(token.text for token in tokens[start:at])
    )
    return _Item(
        text, f"#{value.normalize():f}{unit}{'|' + tail if tail else ''}", "number", first=tokens[start].first
    ), at


def _spelled(tokens: list[_Item], at: int) -> tuple[Decimal | None, int, str]:
    """A number in words: `twenty-five`, `three hundred thousand`, `fifth`."""
    word = tokens[at].text.casefold()
    if word in _ORDINALS:
        return Decimal(_ORDINALS[word]), at + 1, "ordinal"
    if word not in _SMALL and word not in _TENS:
        return None, at, ""
    value = Decimal(_SMALL.get(word, _TENS.get(word, 0)))
    at += 1
    if word in _TENS:
        skip = at + 1 if at < len(tokens) and tokens[at].text == "-" else at
        if skip < len(tokens) and 0 < _SMALL.get(tokens[skip].text.casefold(), 0) < 10:
            value, at = value + _SMALL[tokens[skip].text.casefold()], skip + 1
    return value, at, ""


def _qualified(items: list[_Item], at: int) -> _Item:
    """The number at `at` with what qualifies it."""
    before = [item.text.casefold() for item in items[max(0, at - 4) : at]]
    found = ""
    for length in (4, 3, 2, 1):
        name = _QUALIFIER.get(tuple(before[-length:])) if len(before) >= length else None
        if name:
            found = name
            break
    if not found and at + 1 < len(items) and items[at + 1].key == "or" and len(items) > at + 2:
        found = {"more": "least", "less": "most", "fewer": "most", "so": "about"}.get(items[at + 2].text.casefold(), "")
    if _ranged(items, at):
        found = "range"
    item = items[at]
    return _Item(item.text, item.key, item.kind, item.capital, item.first, found)


def _ranged(items: list[_Item], at: int) -> bool:
    """Whether the number is one end of `10 to 20`, `10-20` or `between 10 and 20`."""

    def is_number(index: int) -> bool:
        return 0 <= index < len(items) and items[index].kind == "number"

    for middle, other in ((at + 1, at + 2), (at - 1, at - 2)):
        if is_number(other):
            word = items[middle].text.casefold()
            left = min(at, other)
            between = left > 0 and items[left - 1].text.casefold() == "between"
            if word in {"to", "-"} or (word == "and" and between):
                return True
    return False


# --- what two spellings share ----------------------------------------------------------------------------------------

_STEMMER = snowballstemmer.stemmer("english")
_DERIVED = re.compile(
    r"(ive|ions?|ity|ant|ent|ance|ence|ancy|ency|ial|al|ous|ful|ness|ment|able|ible|ism|ist|ize|ise|ate|ator|or|er|ly|ic)$"
)
_INFLECTED = re.compile(r"(?<=[^\W\d_]{3})(?:'s|ies|es|s|ed|ing)$")
_IRREGULAR = {
    form: base
    for base, forms in {
        "be": "is are was were am been being", "have": "has had having", "do": "does did done doing",
        "become": "became", "begin": "began begun", "break": "broke broken", "bring": "brought",
        "build": "built", "buy": "bought", "catch": "caught", "choose": "chose chosen", "come": "came",
        "draw": "drew drawn", "drive": "drove driven", "eat": "ate eaten", "fall": "fell fallen",
        "feel": "felt", "fight": "fought", "find": "found", "fly": "flew flown", "get": "got gotten",
        "give": "gave given", "go": "went gone", "grow": "grew grown", "hear": "heard", "hold": "held",
        "keep": "kept", "know": "knew known", "lead": "led", "leave": "left", "lose": "lost", "make": "made",
        "mean": "meant", "meet": "met", "pay": "paid", "rise": "rose risen", "run": "ran", "say": "said",
        "see": "saw seen", "sell": "sold", "send": "sent", "shoot": "shot", "sing": "sang sung", "sit": "sat",
        "speak": "spoke spoken", "spend": "spent", "stand": "stood", "steal": "stole stolen",
        "swim": "swam swum", "take": "took taken", "teach": "taught", "tell": "told", "think": "thought",
        "throw": "threw thrown", "understand": "understood", "wear": "wore worn", "win": "won",
        "write": "wrote written", "child": "children", "man": "men", "woman": "women", "person": "people",
        "foot": "feet", "mouse": "mice",
    }.items()
    for form in forms.split()
}  # fmt: skip


@lru_cache(maxsize=8192)
def _key(word: str) -> str:
    """One key for the inflections of a word, different keys for what is derived from it (`execute`, `executive`)."""
    if not word.isascii() or len(word) < 4:
        return _IRREGULAR.get(word, word)
    word = _IRREGULAR.get(word, word)
    stem = str(_STEMMER.stemWord(word))
    bare = _INFLECTED.sub(lambda match: "y" if match.group() == "ies" else "", word)
    derived = _DERIVED.search(bare)
    # Only a suffix that the stemmer took off: `mention` keeps its -ion, `operation` does not.
    if derived and len(stem) <= len(bare) - len(derived.group()):
        return f"{stem}+{derived.group().rstrip('s')}"
    return stem


def _keys(words: str) -> frozenset[str]:
    return frozenset(_key(word) for word in words.split())


# Words that carry grammar, not claims: a draft may add them. Everything else must be found somewhere.
_FREE = _keys(
    "a an the of in on at for with to as that which who whom whose what when where how why and be have do there"
)
_ARTICLES = frozenset({"a", "an", "the"})
# Found in the question is not enough for these: they make a claim stronger or wider.
_EMPHATIC = _keys(
    "all every each always ever only never first last most least best worst largest biggest smallest highest lowest "
    "many several few both entire entirely whole completely mainly mostly usually often sole solely exactly also still "
    "already even more less very no not none nothing nobody neither nor without must certainly definitely any"
)


def _collapse(text: str) -> str:
    return " ".join(text.split())


# --- the rules -------------------------------------------------------------------------------------------------------


def _not_a_sentence(draft: str, said: list[_Item], evidence: str) -> list[str]:
    text = _collapse(draft)
    words = sum(item.kind != "mark" for item in said)
    if not text or not any(item.content for item in said):
        return ["sentence: it is empty"]
    if text == _collapse(evidence):
        return []
    if words < MIN_WORDS or words > MAX_WORDS:
        return [f"sentence: it has {words} words"]
    if "\n" in draft.strip():
        return ["sentence: it has more than one line"]
    if not re.search(r"[.!][\"'”’)]*$", text):
        return ["sentence: it does not end like a statement"]
    ends = [at for at, item in enumerate(said[:-1]) if item.text in _ENDS and said[at + 1].first]
    inner = [at for at in ends if any(item.kind != "mark" for item in said[at + 1 :])]
    # An end that the evidence has inside its one sentence (an initial, an abbreviation) is none.
    if any(f"{said[at - 1].text}{said[at].text} {said[at + 1].text}" not in evidence for at in inner):
        return ["sentence: it is more than one"]
    return []


def _without_answer(said: list[_Item], answer: list[_Item], verbatim: bool) -> list[str]:
    wanted = _plain(answer)
    if not wanted:
        return ["answer: there is no short answer"]
    found = _plain(said)
    for start in range(len(found) - len(wanted) + 1):
        if all(_same(a, b) for a, b in zip(wanted, found[start:], strict=False)):
            rest = found[:start] + found[start + len(wanted) :]
            return [] if verbatim or any(key not in _FREE for key in rest) else ["answer: it is only the short answer"]
    return ["answer: the short answer is not in it"]


def _plain(items: Iterable[_Item]) -> list[str]:
    return [item.key for item in items if item.kind != "mark" and item.key not in _ARTICLES]


def _same(wanted: str, found: str) -> bool:
    """A short answer may have been cut before its unit: `95` is answered by `95%`."""
    return wanted == found or (wanted.startswith("#") and found.startswith("#") and found.rstrip("$€£¥₩%") == wanted)


def _numbers(said: list[_Item], source: list[_Item], asked: list[_Item]) -> list[str]:
    reasons = []
    for at, item in enumerate(said):
        if item.kind != "number":
            continue
        places = [index for index, other in enumerate(source) if other.key == item.key]
        if not places:
            reasons.append(f"number: {item.text} is not in the evidence")
            continue
        places = [index for index in places if source[index].qualifier == item.qualifier]
        if not places:
            reasons.append(f"qualifier: {item.text} is qualified otherwise in the evidence")
            continue
        counted = _next(said, at)
        if counted and not any(_counts(source, index, counted, asked) for index in places):
            reasons.append(f"number: {item.text} does not count {counted} in the evidence")
    return reasons


def _next(items: Sequence[_Item], at: int) -> str:
    """The key of the content word directly after `at`: what a number counts."""
    return items[at + 1].key if at + 1 < len(items) and items[at + 1].content else ""


def _counts(source: list[_Item], at: int, counted: str, asked: list[_Item]) -> bool:
    """Whether the number at `at` counts `counted`: it follows soon, or the question asks how many of them."""
    for item in source[at + 1 : at + 8]:
        if item.key == counted:
            return True
        if item.kind == "number" or item.text in ";.":
            break
    if _next(source, at):
        return False
    keys = [item.key for item in asked]
    return any(
        keys[i : i + 2] in (["how", "many"], ["how", "much"]) and counted in keys[i + 2 : i + 5]
        for i in range(len(keys))
    )


def _names(said: list[_Item], source: list[_Item], context: list[_Item], asked: list[_Item]) -> list[str]:
    in_source = {item.key for item in source if item.capital}
    in_context = {item.key for item in context if item.capital}
    in_question = {item.key for item in asked}
    lowered = {item.key for item in (*source, *context, *asked) if item.kind == "word" and not item.capital}
    mid = {item.key for item in (*source, *context, *asked) if item.capital and not item.first}
    reasons = []
    named: list[_Item | None] = []
    for item in said:
        name = item.kind == "word" and item.capital and (item.content or not item.first)
        if name and item.first:
            # A capital at the start of a sentence is a name only if the word is one elsewhere.
            name = (item.key in mid and item.key not in lowered) or (item.text.isupper() and len(item.text) > 1)
        named.append(item if name else None)
        if name and item.key not in in_source and not (item.key in in_context and item.key in in_question):
            reasons.append(f"name: {item.text} is not in the evidence")
    texts = [[item.key for item in items] for items in (source, context, asked)]
    for left, right in pairwise(named):
        pair = [left.key, right.key] if left and right else []
        if pair and not any(pair == keys[i : i + 2] for keys in texts for i in range(len(keys) - 1)):
            reasons.append(
                f"name: {' '.join(item.text for item in (left, right) if item)} is not a name in the evidence"
            )
    return reasons


def _words(said: list[_Item], source: list[_Item], asked: list[_Item]) -> list[str]:
    in_source = {item.key for item in source}
    in_question = {item.key for item in asked}
    reasons = []
    for item in said:
        if item.kind != "word" or not item.content or item.key in in_source:
            continue
        if item.key in _EMPHATIC:
            reasons.append(f"emphasis: {item.text} is not in the evidence")
        elif (item.key not in in_question and not item.capital) or (item.key not in in_question and item.first):
            reasons.append(f"word: {item.text} is in neither evidence nor question")
    return reasons


# Words that turn what follows into something else than a fact, by what they do.
_HEDGES = {
    key: group
    for group, words in {
        "negation": "not no never neither nor none nobody nothing without hardly barely rarely seldom unable fail "
        "refuse deny decline lack stop cease avoid prevent cannot unlikely except instead rather",
        "future": "will shall would going",
        "modality": "may might could should can must ought possible possibly perhaps maybe probable probably likely "
        "potential potentially apparent apparently seem appear alleged allegedly reported reportedly supposed "
        "supposedly presumably rumoured rumored plan want wish hope intend seek aim try attempt propose consider offer "
        "expect predict project forecast estimate schedule promise pledge vow threaten agree ask need require "
        "encourage allow enable permit able desire desirous attempt effort bid intention goal ambition proposal chance "
        "opportunity ability threat nearly almost partly partially",
        "time": "former formerly previously once used ex late acting until no-longer originally initially",
        "extent": "some many most several few often usually mostly mainly sometimes generally largely occasionally "
        "typically primarily frequently commonly normally only half",
        "rank": "vice deputy co assistant so-called would-be self-proclaimed fictional mock fake",
    }.items()
    for word in words.split()
    for key in [_key(word)]
}  # fmt: skip


_AUXILIARIES = _keys("not will shall would may might could should can must")


def _governed(items: list[_Item], at: int, reach: int) -> list[str]:
    """The next content words after a hedge, which is what it bears on."""
    found: list[str] = []
    for item in items[at + 1 : at + 10]:
        # An auxiliary bears on its verb across an aside (`may, in May, close`), an adjective does not leave its noun.
        if item.text in ";." or len(found) == reach or (item.text == "," and items[at].key not in _AUXILIARIES):
            break
        if item.content and item.key not in _HEDGES:
            found.append(item.key)
    return found


def _hedges(said: list[_Item], source: list[_Item]) -> list[str]:
    reasons = []
    content = {item.key for item in said if item.content}
    kept = [(item.key, _governed(said, at, 1)) for at, item in enumerate(said) if item.key in _HEDGES]
    there = [(item.key, _governed(source, at, 3), item.text) for at, item in enumerate(source) if item.key in _HEDGES]
    for hedge, bears_on, text in there:
        if any(word in content for word in bears_on[:2]) and not any(
            hedge == mine and set(words) <= set(bears_on) for mine, words in kept
        ):
            reasons.append(f"{_HEDGES[hedge]}: {text} of the evidence is lost")
    for hedge, words in kept:
        if not any(hedge == other and set(words) <= set(bears_on) for other, bears_on, _ in there):
            reasons.append(f"{_HEDGES[hedge]}: {hedge} is not in the evidence there")
    return reasons


_SPEECH = _keys(
    "say tell claim believe think argue suggest allege according deny assert contend maintain insist estimate predict "
    "report opine hypothesize theorize speculate doubt warn feel view consider"
)
_CONDITIONS = _keys("if unless whether provided assuming otherwise")


def _frame(said: list[_Item], source: list[_Item]) -> list[str]:
    """What frames a whole sentence must stay: who says so, and on what condition."""
    here, there = {item.key for item in said}, {item.key for item in source}
    reasons = []
    if there & _SPEECH and not there & _SPEECH & here:
        reasons.append("attribution: it leaves out who says so")
    if there & _CONDITIONS and not there & _CONDITIONS & here:
        reasons.append("condition: it leaves out a condition")
    return reasons


def _quotes(draft: str, source: list[_Item]) -> list[str]:
    """What stands between quotation marks must be the evidence's words in a row."""
    keys = [item.key for item in source if item.kind != "mark"]
    for quoted in re.findall(r'"([^"]+)"', unicodedata.normalize("NFKC", draft).translate(_PLAIN)):
        words = [item.key for item in _read(quoted) if item.kind != "mark"]
        if not any(keys[i : i + len(words)] == words for i in range(len(keys))):
            return ["quote: the evidence does not have these words in a row"]
    return []


# Where one content word follows another, these say how they belong together. Articles and auxiliaries do not count.
_GLUE = _keys("of in on at for with to as that which who whom whose what when where how why and by from or than not")


def _joins(items: list[_Item]) -> list[tuple[str, str, tuple[str, ...], int]]:
    """Neighbouring content words as (left, right, the glue between them, index of the right one)."""
    joins = []
    left = ""
    glue: list[str] = []
    for at, item in enumerate(items):
        if item.content and item.key not in _GLUE:
            if left:
                joins.append((left, item.key, tuple(glue), at))
            left, glue = item.key, []
        elif item.key in _GLUE:
            glue.append(item.key)
    return joins


def _without_asides(items: list[_Item]) -> list[_Item]:
    """The items without what stands between brackets or between two commas."""
    kept: list[_Item] = []
    depth = 0
    for item in items:
        depth += item.text in "(["
        if not depth:
            kept.append(item)
        depth -= item.text in ")]" and depth > 0
    commas = [at for at, item in enumerate(kept) if item.text == ","]
    return kept[: commas[0]] + kept[commas[1] + 1 :] if len(commas) == 2 else kept


def _structure(said: list[_Item], source: list[_Item], asked: list[_Item], answer: list[_Item]) -> list[str]:
    """Neighbours must be neighbours in evidence or question too, except around the short answer.

    Words that are all there can still be put together into something else ("B bought A", or a place that belongs to
    another event). The one thing a phrased answer has to join anew is the short answer, in the place of `who`.
    """
    attested = {join[:3] for items in (source, _without_asides(source), asked) for join in _joins(items)}
    answered = {item.key for item in answer if item.content}
    new = [join for join in _joins(said) if join[:3] not in attested]
    # `It works, Olsen said` may become `Olsen said it works` where nobody else speaks.
    lone_speaker = sum(item.key in _SPEECH for item in source) == 1
    reasons = []
    for left, right, _, _ in new:
        if (left in answered) == (right in answered) and not (lone_speaker and left in _SPEECH):
            reasons.append(f"structure: {left} and {right} do not belong together in evidence or question")
    for left, right, glue, _ in new:
        # `sang in Graz` of the evidence must not become `sang in Linz`.
        rivals = {join[1] for join in _joins(source) if glue and join[0] == left and join[2] == glue}
        if right in answered and rivals and not rivals & (answered | {item.key for item in said}):
            reasons.append(f"structure: the evidence has something else after {left}")
    if _turned(said, source, answer):
        reasons.append("structure: it turns round who does what")
    counts = Counter(item.key for item in said if item.content)
    most = Counter(item.key for item in source) | Counter(item.key for item in asked)
    if any(count > (1 if new else max(1, most[key])) for key, count in counts.items()):
        reasons.append("structure: it repeats itself")
    return reasons


def _turned(said: list[_Item], source: list[_Item], answer: list[_Item]) -> bool:
    """Whether a word directly after the short answer in the evidence is directly before it in the draft, or vice versa.

    `A bought B` must not become `B bought A`. With a form of `be` between them (`the winner is A`) it says the same.
    """
    before, after = _beside(said, answer)
    was_before, was_after = _beside(source, answer)
    return bool((before & was_after) - was_before or (after & was_before) - was_after)


def _beside(items: list[_Item], answer: list[_Item]) -> tuple[set[str], set[str]]:
    """The content words directly before and directly after the short answer, without a form of `be` between."""
    wanted = [item.key for item in answer if item.kind != "mark" and item.key not in _ARTICLES]
    keys = [item.key for item in items]
    before: set[str] = set()
    after: set[str] = set()
    for start in range(len(keys)):
        end = start + len(wanted)
        if keys[start:end] == wanted:
            for words, found in ((items[:start][::-1], before), (items[end:], after)):
                near = next((at for at, item in enumerate(words) if item.content or item.kind == "mark"), None)
                if near is not None and words[near].content and not any(item.key == "be" for item in words[:near]):
                    found.add(words[near].key)
    return before, after


def _responds(said: list[_Item], source: list[_Item], asked: list[_Item]) -> list[str]:
    """It must be about what the question is about, as far as the evidence is."""
    wanted = {item.key for item in asked if item.content}
    wanted = wanted & {item.key for item in source} or wanted
    if len(wanted & {item.key for item in said}) * 2 < len(wanted):
        return ["question: it leaves out most of what is asked"]
    return []
