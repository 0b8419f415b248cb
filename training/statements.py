"""A question and its answer as one statement: "When was it built?" and "1871" say "It was built in 1871".

By rules, with inflections from LemmInflect (Demszky, Guu and Liang 2018, arXiv 1809.02922, learn the same step). About
two thirds of SQuAD's questions fit one; the others are left out.
"""

from __future__ import annotations

import re

from lemminflect import getAllLemmas, getInflection

LONGEST_ANSWER = 14
"""Words of an answer that a claim is made of."""

_AUX = r"(?P<aux>was|were|is|are|has|have|had|can|could|will|would|should|must|may|might)"
_DO = r"(?P<do>did|does|do)"
_PREPOSITION = r"(?:in|on|at|by|to|from|for|with|of|under|during|about|into|through|after|before|over|between|among)"
_BEFORE_NOUN = frozenset(
    "a an the this that these those his her its their our my your no some any each every another of in on at by to for "
    "from with and or first second last new old many much more most".split()
)
_DATED = re.compile(r"(?:the )?(?:\d{4}s?\b|\d{1,2}(?:th|st|nd|rd) century|(?:early|late|mid)\b|[A-Z][a-z]+ \d{4})")
_DAY = re.compile(r"(?:[A-Z][a-z]+day\b|[A-Z][a-z]+ \d{1,2}\b|\d{1,2} [A-Z][a-z]+|the \d)")
_OPENS = re.compile(rf"{_PREPOSITION}\b|because\b|due\b|since\b|as\b|so\b|when\b|while\b|until\b", re.IGNORECASE)


def statement(question: str, answer: str) -> str | None:
    """The statement that the answer makes of the question, with a capital and a full stop; None where no rule fits."""
    question = " ".join(question.split()).rstrip("? ").strip()
    answer = " ".join(answer.split()).strip(" .,;:")
    if not question or not answer or len(answer.split()) > LONGEST_ANSWER:
        return None
    found = next((text for rule in _RULES if (text := rule(question, answer))), None)
    if not found or len(found.split()) < 4 or "?" in found:
        return None
    return found[0].upper() + found[1:] + "."


def _who(question: str, answer: str) -> str | None:
    """The question word is the subject: "Who built it", "Which bridge is larger", "How many people live there"."""
    match = re.match(
        r"(?:who|(?:what|which)(?: (?P<noun>[\w'’-]+(?: [\w'’-]+){0,3}?))?) (?P<rest>[a-z]+ .+)", question, re.I
    )
    if match is None:
        return _how_many_subject(question, answer)
    rest = match["rest"]
    first = rest.split(" ", 1)[0]
    if re.match(rf"{_DO}\b(?! not\b)", rest, re.I):
        return None
    if match["noun"] is None and re.fullmatch(r"was|were|is|are", first, re.I):
        tail = rest.split(" ", 1)[1] if " " in rest else ""
        if _participle(tail.split(" ", 1)[0]) or re.match(rf"{_PREPOSITION} |the [a-z]+est |not |[a-z]+er than ", tail):
            return f"{answer} {rest}"
        return f"{tail} {first} {answer}" if tail else None
    if not (_finite(first) or re.fullmatch(_AUX, first, re.I)):
        return None
    if match["noun"] and re.match(rf"{_AUX} (?:the|a|an|[A-Z]|he|she|it|they)\b", rest):
        return None  # "which king was the city named after": not the subject
    return f"{answer} {rest}"


def _how_many_subject(question: str, answer: str) -> str | None:
    match = re.match(r"how (?:many|much) (?P<noun>[\w'’ -]{2,30}?) (?P<rest>(?P<verb>\w+)\b.*)", question, re.I)
    if not match or re.fullmatch(rf"{_DO}", match["verb"], re.I) or not _finite(match["verb"]):
        return None
    if re.match(rf"{_AUX} (?!there\b|in\b|on\b|at\b)(?:the|a|an|[A-Z]|he|she|it|they)", match["rest"]):
        return None
    noun = "" if match["noun"].split()[-1].casefold() in answer.casefold() else f" {match['noun']}"
    if match["rest"].endswith(" there"):
        return f"there {match['rest'].removesuffix(' there')} {answer}{noun}"
    return f"{answer}{noun} {match['rest']}"


def _asked(question: str) -> tuple[str, str] | None:
    """What is asked for, in front of the auxiliary, and the rest: ("In what year", "did the war begin")."""
    match = re.match(
        rf"(?P<what>(?:{_PREPOSITION} )?"
        r"(?:when|where|why|whom?|how(?: (?:many|much|long|old|far|often|tall|large|big|high))?"
        rf"|what|which)(?: [\w'’-]+){{0,4}}?) (?P<rest>(?:{_DO}|{_AUX}) .+)",
        question,
        re.IGNORECASE,
    )
    return (match["what"], match["rest"]) if match else None


def _object(question: str, answer: str) -> str | None:
    """The question word is not the subject: the words are put in order, and the answer where it belongs."""
    asked = _asked(question)
    if not asked:
        return None
    what, rest = asked
    words = rest.split()
    helper, words = words[0], words[1:]
    cut = _verb_at(words, helper.casefold())
    if cut is None:
        return None
    subject, verb, after = words[:cut], words[cut], words[cut + 1 :]
    if not subject or subject[0] in ("not", "never", "been", "being", "also"):
        return None  # nothing stands between the two: what is asked for is the subject
    if re.fullmatch(_DO, helper, re.I):
        tag = {"did": "VBD", "does": "VBZ", "do": "VBP"}[helper.casefold()]
        inflected = getInflection(verb, tag=tag)
        if not inflected:
            return None
        predicate = [inflected[0]]
    else:
        predicate = [helper, verb]
    start = [*subject, *predicate]
    kind = what.casefold()
    if re.match(rf"{_PREPOSITION} ", kind):
        place = what.split(" ", 1)[0].casefold()
        placed = answer if _OPENS.match(answer) else f"{place} {answer}"
    elif kind.startswith("when") or kind.endswith((" year", " century", " decade")):
        placed = dated(answer)
    elif kind.startswith("where"):
        placed = answer if _OPENS.match(answer) else f"in {answer}"
    elif kind.startswith("why"):
        placed = answer if re.match(r"(?:because|due|to|since|as|for|so)\b", answer, re.I) else f"because of {answer}"
    elif kind == "how":
        placed = answer if _OPENS.match(answer) else f"by {answer}"
    elif re.fullmatch(r"how (?:many|much) .+", kind):
        noun = what.split(" ", 2)[2]
        placed = answer if noun.split()[-1].casefold() in answer.casefold() else f"{answer} {noun}"
        return " ".join([*start, placed, *after])
    elif kind.startswith("how "):
        placed = answer
    else:  # what, whom, which: its object, behind a preposition left over, else right behind the verb
        if after and re.fullmatch(_PREPOSITION, after[-1]):
            return " ".join([*start, *after, answer])
        return " ".join([*start, answer, *after])
    return " ".join([*start, *after, placed])


def _be(question: str, answer: str) -> str | None:
    """ "Where is Paris", "How tall is the tower", "What was the name of the ship": nothing but a subject."""
    match = re.match(
        r"(?P<what>who|what|where|when|how (?:old|long|tall|far|large|big|high|much|many)"
        r"|(?:what|which) [\w'’ -]{2,24}?)"
        r" (?P<be>is|are|was|were) (?P<subject>(?:the|a|an|his|her|its|their|[A-Z]).+)",
        question,
        re.IGNORECASE,
    )
    if not match or _verb_at(match["subject"].split(), "was") is not None:
        return None
    kind = match["what"].casefold()
    placed = answer
    if kind == "where" and not _OPENS.match(answer):
        placed = f"in {answer}"
    elif kind == "when":
        placed = dated(answer)
    return f"{match['subject']} {match['be']} {placed}"


def _at_end(question: str, answer: str) -> str | None:
    """ "The capital is called what", "The city was founded in what year"."""
    match = re.search(r" (?:what|which|whom?|how many|where|when)(?: \w+){0,2}$", question)
    if not match or re.match(rf"(?:who|what|which|when|where|why|how|{_PREPOSITION})\b", question, re.I):
        return None
    return f"{question[: match.start()]} {answer}"


_RULES = (_object, _who, _be, _at_end)


def dated(answer: str) -> str:
    """A time with the preposition that it needs."""
    if _OPENS.match(answer):
        return answer
    if _DAY.match(answer):
        return f"on {answer}"
    return f"in {answer}" if _DATED.match(answer) or re.match(r"[A-Z][a-z]+$", answer) else answer


def _verb_at(words: list[str], helper: str) -> int | None:
    """Where, behind the subject, the verb stands that goes with the auxiliary."""
    wants = {
        "did": _base, "does": _base, "do": _base, "was": _participle, "were": _participle, "is": _participle,
        "are": _participle, "has": _past_participle, "have": _past_participle, "had": _past_participle,
    }.get(helper, _base)  # fmt: skip
    for at, word in enumerate(words):
        if at and words[at - 1].casefold() not in _BEFORE_NOUN and word.islower() and wants(word):
            return at
        short = at == 0 and word.casefold() in ("he", "she", "it", "they", "we", "people", "there")
        if short and len(words) > 1 and wants(words[1]):
            return 1
    return None


def _base(word: str) -> bool:
    return word in getAllLemmas(word, upos="VERB").get("VERB", ()) and word not in _BEFORE_NOUN


def _past_participle(word: str) -> bool:
    if word in ("been", "had", "done", "become"):
        return True
    return any(word in getInflection(lemma, tag="VBN") for lemma in getAllLemmas(word, upos="VERB").get("VERB", ()))


def _participle(word: str) -> bool:
    return _past_participle(word) or (word.endswith("ing") and bool(getAllLemmas(word, upos="VERB").get("VERB")))


def _finite(word: str) -> bool:
    """Whether a word may be a verb in the past or the present."""
    if re.fullmatch(_AUX, word, re.I):
        return True
    lemmas = getAllLemmas(word, upos="VERB").get("VERB", ()) if word.islower() else ()
    return any(word in getInflection(lemma, tag=tag) for lemma in lemmas for tag in ("VBD", "VBZ", "VBP"))
