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
from itertools import pairwise

from qa.wording import ARTICLES, EMPHATIC, ENDS, FREE, PLAIN, Item, collapse, key_of, keys_of, read

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


def check_sentence(draft: str, *, question: str, evidence: str, short_answer: str) -> Verdict:
    """Whether `draft` says only what `evidence` says, and gives `short_answer`.

    `evidence` is the sentence that holds the answer. The question lends nothing but its form: what it takes for granted
    may be false, and whom a pronoun of the evidence stands for cannot be told from words.
    """
    said, source, asked = read(draft), read(evidence), read(question)
    answer = read(short_answer)
    verbatim = collapse(draft) == collapse(evidence)
    reasons = _not_a_sentence(draft, said, evidence) + _without_answer(said, answer, verbatim)
    if not reasons and verbatim:
        return Verdict(True, 1.0, ())
    if not reasons:
        reasons = [
            *_numbers(said, source, asked),
            *_names(said, source, asked),
            *_words(said, source, asked),
            *_hedges(said, source),
            *_frame(said, source),
            *_quotes(draft, source),
            *_structure(said, source, asked, answer),
            *_voice(said, source),
            *_responds(said, source, asked),
        ]
    if reasons:
        return Verdict(False, 0.0, tuple(dict.fromkeys(reasons)))
    content = [item.key for item in said if item.content]
    known = {item.key for item in source}
    return Verdict(True, sum(key in known for key in content) / len(content), ())


# --- the rules -------------------------------------------------------------------------------------------------------


def _not_a_sentence(draft: str, said: list[Item], evidence: str) -> list[str]:
    text = collapse(draft)
    words = sum(item.kind != "mark" for item in said)
    if not text or not any(item.content for item in said):
        return ["sentence: it is empty"]
    if text == collapse(evidence):
        return []
    if words < MIN_WORDS or words > MAX_WORDS:
        return [f"sentence: it has {words} words"]
    if "\n" in draft.strip():
        return ["sentence: it has more than one line"]
    if not re.search(r"[.!][\"'”’)]*$", text):
        return ["sentence: it does not end like a statement"]
    ends = [at for at, item in enumerate(said[:-1]) if item.text in ENDS and said[at + 1].first]
    inner = [at for at in ends if any(item.kind != "mark" for item in said[at + 1 :])]
    # An end that the evidence has inside its one sentence (an initial, an abbreviation) is none.
    if any(f"{said[at - 1].text}{said[at].text} {said[at + 1].text}" not in evidence for at in inner):
        return ["sentence: it is more than one"]
    return []


def _without_answer(said: list[Item], answer: list[Item], verbatim: bool) -> list[str]:
    wanted = _plain(answer)
    if not wanted:
        return ["answer: there is no short answer"]
    found = _plain(said)
    for start in range(len(found) - len(wanted) + 1):
        if all(_same(a, b) for a, b in zip(wanted, found[start:], strict=False)):
            rest = found[:start] + found[start + len(wanted) :]
            return [] if verbatim or any(key not in FREE for key in rest) else ["answer: it is only the short answer"]
    return ["answer: the short answer is not in it"]


def _plain(items: Iterable[Item]) -> list[str]:
    return [item.key for item in items if item.kind != "mark" and item.key not in ARTICLES]


def _same(wanted: str, found: str) -> bool:
    """A short answer may have been cut before its unit: `95` is answered by `95%`."""
    return wanted == found or (wanted.startswith("#") and found.startswith("#") and found.rstrip("$€£¥₩%") == wanted)


def _numbers(said: list[Item], source: list[Item], asked: list[Item]) -> list[str]:
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


def _next(items: Sequence[Item], at: int) -> str:
    """The key of the content word directly after `at`: what a number counts."""
    return items[at + 1].key if at + 1 < len(items) and items[at + 1].content else ""


def _counts(source: list[Item], at: int, counted: str, asked: list[Item]) -> bool:
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


def _names(said: list[Item], source: list[Item], asked: list[Item]) -> list[str]:
    in_source = {item.key for item in source if item.capital}
    lowered = {item.key for item in (*source, *asked) if item.kind == "word" and not item.capital}
    mid = {item.key for item in (*source, *asked) if item.capital and not item.first}
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
    keys = [item.key for item in source]
    for left, right in pairwise(named):
        if left and right and [left.key, right.key] not in ([*pair] for pair in pairwise(keys)):
            reasons.append(f"name: {left.text} {right.text} is not a name in the evidence")
    return reasons


# Words that say little by themselves. No other word of the question may stand in for one of the evidence: whoever asks
# "When did Huang meet Trump?" must not be told that he did because somebody met Trump.
_LIGHT = keys_of("hold stand mean refer happen occur take place locate")


def _words(said: list[Item], source: list[Item], asked: list[Item]) -> list[str]:
    in_source = {item.key for item in source}
    in_question = {item.key for item in asked}
    reasons = []
    for item in said:
        if item.kind != "word" or not item.content or item.key in in_source:
            continue
        if item.key in EMPHATIC:
            reasons.append(f"emphasis: {item.text} is not in the evidence")
        elif item.key not in in_question & _LIGHT:
            reasons.append(f"word: {item.text} is not in the evidence")
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
    for key in [key_of(word)]
}  # fmt: skip


_AUXILIARIES = keys_of("not will shall would may might could should can must")


def _governed(items: list[Item], at: int, reach: int) -> list[str]:
    """The next content words after a hedge, which is what it bears on."""
    found: list[str] = []
    for item in items[at + 1 : at + 10]:
        # An auxiliary bears on its verb across an aside (`may, in May, close`), an adjective does not leave its noun.
        if item.text in ";.()" or len(found) == reach or (item.text == "," and items[at].key not in _AUXILIARIES):
            break
        if item.content and item.key not in _HEDGES:
            found.append(item.key)
    return found


def _hedges(said: list[Item], source: list[Item]) -> list[str]:
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
        # A negation flips exactly what follows it; the others colour a whole phrase.
        reach = 1 if _HEDGES[hedge] == "negation" else 3
        if not any(hedge == other and set(words) <= set(bears_on[:reach]) for other, bears_on, _ in there):
            reasons.append(f"{_HEDGES[hedge]}: {hedge} is not in the evidence there")
    return reasons


_SPEECH = keys_of(
    "say tell claim believe think argue suggest allege according deny assert contend maintain insist estimate predict "
    "report opine hypothesize theorize speculate doubt warn feel view consider"
)
_CONDITIONS = keys_of("if unless whether provided assuming otherwise")


def _frame(said: list[Item], source: list[Item]) -> list[str]:
    """What frames a whole sentence must stay: who says so, and on what condition."""
    here, there = {item.key for item in said}, {item.key for item in source}
    reasons = []
    if there & _SPEECH and not there & _SPEECH & here:
        reasons.append("attribution: it leaves out who says so")
    if there & _CONDITIONS and not there & _CONDITIONS & here:
        reasons.append("condition: it leaves out a condition")
    return reasons


def _quotes(draft: str, source: list[Item]) -> list[str]:
    """What stands between quotation marks must be the evidence's words in a row."""
    keys = [item.key for item in source if item.kind != "mark"]
    for quoted in re.findall(r'"([^"]+)"', unicodedata.normalize("NFKC", draft).translate(PLAIN)):
        words = [item.key for item in read(quoted) if item.kind != "mark"]
        if not any(keys[i : i + len(words)] == words for i in range(len(keys))):
            return ["quote: the evidence does not have these words in a row"]
    return []


# Where one content word follows another, these say how they belong together. Articles and auxiliaries do not count.
_GLUE = keys_of("of in on at for with to as that which who whom whose what when where how why and by from or than not")


def _joins(items: list[Item]) -> list[tuple[str, str, tuple[str, ...], int]]:
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
        elif item.key == "be" and at + 1 < len(items) and items[at + 1].key in ARTICLES:
            glue.append("be a")  # `unrest in Egypt, a war in Algeria` does not say that the unrest was a war
    return joins


def _without_asides(items: list[Item]) -> list[Item]:
    """The items without what stands between brackets or between two commas."""
    kept: list[Item] = []
    depth = 0
    for item in items:
        depth += item.text in "(["
        if not depth:
            kept.append(item)
        depth -= item.text in ")]" and depth > 0
    commas = [at for at, item in enumerate(kept) if item.text == ","]
    return kept[: commas[0]] + kept[commas[1] + 1 :] if len(commas) == 2 else kept


def _without_adverbs(items: list[Item]) -> list[Item]:
    """`was finally opened` may become `was opened`; an adverb that weakens a claim is a hedge and must stay."""
    return [item for item in items if not item.text.endswith("ly") or item.key in _HEDGES]


def _structure(said: list[Item], source: list[Item], asked: list[Item], answer: list[Item]) -> list[str]:
    """Neighbours must be neighbours in the evidence too, except around the short answer.

    Words that are all there can still be put together into something else ("B bought A", or a place that belongs to
    another event). The one thing a phrased answer has to join anew is the short answer, in the place of `who`.
    """
    plainer = _without_asides(source)
    attested = {join[:3] for items in (source, plainer, _without_adverbs(plainer)) for join in _joins(items)}
    answered = {item.key for item in answer if item.content}
    attested |= {join[:3] for join in _joins(asked) if _LIGHT & {*join[:2]}}
    new = [join for join in _joins(said) if join[:3] not in attested]
    # `It works, Olsen said` may become `Olsen said it works` where nobody else speaks.
    lone_speaker = sum(item.key in _SPEECH for item in source) == 1
    reasons = []
    for left, right, _, _ in new:
        if (left in answered) == (right in answered) and not (lone_speaker and left in _SPEECH):
            reasons.append(f"structure: {left} and {right} do not belong together in the evidence")
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


def _voice(said: list[Item], source: list[Item]) -> list[str]:
    """`The journal published a paper` must not become `the journal was published`."""
    reasons = []
    for form, verb in pairwise(said):
        if form.key != "be" or not verb.content:
            continue
        places = [at for at, item in enumerate(source) if item.key == verb.key]
        passive = (
            any(item.key == "be" for item in source[max(0, at - 3) : at])  # an adverb may stand between
            or at + 1 == len(source)
            or not (source[at + 1].content or source[at + 1].key in ARTICLES)
            for at in places
        )
        if places and not any(passive):
            reasons.append(f"structure: {verb.text} is done by somebody in the evidence, not to somebody")
    return reasons


def _turned(said: list[Item], source: list[Item], answer: list[Item]) -> bool:
    """Whether a word directly after the short answer in the evidence is directly before it in the draft, or vice versa.

    `A bought B` must not become `B bought A`. With a form of `be` between them (`the winner is A`) it says the same.
    """
    before, after = _beside(said, answer)
    was_before, was_after = _beside(source, answer)
    return bool((before & was_after) - was_before or (after & was_before) - was_after)


def _beside(items: list[Item], answer: list[Item]) -> tuple[set[str], set[str]]:
    """The content words directly before and directly after the short answer, without a form of `be` between."""
    wanted = [item.key for item in answer if item.kind != "mark" and item.key not in ARTICLES]
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


def _responds(said: list[Item], source: list[Item], asked: list[Item]) -> list[str]:
    """It must be about what the question is about, as far as the evidence is."""
    wanted = {item.key for item in asked if item.content}
    wanted = wanted & {item.key for item in source} or wanted
    if len(wanted & {item.key for item in said}) * 2 < len(wanted):
        return ["question: it leaves out most of what is asked"]
    return []
