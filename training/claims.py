"""Pairs of evidence and claim for the support model, made from SQuAD: true ones, and corruptions of true ones.

Claims are statements made of a question and its answer (a person's paraphrase of the passage), the two one after the
other, or sentences of the passage, shortened or reworded. For every kind of corruption there is a twin that looks alike
and is supported, so that no surface gives the label away: a claim with "may" is true where the evidence has it, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from random import Random

from lemminflect import getAllLemmas, getInflection

from index.types import Span
from qa.extract import UNRESOLVED
from qa.read import Reader
from qa.support import answer_claim
from qa.wording import synonyms
from training.corpus import NAME, Paragraph, Question, normal
from training.examples import Maker, restyled, view, withheld
from training.statements import LONGEST_ANSWER, statement
from training.words import (
    AGAINST,
    ANTONYMS,
    CONDITIONS,
    FALSE_REPORTS,
    FUNCTION_WORDS,
    HEDGES,
    LIMITS,
    QUANTITIES,
    REPORTS,
    SERIES,
    SYNONYMS,
)

_NUMBER = re.compile(r"(?<![\w.,-])\d[\d,.]*\d(?![\w-])|(?<![\w.,-])\d(?![\w.,-])")
_WORD = re.compile(r"[^\W\d_]+")
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|will|would|should|must|has|have|had)\b(?! not\b| never\b| no\b)")
_NEGATION = re.compile(r"\b(?:(?:did|does|do) not|not|never|cannot)\b ?")
_LEADING = re.compile(r"(?:In|On|At|During|By|After|Since|Before|Around|From|As of) [^,.;]{2,40}, (?=[A-Zt])")
_TRAILING = re.compile(
    r", (?:which|who|where|whose|including|such as|as well as|while|making|leading|with) [^,;]+(?=\.$)"
)
_ASIDE = re.compile(r" ?\([^()]*\)|,? (?:which|who) [^,;.]{4,80},")
_JOINED = re.compile(r"^(?:,|and|or|of|in|with|to|between|from|&|the|,? and|’s|'s|-|–|\s)*$")
_PLAIN_PAST = re.compile(
    rf"(?P<one>(?:The )?{NAME.pattern}) (?P<verb>[a-z]+) (?P<other>(?:the |an? )?(?:{NAME.pattern}|[a-z]+(?: [a-z]+)?))"
    r"(?=[,.;]| (?:in|at|on|for|from|with|to|during|after|before)\b)"
)
_CLAUSE = re.compile(
    rf"(?:^|(?<=, )|(?<=and ))"
    rf"(?P<subject>(?:The |the )?{NAME.pattern}|(?:The|the|A|a|Its|His|Their|its|his) [a-z]+(?: [a-z]+)?)"
    r" (?P<verb>[a-z]+) (?!by\b)"
)

_PHRASE = re.compile(
    r" (?:in|at|by|for|with|because of|after|before|during|on|from|under|near|to|without|against)"
    r" [^,.;:()]{4,40}(?=[,.;])"
)
USUAL = 600
"""Characters of evidence that are more only where three draws give more."""


class Label(IntEnum):
    """What the evidence says of a claim. `UNSUPPORTED` is a false claim of which it is not known in which way."""

    SUPPORTED = 0
    NOT_SUPPORTED = 1
    CONTRADICTED = 2
    UNSUPPORTED = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """Evidence, a claim, and what the one says of the other."""

    kind: str
    evidence: str
    claim: str
    label: Label


Made = tuple[str, str, Label] | None


class ClaimMaker:
    """Makes pairs from answerable questions. Everything random comes from the generator that is handed in."""

    def __init__(self, maker: Maker, reader: Reader) -> None:
        """`reader` gives the answers of kind `misread`: the wrong ones that it takes for right."""
        self._maker = maker
        self._reader = reader
        self._makers: dict[str, Callable[[Random, Question], Made]] = {
            "said": self._said,
            "told": self._told,
            "consistent": self._consistent,
            "elsewhere": self._near_miss("neighbour", Label.NOT_SUPPORTED),
            "cut": self._near_miss("cut", Label.NOT_SUPPORTED),
            "swapped": self._near_miss("swapped_question", Label.UNSUPPORTED),
            "other_passage": self._near_miss("swapped_passage", Label.UNSUPPORTED),
            "related": self._near_miss("related", Label.NOT_SUPPORTED),
            "asked_roles": self._near_miss("roles", Label.CONTRADICTED),
            "asked_opposite": self._near_miss("antonym", Label.CONTRADICTED),
            "other_answer": self._other_answer,
            "misread": self._misread,
            "number": self._number,
            "name": self._name,
            "opposite": self._opposite,
            "negated": self._negated,
            "exchanged": self._exchanged,
            "passive": self._passive,
            "hedged": self._hedged,
            "limited": self._limited,
            "reported": self._reported,
            "conditional": self._conditional,
            "merged": self._merged,
            "added": self._added,
            "quantified": self._quantified,
            "undisclosed": self._undisclosed,
        }

    @property
    def kinds(self) -> list[str]:
        """All kinds of pairs."""
        return list(self._makers)

    def make(self, rng: Random, question: Question, kind: str) -> Pair | None:
        """A pair of this kind; None where the kind does not apply to the question's paragraph."""
        for _ in range(3):  # what is shown beside a claim is mostly short
            made = self._makers[kind](rng, question)
            if made is None:
                return None
            if len(made[0]) <= USUAL:
                break
        evidence, claim, label = made
        if rng.random() < 0.25:
            claim = reworded(rng, claim)
        if len(claim.split()) < 4 or (label != Label.SUPPORTED and normal(claim) == normal(evidence)):
            return None
        return Pair(kind, evidence, claim, label)

    def stream(self, rng: Random, questions: Sequence[Question], mix: dict[str, float]) -> Iterator[Pair]:
        """A pair a question, of a kind drawn with the weights of `mix`; none where five draws do not fit."""
        for question in questions:
            for kind in rng.choices(list(mix), list(mix.values()), k=5):
                pair = self.make(rng, question, kind)
                if pair:
                    yield pair
                    break

    # Statements of a question and its answer

    def _said(self, rng: Random, question: Question) -> Made:
        claim = stated(rng, question.text, question.answer.of(question.paragraph.text))
        return (view(rng, question)[0], claim, Label.SUPPORTED) if claim else None

    def _consistent(self, rng: Random, question: Question) -> Made:
        """The same name or number exchanged in both: nothing is known of it but what the passage says."""
        example = self._maker.make(rng, question, "consistent", styled=False)
        if example is None or example.answer is None:
            return None
        claim = stated(rng, example.question, example.answer.of(example.passage))
        return (example.passage, claim, Label.SUPPORTED) if claim else None

    def _near_miss(self, kind: str, label: Label) -> Callable[[Random, Question], Made]:
        """What a near miss of the reader's asks, stated with the true answer."""

        def make(rng: Random, question: Question) -> Made:
            example = self._maker.make(rng, question, kind, styled=False)
            if example is None:
                return None
            claim = stated(rng, example.question, question.answer.of(question.paragraph.text))
            return (example.passage, claim, label) if claim else None

        return make

    def _other_answer(self, rng: Random, question: Question) -> Made:
        """The answer to another question on the paragraph, of the same shape."""
        text, answer = question.paragraph.text, question.answer.of(question.paragraph.text)
        others = {
            other.answer.of(text)
            for other in question.article.questions
            if other.paragraph is question.paragraph and not other.answer.overlaps(question.answer)
        }
        fits = sorted(o for o in others if _shape(o) == _shape(answer) and normal(o).strip() not in normal(answer))
        if not fits:
            return None
        claim = stated(rng, question.text, rng.choice(fits))
        return (view(rng, question)[0], claim, Label.CONTRADICTED) if claim else None

    def _misread(self, rng: Random, question: Question) -> Made:
        """What the reader finds where the answer is not: elsewhere in the passage, or in one that is like it."""
        others = question.article.neighbours(question, 3)
        paragraph = question.paragraph if rng.random() < 0.4 or not others else rng.choice(others)
        answer = question.answer.of(question.paragraph.text)
        for candidate in self._reader.read(question.text, [paragraph.text], 5)[0]:
            found = candidate.span.of(paragraph.text)
            holding = paragraph.holding(candidate.span)
            told = paragraph.text[paragraph.sentences[holding[0]].start : paragraph.sentences[holding[-1]].end]
            if normal(answer).strip() in normal(told) or len(found.split()) > LONGEST_ANSWER:
                continue
            evidence, _ = view(rng, Question(question.text, paragraph, candidate.span, question.article))
            kept = evidence if normal(answer).strip() not in normal(evidence) else told
            return kept, answer_claim(restyled(rng, question.text), found), Label.NOT_SUPPORTED
        return None

    def _undisclosed(self, rng: Random, question: Question) -> Made:
        """What the answer's sentence told is not told: either that is what is claimed, or the answer."""
        paragraph, holding = question.paragraph, question.paragraph.holding(question.answer)
        told = withheld(rng, question.text)
        claim = statement(question.text, question.answer.of(paragraph.text))
        if told is None or len(holding) != 1 or claim is None:
            return None
        place = paragraph.sentences[holding[0]]
        evidence = around(rng, paragraph, place, told[0])
        return (evidence, told[0], Label.SUPPORTED) if rng.random() < 0.5 else (evidence, claim, Label.NOT_SUPPORTED)

    # Sentences of the passage

    def _told(self, rng: Random, question: Question) -> Made:
        sentence, text = next(_standing(rng, question.paragraph), (None, ""))
        if sentence is None:
            return None
        claim = reworded(rng, shortened(rng, text))
        return (around(rng, question.paragraph, sentence, text), claim, Label.SUPPORTED) if claim != text else None

    def _number(self, rng: Random, question: Question) -> Made:
        return self._replaced(rng, question, _NUMBER, self._another_number)

    def _name(self, rng: Random, question: Question) -> Made:
        def another(name: str, paragraph: Paragraph, told: str) -> str | None:
            names = [*NAME.findall(paragraph.text), *question.article.names[:40]]
            fits = [n for n in names if len(n.split()) == len(name.split()) and _names(n)]
            fits = [n for n in fits if normal(n).strip() not in normal(told)]
            return rng.choice(fits) if fits else None

        return self._replaced(rng, question, NAME, lambda r, n, p, t: another(n, p, t))

    def _another_number(self, rng: Random, number: str, paragraph: Paragraph, told: str) -> str | None:
        near = [n for n in _NUMBER.findall(paragraph.text) if n not in told and abs(len(n) - len(number)) < 2]
        if near and rng.random() < 0.5:
            return rng.choice(near)
        digits = [i for i, c in enumerate(number) if c.isdigit()]
        at = rng.choice(digits)
        new = number[:at] + str(rng.choice([d for d in range(1, 10) if str(d) != number[at]])) + number[at + 1 :]
        return None if new in told else new

    def _replaced(
        self,
        rng: Random,
        question: Question,
        pattern: re.Pattern[str],
        another: Callable[[Random, str, Paragraph, str], str | None],
    ) -> Made:
        sentence, text = next(_standing(rng, question.paragraph), (None, ""))
        if sentence is None:
            return None
        claim = shortened(rng, text)
        found = [m for m in pattern.finditer(claim) if pattern is _NUMBER or (m.start() and _names(m.group()))]
        if not found:
            return None
        match = rng.choice(found)
        new = another(rng, match.group(), question.paragraph, text)
        if new is None:
            return None
        changed = claim[: match.start()] + new + claim[match.end() :]
        return around(rng, question.paragraph, sentence, text), changed, Label.CONTRADICTED

    def _opposite(self, rng: Random, question: Question) -> Made:
        def change(text: str) -> str | None:
            words = [w for w in _WORD.findall(text) if w in ANTONYMS]
            if not words:
                return None
            word = rng.choice(words)
            return re.sub(rf"\b{word}\b", rng.choice(ANTONYMS[word]), text, count=1)

        return self._turned(rng, question, change, Label.CONTRADICTED)

    def _negated(self, rng: Random, question: Question) -> Made:
        """Denied where it is asserted, asserted where it is denied: in the claim, in the evidence, or in both."""
        sentence, text = next(_standing(rng, question.paragraph), (None, ""))
        if sentence is None:
            return None
        short = shortened(rng, text)
        other = denied(rng, short)
        if other is None:
            return None
        if short == text or rng.random() < 0.35:  # the evidence is turned, and half of these claims agree with it
            evidence = around(rng, question.paragraph, sentence, other)
            if rng.random() < 0.5:
                return evidence, reworded(rng, other), Label.SUPPORTED
            return evidence, short, Label.CONTRADICTED
        return around(rng, question.paragraph, sentence, text), other, Label.CONTRADICTED

    def _exchanged(self, rng: Random, question: Question) -> Made:
        """Two names or two numbers of a sentence have changed places."""

        def change(text: str) -> str | None:
            for pattern in rng.sample([NAME, _NUMBER], 2):
                found = [m for m in pattern.finditer(text) if pattern is _NUMBER or _names(m.group())]
                pairs = [
                    (a, b)
                    for i, a in enumerate(found)
                    for b in found[i + 1 :]
                    if a.group() != b.group() and not _JOINED.match(text[a.end() : b.start()])
                ]
                if pattern is NAME:
                    pairs = [(a, b) for a, b in pairs if re.search(r" [a-z]{4,} ", text[a.end() : b.start()])]
                if pairs:
                    a, b = rng.choice(pairs)
                    return f"{text[: a.start()]}{b.group()}{text[a.end() : b.start()]}{a.group()}{text[b.end() :]}"
            return None

        return self._turned(rng, question, change, Label.CONTRADICTED)

    def _passive(self, rng: Random, question: Question) -> Made:
        """ "A beat B": that B was beaten by A is so; that B beat A, or A was beaten by B, is not."""
        paragraphs = question.article.paragraphs
        for paragraph in rng.sample(paragraphs, min(8, len(paragraphs))):
            found = [(s, m) for s, text in _standing(rng, paragraph) if (m := _PLAIN_PAST.match(text))]
            found = [(s, m) for s, m in found if _past(m["verb"]) and _names(m["one"]) and _names(m["other"])]
            if not found:
                continue
            sentence, match = rng.choice(found)
            participle = getInflection(_past(match["verb"]), tag="VBN")[0]
            one, other = match["one"], match["other"]
            one = one[0].lower() + one[1:] if one.startswith("The ") else one
            evidence = around(rng, paragraph, sentence, match.string)
            passive = f"{other} was {participle} by {one}."
            draw = rng.random()
            if draw < 0.5:
                return evidence, passive[0].upper() + passive[1:], Label.SUPPORTED
            claim = f"{other} {match['verb']} {one}." if draw < 0.75 else f"{one} was {participle} by {other}."
            return evidence, claim[0].upper() + claim[1:], Label.CONTRADICTED
        return None

    def _hedged(self, rng: Random, question: Question) -> Made:
        """The evidence only says that somebody may, plans to, tried to, refused to; so does the claim, or not."""
        for sentence, text in _standing(rng, question.paragraph):
            match = next((m for m in _CLAUSE.finditer(text) if _past(m["verb"]) and m.start() < 60), None)
            if not match:
                continue
            forms = _forms(_past(match["verb"]))
            if forms is None:
                continue
            hedge, same = rng.choice(HEDGES)
            hedge, same = (hedge, same) if rng.random() < 0.5 else (same, hedge)
            before, after = text[: match.start("verb")], text[match.end("verb") :]
            evidence = around(rng, question.paragraph, sentence, f"{before}{hedge.format(**forms)}{after}")
            cut = _TRAILING.sub("", after) if rng.random() < 0.5 else after
            if rng.random() < 0.5:
                kept = rng.choice([hedge, same]).format(**forms)
                return evidence, f"{before}{kept}{cut}", Label.SUPPORTED
            if rng.random() < 0.3:
                other = rng.choice([h for pair in HEDGES for h in pair if h not in (hedge, same)])
                return evidence, f"{before}{other.format(**forms)}{cut}", Label.NOT_SUPPORTED
            label = Label.CONTRADICTED if hedge.startswith(AGAINST) else Label.NOT_SUPPORTED
            return evidence, f"{before}{match['verb']}{cut}", label
        return None

    def _limited(self, rng: Random, question: Question) -> Made:
        """The evidence limits a number; the claim does so too, or in another way, or not at all."""
        for sentence, text in _standing(rng, question.paragraph):
            found = [m for m in _NUMBER.finditer(text) if _unlimited(text, m)]
            if not found:
                continue
            match = rng.choice(found)
            limit, same = rng.choice(LIMITS)
            limit, same = (limit, same) if rng.random() < 0.5 else (same, limit)
            before, after = text[: match.start()], text[match.start() :]
            evidence = around(rng, question.paragraph, sentence, f"{before}{limit} {after}")
            if rng.random() < 0.5:
                return evidence, shortened(rng, f"{before}{rng.choice([limit, same])} {after}"), Label.SUPPORTED
            if rng.random() < 0.4:
                other = rng.choice([words for pair in LIMITS for words in pair if words not in (limit, same)])
                return evidence, shortened(rng, f"{before}{other} {after}"), Label.NOT_SUPPORTED
            return evidence, shortened(rng, text), Label.NOT_SUPPORTED
        return None

    def _reported(self, rng: Random, question: Question) -> Made:
        """The evidence does not say it of its own; the claim reports the same, or asserts it."""
        sentence, text = next(_standing(rng, question.paragraph), (None, ""))
        if sentence is None:
            return None
        short = shortened(rng, text).rstrip(".")
        inner = (
            short if NAME.match(short) and not short.startswith(("The ", "A ", "In ")) else short[0].lower() + short[1:]
        )
        report, same = rng.choice(REPORTS)
        report, same = (report, same) if rng.random() < 0.5 else (same, report)

        def put(form: str) -> str:
            told = form.format(inner)
            return told[0].upper() + told[1:] + "."

        evidence = around(rng, question.paragraph, sentence, put(report))
        if rng.random() < 0.5:
            return evidence, put(rng.choice([report, same])), Label.SUPPORTED
        label = Label.CONTRADICTED if any(word in report for word in FALSE_REPORTS) else Label.NOT_SUPPORTED
        return evidence, f"{short}.", label

    def _conditional(self, rng: Random, question: Question) -> Made:
        """The evidence makes it hang on something."""
        sentence, text = next(_standing(rng, question.paragraph), (None, ""))
        if sentence is None:
            return None
        short = shortened(rng, text).rstrip(".")
        condition, same = rng.choice(CONDITIONS)
        condition, same = (condition, same) if rng.random() < 0.5 else (same, condition)
        evidence = around(rng, question.paragraph, sentence, f"{short}, {condition}.")
        if rng.random() < 0.5:
            return evidence, f"{short} {rng.choice([condition, same])}.", Label.SUPPORTED
        return evidence, f"{short}.", Label.NOT_SUPPORTED

    def _merged(self, rng: Random, question: Question) -> Made:
        """What one sentence says of its subject, said of the subject of another."""
        paragraph = question.paragraph
        clauses = []
        for sentence in paragraph.sentences:
            text = sentence.of(paragraph.text)
            match = re.match(rf"(?P<subject>(?:The )?{NAME.pattern})(?= (?:was|is|were|are|had|has|[a-z]+ed)\b)", text)
            if match and _names(match["subject"]) and not UNRESOLVED.match(text):
                clauses.append((match["subject"], text[match.end() :]))
        subjects = {subject for subject, _ in clauses}
        if len(subjects) < 2:
            return None
        (one, _), (other, said) = rng.sample(clauses, 2)
        if normal(one).strip() in normal(other) or normal(other).strip() in normal(one) or normal(one) in normal(said):
            return None
        return paragraph.text, shortened(rng, one + said), Label.NOT_SUPPORTED

    def _added(self, rng: Random, question: Question) -> Made:
        """A detail that the evidence does not tell, from another sentence of the article."""
        sentence, text = next(_standing(rng, question.paragraph), (None, ""))
        other = rng.choice(question.article.paragraphs)
        phrases = [
            m.group() for m in _PHRASE.finditer(other.text) if normal(m.group()) not in question.paragraph.normal
        ]
        if sentence is None or not phrases:
            return None
        claim = shortened(rng, text).rstrip(".")
        detail = rng.choice(phrases)
        cut = [m.end() for m in re.finditer(r"[a-z](?=, )", claim)] if rng.random() < 0.3 else []
        at = rng.choice(cut) if cut else len(claim)
        return (
            around(rng, question.paragraph, sentence, text),
            claim[:at] + detail + claim[at:] + ".",
            Label.NOT_SUPPORTED,
        )

    def _quantified(self, rng: Random, question: Question) -> Made:
        for sentence, text in _standing(rng, question.paragraph):
            found = [entry for entry in QUANTITIES if re.search(rf"\b{entry[0]}\b", text)]
            if not found:
                continue
            word, same, others = rng.choice(found)
            evidence = around(rng, question.paragraph, sentence, text)
            kept = rng.random() < 0.5
            new = rng.choice(same if kept else others)
            claim = shortened(rng, re.sub(rf"\b{word}\b", new, text, count=1))
            if word not in text or (not kept and new not in claim):
                continue
            return evidence, claim, Label.SUPPORTED if kept else Label.UNSUPPORTED
        return None

    def _turned(self, rng: Random, question: Question, change: Callable[[str], str | None], label: Label) -> Made:
        """A sentence and its change: mostly the claim is the changed one, else the evidence, with either as claim."""
        sentence, text = next(_standing(rng, question.paragraph), (None, ""))
        if sentence is None:
            return None
        short = shortened(rng, text)
        other = change(short)
        if other is None or normal(other) == normal(short):
            return None
        if rng.random() < 0.6:
            return around(rng, question.paragraph, sentence, text), other, label
        evidence = around(rng, question.paragraph, sentence, other)
        return (evidence, reworded(rng, other), Label.SUPPORTED) if rng.random() < 0.6 else (evidence, short, label)


def stated(rng: Random, question: str, answer: str) -> str | None:
    """Question and answer as one claim: a statement, or the one after the other."""
    if rng.random() < 0.5:
        return statement(question, answer)
    return answer_claim(restyled(rng, question), answer) if len(answer.split()) <= LONGEST_ANSWER else None


def _standing(rng: Random, paragraph: Paragraph) -> Iterator[tuple[Span, str]]:
    """The sentences that stand by themselves and have the length of a claim, in any order."""
    for sentence in rng.sample(paragraph.sentences, len(paragraph.sentences)):
        text = sentence.of(paragraph.text)
        if 6 <= len(text.split()) <= 40 and text[0].isupper() and text.endswith(".") and not UNRESOLVED.match(text):
            yield sentence, text


def _names(text: str) -> bool:
    """Whether it is a name, not the first word of a sentence with its capital."""
    words = normal(text).split()
    return (
        words[0] not in FUNCTION_WORDS - {"the", "a", "an"}
        and words[-1] not in FUNCTION_WORDS
        and text not in SERIES[3]
    )


def around(rng: Random, paragraph: Paragraph, sentence: Span, text: str) -> str:
    """`text` in the place of a sentence: by itself, with its neighbours, or with the whole paragraph."""
    at = paragraph.sentences.index(sentence)
    draw = rng.random()
    reach = 0 if draw < 0.4 else 1 if draw < 0.7 else len(paragraph.sentences)
    near = paragraph.sentences[max(0, at - reach) : at + reach + 1]
    return " ".join(text if s == sentence else s.of(paragraph.text) for s in near)


def shortened(rng: Random, sentence: str) -> str:
    """A sentence without some of what it says besides."""
    for pattern, share in ((_ASIDE, 0.7), (_LEADING, 0.4), (_TRAILING, 0.6)):
        if rng.random() < share:
            shorter = pattern.sub("", sentence, count=1)
            if len(shorter.split()) >= 5:
                sentence = shorter
    return sentence[0].upper() + sentence[1:]


def reworded(rng: Random, text: str, share: float = 0.5) -> str:
    """The same with some words exchanged for synonyms of the same form; what a hedge is made of stays."""
    for word in dict.fromkeys(_WORD.findall(text)):
        others = [w for w in [*SYNONYMS.get(word, ()), *_TABLE.get(word, ())] if " " not in w]
        if others and word not in _HEDGING and rng.random() < share:
            text = re.sub(rf"\b{word}\b", rng.choice(others), text, count=1)
    return text


def denied(rng: Random, text: str) -> str | None:
    """The sentence with its first negation taken out, or one put in."""
    match = _NEGATION.search(text)
    if match:
        return text[: match.start()] + text[match.end() :] if match.group().strip() in ("not", "never") else None
    match = _AUXILIARY.search(text)
    if match:
        return f"{text[: match.end()]} {rng.choice(['not', 'not', 'never'])}{text[match.end() :]}"
    clause = next((m for m in _CLAUSE.finditer(text) if _past(m["verb"])), None)
    if clause is None:
        return None
    negated = f"did not {_past(clause['verb'])}" if rng.random() < 0.7 else f"never {clause['verb']}"
    return text[: clause.start("verb")] + negated + text[clause.end("verb") :]


def _unlimited(text: str, number: re.Match[str]) -> bool:
    """Whether a number counts something, and nothing in front of it limits it yet."""
    before = re.search(r"(\w+) $", text[: number.start()])
    if (
        before is None
        or re.fullmatch(r"1\d{3}|20\d\d", number.group())
        or not re.match(r"%| [a-z]", text[number.end() :])
    ):
        return False
    word = before[1].casefold()
    return word in "of is was were are with had has have by to and".split() or _past(word) is not None


def _shape(text: str) -> str:
    if re.search(r"\d", text):
        return "year" if re.fullmatch(r".*\b(?:1\d|20)\d\d", text) else "number"
    return "name" if NAME.match(text) else "words"


def _past(verb: str) -> str | None:
    """The verb of which this is the past tense."""
    lemmas = getAllLemmas(verb, upos="VERB").get("VERB", ())
    return next(
        (lemma for lemma in lemmas if lemma not in ("be", "have", "do") and verb in getInflection(lemma, tag="VBD")),
        None,
    )


def _forms(lemma: str | None) -> dict[str, str] | None:
    if lemma is None:
        return None
    tags = {"base": "VB", "past": "VBD", "participle": "VBN", "gerund": "VBG", "present": "VBZ"}
    found = {name: getInflection(lemma, tag=tag) for name, tag in tags.items()}
    return {name: forms[0] for name, forms in found.items()} if all(found.values()) else None


def _synonym_forms() -> dict[str, list[str]]:
    """The verifier's synonyms in the forms of the verb: "bought" to "purchased"."""
    table: dict[str, list[str]] = {}
    for words in synonyms():
        for tag in ("VB", "VBD", "VBN", "VBG", "VBZ"):
            forms = {w: getInflection(w, tag=tag)[:1] for w in words if getAllLemmas(w, upos="VERB").get("VERB")}
            for word, own in forms.items():
                others = [form for other, form in forms.items() if other != word and form]
                if own and others and own[0] not in SERIES[0]:
                    table.setdefault(own[0], []).extend(form[0] for form in others)
    return table


_TABLE = _synonym_forms()
_HEDGING = frozenset(word for pair in [*HEDGES, *LIMITS] for phrase in pair for word in phrase.split())
