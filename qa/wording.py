"""Text as the verifier compares it: words by what their inflections share, numbers by value, unit and qualifier."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from importlib import resources

import snowballstemmer


def _list(words: str) -> list[str]:
    # A long list of words reads better as text than one quoted word a line.
    return words.split()


# --- reading text into items -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """A word, a number (with currency, magnitude and percent sign) or a mark of punctuation."""

    text: str
    key: str  # what two spellings of the same thing share
    kind: str  # word, number, mark
    capital: bool = False
    first: bool = False  # of its sentence, where a capital says nothing
    qualifier: str = ""  # of a number: "more", "about", "range", ...
    owner: bool = False  # `the mayor's`

    @property
    def content(self) -> bool:
        """Whether it says something, rather than holding a sentence together."""
        return self.kind == "number" or (self.kind == "word" and self.key not in FREE)


_TOKEN = re.compile(
    r"(?P<dotted>(?:[^\W\d_]\.){2,})"
    r"|(?P<number>(?:(?<![\w.)\]])-)?(?:\d+(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?)(?P<suffix>[⁺⁻]?[^\W\d_]+)?"
    r"|(?P<word>[^\W\d_]\w*(?:'[^\W\d_]+)*)"
    r"|(?P<other>\S)"
)
PLAIN = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "−": "-"})
_INVISIBLE = dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF])
"""Soft hyphens, zero-width spaces and the like: a reader does not see them, a model passes over them."""
_FOOTNOTE = re.compile(r"(?:(?<=\d{3})|(?<=[^\W\d_⁰¹²³⁴⁵⁶⁷⁸⁹]{3})|(?<=[.,;:!?)\]\"'”’%]))[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_POWER = re.compile(r"((?<=\d)[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ]+)")
_MARKS = frozenset(".,;:!?()[]{}\"'-/…*_|")
ENDS = frozenset(".!?")
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
    "less": "less than|fewer than|younger than|under|below|<",
    "most": "up to|as many as|as much as|at most|no more than|not more than|not exceed|not exceeding|a maximum of|"
    "maximum|within",
    "about": "about|around|approximately|approx|roughly|some|circa|an estimated|estimated|estimate of|estimated at|"
    "or so|close to|in the region of|c|~|≈|±",
    "nearly": "nearly|almost|just under|just short of",
    "only": "only|just|merely",
    "average": "average|an average of|averaging|averaged|median|median of|mean",
    "until": "until|till|by",
    "before": "before|prior to",
    "after": "after|since|from|following",
    "between": "between",
    "except": "all but|all except|all bar|except|except for|apart from",
    "another": "another|further|additional|other",
    "top": "top|the top",
}
_QUALIFIER = {
    tuple(phrase.split()): name for name, phrases in _QUALIFIERS.items() for phrase in phrases.split("|")
}  # fmt: skip


def read(text: str) -> list[Item]:
    """The items of a text, numbers put together, in order."""
    return _join_numbers(_tokens(text))


_TO_DO = (
    "aim|goal|plan|idea|purpose|objective|intention|intent|proposal|hope|wish|desire|dream|job|task|role|duty|mission|"
    "point|step|way|option|choice|alternative|challenge|function|strategy|solution|answer|trick|all|what|do"
)
# What is written in two ways, and the one that both are read as.
_WRITTEN_AS = {
    re.compile(rf"\b(?:{written})\b"): as_
    for written, as_ in {
        r"chief executive officer|CEO": "chief executive",
        r"United States(?: of America)?|USA": "US",
        r"United Kingdom": "UK",
        r"European Union": "EU",
        r"United Nations": "UN",
        r"(?:have|has|had|(?:is|are|was|were) (?:required|obliged)) to(?= [a-z])": "must",
        r"as (?:many|much) as(?= [\d$€£¥₩])": "up to",
        r"(?:an? )?dozen(?! or )": "twelve",
        # `The count is to start in May`, but `the aim is to build`
        rf"(?!(?:{_TO_DO})s? )(\w+) (?:is|are) (?:set )?to(?= [a-z])": r"\1 will",
    }.items()
}
_UNIT_SIGNS = {
    "km": "kilometres", "cm": "centimetres", "mm": "millimetres", "kg": "kilograms", "mg": "milligrams",
    "ml": "millilitres", "ha": "hectares", "ft": "feet", "mph": "miles per hour", "km/h": "kilometres per hour",
    "kW": "kilowatts", "MW": "megawatts", "GW": "gigawatts", "TW": "terawatts", "kWh": "kilowatt-hours",
    "MWh": "megawatt-hours", "GWh": "gigawatt-hours", "TWh": "terawatt-hours", "kHz": "kilohertz",
    "MHz": "megahertz", "GHz": "gigahertz", "KB": "kilobytes", "MB": "megabytes", "GB": "gigabytes",
    "TB": "terabytes", "hrs": "hours", "min": "minutes", "sec": "seconds",
}  # fmt: skip
_UNIT_SIGN = re.compile(
    rf"(?<=\d)[ -]?({'|'.join(sorted(map(re.escape, _UNIT_SIGNS), key=len, reverse=True))})(?![\w/])"
)


def _tokens(text: str) -> list[Item]:
    items: list[Item] = []
    first = True
    # NFKC would read 260,000¹ and 10¹¹ as other numbers: the mark of a footnote goes, a power is part of its number.
    parts = _POWER.split(_FOOTNOTE.sub("", text.translate(_INVISIBLE)))
    parts[::2] = [unicodedata.normalize("NFKC", part) for part in parts[::2]]
    plain = "".join(parts).translate(PLAIN)
    for written, as_ in _WRITTEN_AS.items():
        plain = written.sub(as_, plain)
    plain = _UNIT_SIGN.sub(lambda match: f" {_UNIT_SIGNS[match[1]]}", plain)
    for match in _TOKEN.finditer(plain):
        raw = match.group()
        if match["number"]:
            items.append(Item(raw, raw.casefold(), "digits", first=first))
        elif match["other"]:
            kind = "mark" if raw in _MARKS else "word"
            items.append(Item(raw, raw, kind, first=first))
            if raw in ENDS and not (items[-2:-1] and items[-2].key in _TITLES):
                first = True
            continue
        else:
            owner = raw.endswith("'s") and raw[:-2].casefold() not in _CONTRACTED
            for part in _split_word(raw.replace(".", "") if match["dotted"] else raw):
                items.append(Item(part, key_of(part.casefold()), "word", part[0].isupper(), first, owner=owner))
                first = False
        first = False
    return items


_CONTRACTED = frozenset(_list("it he she that there here what who where let"))


def _split_word(word: str) -> list[str]:
    """`Nvidia's` is `Nvidia`, `didn't` is `did not`, `cannot` is `can not`."""
    lower = word.casefold()
    if lower in {"cannot", "can't"}:
        return [word[:3], "not"]
    if lower == "won't":
        return ["will", "not"]
    if lower.endswith("n't") and len(word) > 3:
        return [word[:-3], "not"]
    head, _, tail = word.partition("'")
    return [head, "will"] if tail == "ll" else [head] if tail in {"s", "re", "ve", "m", "d"} else [word]


def _join_numbers(tokens: list[Item]) -> list[Item]:
    items: list[Item] = []
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


def _number_at(tokens: list[Item], start: int) -> tuple[Item | None, int]:
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
    return Item(
        text, f"#{value.normalize():f}{unit}{'|' + tail if tail else ''}", "number", first=tokens[start].first
    ), at


def _spelled(tokens: list[Item], at: int) -> tuple[Decimal | None, int, str]:
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


def _qualified(items: list[Item], at: int) -> Item:
    """The number at `at` with what qualifies it."""
    before = [item.text.casefold() for item in items[max(0, at - 5) : at]]
    if before and before[-1] in MONTHS:
        before.pop()  # `by September 30` is `by 30 September`
    found = ""
    for length in (4, 3, 2, 1):
        name = _QUALIFIER.get(tuple(before[-length:])) if len(before) >= length else None
        if name:
            found = name
            break
    after = [item.text.casefold() for item in items[at + 1 : at + 3]]
    if not found and after[:1] == ["or"]:
        found = {"more": "least", "less": "most", "fewer": "most", "so": "about"}.get(after[-1], "")
    if not found and after[:1] == ["more"] and after[1:] != ["than"]:
        found = "another"  # `six more albums`
    if _ranged(items, at) and not changed(items, at):
        found = "range"
    if _ratio(items, at):
        found = "ratio"
    if found in ("until", "before", "after") and not _dated(items, at):
        found = ""  # `by 23 votes`, `after three days`: no limit of the number
    item = items[at]
    return Item(item.text, item.key, item.kind, item.capital, item.first, found)


def qualifies(items: list[Item], at: int) -> bool:
    """Whether the word at `at` qualifies the number after it by itself: `about 90`."""
    number = items[at + 1] if at + 1 < len(items) else None
    return bool(number and number.qualifier) and (items[at].text.casefold(),) in _QUALIFIER


MONTHS = frozenset(_list("january february march april may june july august september october november december"))


def _dated(items: list[Item], at: int) -> bool:
    """Whether the number at `at` is a year, a day of a month or a time of day."""
    beside = {item.text.casefold() for item in items[max(0, at - 1) : at + 2]}
    hour = [item.text.casefold() for item in items[at + 1 : at + 3]] == ["in", "the"] and {
        item.text.casefold() for item in items[at + 3 : at + 4]
    } <= {"morning", "afternoon", "evening"}
    year = bool(re.fullmatch(r"#[12]\d{3}", items[at].key))
    return year or hour or bool(beside & (MONTHS | {"am", "pm", "o'clock"}))


def _ratio(items: list[Item], at: int) -> bool:
    """Whether the number is one of `one in three`."""
    for low in (at, at - 2):
        if low >= 0 and low + 2 < len(items) and items[low + 1].text.casefold() == "in":
            numbers = items[low].kind == items[low + 2].kind == "number"
            return numbers and not re.fullmatch(r"#[12]\d{3}", items[low + 2].key)
    return False


def _ranged(items: list[Item], at: int) -> bool:
    """Whether the number is one end of `10 to 20`, `10-20`, `between 10 and 20` or `from 1983 until 2007`.

    A range goes up, in one unit: not `by 71 to 64` and `fell 9 percent to 58 million`.
    """

    def is_number(index: int) -> bool:
        return 0 <= index < len(items) and items[index].kind == "number"

    for middle, other in ((at + 1, at + 2), (at - 1, at - 2)):
        if is_number(other):
            word = items[middle].text.casefold()
            left = min(at, other)
            led = items[left - 1].text.casefold() if left else ""
            joined = {"between": {"and", "to", "-"}, "from": {"until", "till"}}.get(led, set())
            if word in joined:
                return True
            if word in {"to", "-"}:
                return _ascends(items[left].key, items[max(at, other)].key)
    return False


def _ascends(low: str, high: str) -> bool:
    one, other = (re.fullmatch(r"#(-?[\d.]+)(.*)", key) for key in (low, high))
    if not one or not other:
        return True
    return Decimal(one[1]) < Decimal(other[1]) and (one[2] != "%" or other[2] == "%")


_BEFORE_NUMBERS = frozenset(
    _list(
        "about around roughly approximately nearly almost some just only a an at least more less "
        "than over under another further up as much many"
    )
)


def changed(items: list[Item], at: int) -> str:
    """What the number at `at` is to a change: `to`, `from` or `by` it something rose or fell; empty where neither."""
    place = at - 1
    while place > 0 and items[place].text.casefold() in _BEFORE_NUMBERS:
        place -= 1
    if place < 0:
        return ""
    before = items[place]
    if before.text.casefold() in {"to", "from", "by"}:
        moves = any(_moves(item) for item in items[max(0, place - 10) : place])
        return before.text.casefold() if moves else ""
    of = before.text.casefold() == "of" and place > 0 and _moves(items[place - 1])
    return "by" if of or _moves(before) else ""


def _moves(item: Item) -> bool:
    return item.key in _CHANGES or item.text.casefold() == "down"


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
        "foot": "feet", "mouse": "mice", "tooth": "teeth", "wife": "wives", "life": "lives", "half": "halves",
        "arise": "arose arisen", "bend": "bent", "bite": "bit bitten", "blow": "blew blown", "deal": "dealt",
        "dig": "dug", "feed": "fed", "flee": "fled", "forbid": "forbade forbidden", "forget": "forgot forgotten",
        "forgive": "forgave forgiven", "freeze": "froze frozen", "hang": "hung", "hide": "hid hidden", "lay": "laid",
        "lend": "lent", "light": "lit", "overcome": "overcame", "overthrow": "overthrew overthrown",
        "ride": "rode ridden", "ring": "rang rung", "seek": "sought", "shake": "shook shaken", "shine": "shone",
        "show": "shown", "shrink": "shrank shrunk", "sink": "sank sunk", "sleep": "slept", "slide": "slid",
        "spring": "sprang sprung", "stick": "stuck", "strike": "struck stricken", "sweep": "swept",
        "swear": "swore sworn", "swing": "swung", "tear": "tore torn", "undergo": "underwent undergone",
        "undertake": "undertook undertaken", "wake": "woke woken", "weave": "wove woven",
        "withdraw": "withdrew withdrawn", "withstand": "withstood",
    }.items()
    for form in forms.split()
}  # fmt: skip


def key_of(word: str) -> str:
    """One key for the inflections of a word and its synonyms, others for what is derived from it (`executive`)."""
    key = own_key(word)
    return _shared_keys().get(key, key)


@cache
def _shared_keys() -> dict[str, str]:
    """Key to the key of the first of its synonyms; a form that two lines share stays with the first."""
    same: dict[str, str] = {}
    for first, *others in synonyms():
        shared = same.get(own_key(first), own_key(first))
        for word in others:
            same.setdefault(own_key(word), shared)
    return same


def synonyms() -> list[list[str]]:
    """The lines of `synonyms.txt`: words that mean the same, as far as a verifier may take them to."""
    text = resources.files("qa").joinpath("synonyms.txt").read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line]


def antonyms() -> list[tuple[str, str]]:
    """The pairs of opposites of `antonyms.txt`, each given once."""
    text = resources.files("qa").joinpath("antonyms.txt").read_text(encoding="utf-8")
    return [(one, other) for one, _, other in (pair.replace("_", " ").partition("/") for pair in text.split())]


_UNCHANGED = _list("shut cut put set hit let cost hurt spread read quit split burst cast bid beat fit rid shed")
_VERBS = _IRREGULAR.keys() | set(_IRREGULAR.values()) | set(_UNCHANGED)


def may_be_verb(item: Item) -> bool:
    """Whether a word's form allows a finite verb: an auxiliary, an irregular form, or -s, -ed; no tagger here."""
    text = item.text.casefold()
    modal = text in {"can", "could", "may", "might", "will", "would", "shall", "should", "must"}
    return item.kind == "word" and (modal or text in _VERBS or (not item.capital and text.endswith(("s", "ed"))))


@lru_cache(maxsize=8192)
def own_key(word: str) -> str:
    """One key for the inflections of a word alone."""
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


def keys_of(words: str) -> frozenset[str]:
    """The keys of a list of words."""
    return frozenset(key_of(word) for word in words.split())


_CHANGES = keys_of(
    "rise fall grow drop increase decrease climb decline cut raise reduce jump shrink slip sink soar plunge lower "
    "widen narrow expand shorten lengthen tumble surge rocket gain double triple treble quadruple halve"
)


# Words that carry grammar, not claims: a draft may add them. Everything else must be found somewhere.
FREE = keys_of(
    "a an the of in on at for with to as that which who whom whose what when where how why and be have do there"
)
ARTICLES = frozenset({"a", "an", "the"})
# Found in the question is not enough for these: they make a claim stronger or wider. By themselves, not by their keys:
# what lasts is not last.
EMPHATIC = frozenset(
    "all every each always ever only never first last final most least best worst largest biggest smallest highest "
    "lowest many several few both entire entirely whole completely mainly mostly usually often sole solely exactly "
    "also still already even more less very no not none nothing nobody neither nor without must certainly "
    "definitely any".split()
)


def collapse(text: str) -> str:
    """The text with each run of white space as one blank."""
    return " ".join(text.split())
