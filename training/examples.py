"""Examples for the reader: real questions, and near misses that a careful reader would refuse.

SQuAD 1.1 has only answerable questions; the no-answer side is made. Each kind is a function from a question to an
example or, where it does not apply, to None. A change that makes a question unanswerable is made in the question or in
the passage; the same change in both (`consistent`) leaves it answerable, so that no change alone gives a label away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from index.types import Span
from qa.extract import UNRESOLVED
from training.corpus import NAME, Article, Paragraph, Question, kinds_of_names, normal
from training.words import ANTONYMS, FUNCTION_WORDS, MEASURES, SERIES, SYNONYMS

Vectors = np.ndarray

_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
_YEAR = re.compile(r"1[0-9]\d\d|20\d\d")
_WORD = re.compile(r"[^\W\d_]+(?:['’]\w+)?")
_AUXILIARY = re.compile(r"\b(is|are|was|were|did|does|do|has|have|had|can|could|will|would|should|may|must)\b")
_TIME = re.compile(
    r"\d|\b(?:January|February|March|April|May|June|July|August|September|October|November|December|century|"
    r"morning|evening|night|spring|summer|autumn|winter|day|week|month|year|when|after|before|during)",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(?:in|at|near|to|from|of)\s+(?:the\s+)?[A-Z]")
_CAUSE = re.compile(r"\b(?:because|due|since|so|order|reason|caus\w+|result\w*|for|to|as|by|lead|led)\b", re.IGNORECASE)
_YES_NO = re.compile(
    r"(?P<subject>(?!(?:He|She|It|They|This|These|That|Those|There|We|I|You|Until|When|While|As|If|In|On|At|For|After|Before|Although|However|Since|By|With)\b)[A-Z][\w’'-]*(?:\s[\w’'-]+){0,5}?)\s"
    r"(?P<aux>is|are|was|were|can|could|will|would|may|must)\s(?P<rest>[^.;:()\"“”]+?)[,.]?"
)


_PERHAPS_ANSWERED = {"plain", "consistent", "yes_no", "undisclosed"}


@dataclass(frozen=True, slots=True)
class Example:
    """A question, a passage, and the answer's span in it; None where the passage does not answer."""

    kind: str
    question: str
    passage: str
    answer: Span | None


class Maker:
    """Makes examples from answerable questions. Everything random comes from the generator that is handed in."""

    def __init__(self, articles: Sequence[Article], words: Sequence[str], vectors: Vectors) -> None:
        """`words` with one vector each (n, dim) are where words of related meaning are looked up."""
        self._kind_of = kinds_of_names(articles)
        self._related = related_words(words, vectors)
        self._makers: dict[str, Callable[[Random, Question], Example | None]] = {
            "plain": self._plain,
            "consistent": self._consistent,
            "yes_no": self._yes_no,
            "undisclosed": self._undisclosed,
            "neighbour": self._neighbour,
            "cut": self._cut,
            "swapped_question": self._swapped_question,
            "swapped_passage": self._swapped_passage,
            "antonym": self._antonym,
            "negation": self._negation,
            "related": self._related_word,
            "roles": self._roles,
            "wh": self._wh,
        }

    @property
    def kinds(self) -> list[str]:
        """All kinds of examples."""
        return list(self._makers)

    def make(self, rng: Random, question: Question, kind: str, styled: bool = True) -> Example | None:
        """An example of this kind; None where the kind does not apply to the question.

        It is asked in any style, or not `styled`, as a whole question.
        """
        example = self._makers[kind](rng, question)
        if example is None or not styled:
            return example
        asked = example.question if kind == "wh" else restyled(rng, example.question)  # keywords drop the question word
        return Example(kind, asked, example.passage, example.answer)

    def stream(
        self, rng: Random, questions: Sequence[Question], mix: dict[str, float], contested: float = 0.0
    ) -> Iterator[list[Example]]:
        """A group of examples a question: mostly one, of a kind drawn with the weights of `mix`.

        Plain ones stand in where three draws do not fit. A share `contested` of the questions comes with rivals.
        """
        for question in questions:
            if rng.random() < contested:
                yield self.contest(rng, question, mix)
                continue
            for kind in [*rng.choices(list(mix), list(mix.values()), k=3), "plain"]:
                example = self.make(rng, question, kind)
                if example:
                    yield [example]
                    break

    def contest(self, rng: Random, question: Question, mix: dict[str, float]) -> list[Example]:
        """The question with its passage, and rivals that should score less, each without an answer.

        These are the same question with two other passages that retrieval ranks high, and one near miss of a kind drawn
        with the weights of `mix`.
        """
        right = self.make(rng, question, "plain")
        if right is None:
            raise ValueError("a question that is answerable has a plain example")
        others = question.article.neighbours(question)
        group = [right]
        for other in rng.sample(others, min(2, len(others))):
            passage, _ = view(rng, Question(question.text, other, _likest(question.text, other), question.article))
            group.append(Example("neighbour", right.question, passage, None))
        near = {kind: weight for kind, weight in mix.items() if kind not in _PERHAPS_ANSWERED and kind != "neighbour"}
        for kind in rng.choices(list(near), list(near.values()), k=3) if near else []:
            example = self.make(rng, question, kind)
            if example:
                group.append(example)
                break
        return group

    # Answerable

    def _plain(self, rng: Random, question: Question) -> Example:
        passage, shift = view(rng, question)
        return Example("plain", question.text, passage, _moved(question.answer, -shift))

    def _consistent(self, rng: Random, question: Question) -> Example | None:
        passage, shift = view(rng, question)
        answer = _moved(question.answer, -shift)
        change = self._change(rng, question) or _antonym(rng, question.text)
        if change is None:
            return None
        before, words, after = passage[: answer.start], answer.of(passage), passage[answer.end :]
        if not _has(before + " | " + after, change[0]) or _has(words, change[0]):
            return None
        before, after = _replaced(before, *change), _replaced(after, *change)
        changed = Span(len(before), len(before) + len(words))
        return Example("consistent", _replaced(question.text, *change), before + words + after, changed)

    def _yes_no(self, rng: Random, question: Question) -> Example | None:
        """A statement turned round; half of the time with the statement taken out of the passage."""
        paragraph = question.paragraph
        statements = [(s, m) for s in paragraph.sentences if (m := _YES_NO.fullmatch(s.of(paragraph.text)))]
        statements = [(s, m) for s, m in statements if len(m["rest"].split()) <= 16]
        if not statements:
            return None
        sentence, match = rng.choice(statements)
        subject = match["subject"]
        subject = subject[0].lower() + subject[1:] if subject.split()[0] in ("The", "A", "An") else subject
        asked = f"{match['aux'].capitalize()} {subject} {match['rest']}?"
        turned = Question(asked, paragraph, _moved(Span(*match.span("rest")), sentence.start), question.article)
        made = self._cut(rng, turned) if rng.random() < 0.4 else self._plain(rng, turned)
        return made and Example("yes_no", asked, made.passage, made.answer)

    def _undisclosed(self, rng: Random, question: Question) -> Example | None:
        """The answer's sentence exchanged for one that says that the answer is not known: that is an answer, too.

        One time in three the sentence is about what another question asks, and there is no answer.
        """
        paragraph, holding = question.paragraph, question.paragraph.holding(question.answer)
        others = [
            q.text for q in question.article.questions if q.paragraph is paragraph and q.answer != question.answer
        ]
        another = bool(others) and rng.random() < 1 / 3
        told = withheld(rng, rng.choice(others) if another else question.text)
        if told is None or len(holding) != 1:
            return None
        sentence, words = told
        place = paragraph.sentences[holding[0]]
        text = paragraph.text[: place.start] + sentence + paragraph.text[place.end :]
        if _has(text, question.answer.of(paragraph.text)):
            return None
        start = place.start + sentence.index(words)
        other = Question(question.text, Paragraph(text), Span(start, start + len(words)), question.article)
        passage, shift = view(rng, other)
        return Example("undisclosed", question.text, passage, None if another else _moved(other.answer, -shift))

    # Not answerable: the passage lacks it

    def _neighbour(self, rng: Random, question: Question) -> Example | None:
        others = question.article.neighbours(question)
        if not others:
            return None
        other = others[min(int(rng.expovariate(0.7)), len(others) - 1)]
        passage, _ = view(rng, Question(question.text, other, _likest(question.text, other), question.article))
        return Example("neighbour", question.text, passage, None)

    def _cut(self, rng: Random, question: Question) -> Example | None:
        """The sentences before the answer's, those after it, or both."""
        paragraph = question.paragraph
        holding = paragraph.holding(question.answer)
        if not holding:
            return None
        text = paragraph.text
        before = text[: paragraph.sentences[holding[0]].start].rstrip()
        after = text[paragraph.sentences[holding[-1]].end :].lstrip()
        rest = rng.choice([before, after, f"{before} {after}"])
        if len(rest) < 30 or normal(question.answer.of(text)) in normal(rest):
            return None
        other = Paragraph(rest)
        passage, _ = view(rng, Question(question.text, other, _likest(question.text, other), question.article))
        return Example("cut", question.text, passage, None)

    def _swapped_passage(self, rng: Random, question: Question) -> Example | None:
        """The passage tells the same of another name or number than the one that was asked about."""
        change = self._change(rng, question) or _antonym(rng, question.text)
        passage, _ = view(rng, question)
        answer = question.answer.of(question.paragraph.text)
        if change is None or not _has(passage, change[0]) or _has(answer, change[0]):
            return None
        return Example("swapped_passage", question.text, _replaced(passage, *change), None)

    # Not answerable: the question asks for something else

    def _swapped_question(self, rng: Random, question: Question) -> Example | None:
        change = self._change(rng, question)
        return change and self._asked_differently(rng, question, "swapped_question", change)

    def _antonym(self, rng: Random, question: Question) -> Example | None:
        change = _antonym(rng, question.text)
        return change and self._asked_differently(rng, question, "antonym", change)

    def _negation(self, rng: Random, question: Question) -> Example | None:
        match = _AUXILIARY.search(question.text)
        if match:
            negated = {"can": "cannot", "will": "won't", "may": "may not"}.get(match[1], f"{match[1]}n't")
            asked = question.text[: match.start()] + negated + question.text[match.end() :]
        else:
            asked, n = re.subn(r"^(Who|What|Which \w+|What \w+) (\w+(?:ed|s)\b)", r"\1 never \2", question.text)
            if not n:
                return None
        passage, _ = view(rng, question)
        return (
            None
            if re.search(r"\bn(?:o|ot|ever|one)\b|n['’]t\b", passage)
            else Example("negation", asked, passage, None)
        )

    def _related_word(self, rng: Random, question: Question) -> Example | None:
        """Another attribute: a content word exchanged for one of related meaning that the paragraph lacks."""
        words = [w for w in _WORD.findall(question.text) if w in self._related]
        rng.shuffle(words)
        for word in words:
            fresh = [other for other in self._related[word] if not question.paragraph.has(other)]
            if fresh:
                return self._asked_differently(rng, question, "related", (word, rng.choice(fresh)))
        return None

    def _roles(self, rng: Random, question: Question) -> Example | None:
        names = [m for m in NAME.finditer(question.text) if m.start()]
        if len(names) < 2:
            return None
        one, other = names[0], names[-1]
        between = question.text[one.end() : other.start()]
        if re.search(r"\b(?:and|or|between|with|of|in|from|'s)\b|,", between) or one.group() == other.group():
            return None
        asked = question.text[: one.start()] + other.group() + between + one.group() + question.text[other.end() :]
        return Example("roles", asked, view(rng, question)[0], None)

    def _wh(self, rng: Random, question: Question) -> Example | None:
        """Another thing asked of the same event, where nothing in the passage could tell."""
        passage, shift = view(rng, question)
        rest = _moved(question.answer, -shift)
        other = passage[: rest.start] + passage[rest.end :]
        options = []
        if match := re.match(r"(When|Where|Why) (?=did|was|were|is|does|do|are|had|has)", question.text):
            tests = {"When": _TIME, "Where": _PLACE, "Why": _CAUSE}
            tail = question.text[match.end() :]
            options = [f"{w} {tail}" for w, test in tests.items() if w != match[1] and not test.search(other)]
        elif match := re.match(r"(?:In |During )?(?:what|which) year ", question.text, re.IGNORECASE):
            tail = question.text[match.end() :]
            options = [] if _PLACE.search(other) else [f"In what {w} {tail}" for w in ("city", "country", "place")]
            options += [] if _TIME.search(other) else [f"In what month {tail}", f"On what day {tail}"]
        return Example("wh", rng.choice(options), passage, None) if options else None

    def _asked_differently(self, rng: Random, question: Question, kind: str, change: tuple[str, str]) -> Example:
        return Example(kind, _replaced(question.text, *change), view(rng, question)[0], None)

    def _change(self, rng: Random, question: Question) -> tuple[str, str] | None:
        """A name or number of the question, and another of its kind."""
        places: list[tuple[str, Callable[[Random, Question, str], str | None]]] = []
        places += [(m.group(), self._other_name) for m in NAME.finditer(question.text) if m.start()]
        places += [(m.group(), _other_number) for m in _NUMBER.finditer(question.text)]
        places += [(w, _other_of_series) for w in _WORD.findall(question.text) if any(w in s for s in SERIES)]
        rng.shuffle(places)
        for old, exchange in places:
            new = exchange(rng, question, old)
            if new:
                return old, new
        return None

    def _other_name(self, rng: Random, question: Question, name: str) -> str | None:
        """A name of its kind: from the same paragraph but not the answer's sentence (the hardest), or the article."""
        paragraph, kind = question.paragraph, self._kind_of.get(name)
        answer = question.answer.of(paragraph.text)
        told = " ".join(paragraph.sentences[i].of(paragraph.text) for i in paragraph.holding(question.answer))

        def fits(other: str) -> bool:
            same_kind = self._kind_of.get(other) == kind and (
                kind is not None or len(other.split()) == len(name.split())
            )
            return same_kind and not _has(answer + " " + question.text, other) and not _has(name, other)

        near = [n for n in NAME.findall(paragraph.text) if fits(n) and not _has(told, n)]
        if near and rng.random() < 0.4:
            return rng.choice(near)
        far = [n for n in question.article.names[:80] if fits(n) and not paragraph.has(n)]
        return rng.choice(far) if far else None


def withheld(rng: Random, question: str) -> tuple[str, str] | None:
    """A sentence that says that nobody tells the answer to `question`, and its words that say so.

    None where the question does not ask for something that can be named: "the height of the tower", "when it opened".
    """
    question = question.rstrip("? ")
    thing = None
    if match := re.fullmatch(r"What (?:is|was|are|were) (the .+)", question):
        thing = match[1]
    elif match := re.fullmatch(r"How (\w+) (?:is|was|are|were) (.+)", question):
        noun = MEASURES.get(match[1])
        owner = match[2].removesuffix(" worth")
        noun = "value" if match[1] == "much" and owner != match[2] else noun
        thing = noun and f"the {noun} of {owner}"
    elif match := re.fullmatch(r"How much (?:did|does|do|will) (.+) cost", question):
        thing = f"the {rng.choice(['cost', 'price'])} of {match[1]}"
    elif re.match(
        r"(?:How (?:many|much) \w+|When|Where|Why) (?:did|does|do|was|were|is|are|will) "
        r"|(?:How many \w+|Who|Which \w+) \w+(?:ed|s|t)\b",
        question,
    ):
        thing = question[0].lower() + question[1:]
    if not thing or len(thing.split()) > 14:
        return None
    who = rng.choice(
        ["A spokesman", "The company", "Officials", "The authorities", "He", "She", "They", "The two sides"]
    )
    words = rng.choice(["did not disclose", "declined to say", "did not reveal", "would not say", "have not said"])
    if thing.startswith("the "):
        words = rng.choice(["did not disclose", "declined to give", "did not reveal", "did not name", "kept secret"])
        if rng.random() < 0.4:
            words = rng.choice(["not disclosed", "not known", "unknown", "not made public", "not been decided"])
            verb = "has" if words == "not been decided" else rng.choice(["was", "is"])
            return f"{thing[0].upper()}{thing[1:]} {verb} {words}.", words
    elif rng.random() < 0.4:
        words = rng.choice(["not known", "unclear", "not been disclosed", "still open"])
        return f"It {'has' if words == 'not been disclosed' else 'is'} {words} {thing}.", words
    return f"{who} {words} {thing}.", words


def related_words(
    words: Sequence[str], vectors: Vectors, low: float = 0.26, high: float = 0.38
) -> dict[str, list[str]]:
    """Word to words of related, not the same, meaning: a cosine between the two bounds, the same ending, another stem.

    The bounds were chosen by eye on all-MiniLM-L6-v2's word pieces: above are mostly inflections and synonyms.
    """
    centred = vectors - vectors.mean(0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    similar = unit @ unit.T

    def ending(word: str) -> str:
        return next((e for e in ("ing", "ed", "est", "er", "s") if word.endswith(e)), "")

    table = {}
    for i, word in enumerate(words):
        near = np.flatnonzero((similar[i] > low) & (similar[i] < high))
        others = [words[j] for j in near if ending(words[j]) == ending(word) and words[j][:4] != word[:4]]
        if others and word not in FUNCTION_WORDS:
            table[word] = others
    return table


def view(rng: Random, question: Question, whole: float = 0.45, chunk: float = 0.3) -> tuple[str, int]:
    """The part of the paragraph that is read, and where it begins: all of it, a chunk, or what would be quoted.

    The shares of the first two are given.
    """
    paragraph = question.paragraph
    sentences, holding = paragraph.sentences, paragraph.holding(question.answer)
    draw = rng.random()
    if draw < whole or not holding or len(sentences) == 1:
        return paragraph.text, 0
    first, last = holding[0], holding[-1]
    if draw < whole + chunk:  # a chunk: whole sentences on both sides, as far as some 110 words go
        room = rng.uniform(300, 650)
        while True:
            wider = [(f, n) for f, n in ((first - 1, last), (first, last + 1)) if f >= 0 and n < len(sentences)]
            wider = [(f, n) for f, n in wider if sentences[n].end - sentences[f].start < room]
            if not wider:
                break
            first, last = rng.choice(wider)
    else:  # the sentence by itself where it can stand so, else with the one before it
        leans = UNRESOLVED.match(sentences[first].of(paragraph.text))
        if first and (leans or rng.random() < 0.4):
            first -= 1
    return paragraph.text[sentences[first].start : sentences[last].end], sentences[first].start


def restyled(rng: Random, question: str) -> str:
    """The question as somebody in a hurry asks it: synonyms, keywords, an order, a slip of the finger, no mark."""
    if rng.random() < 0.15:
        question = _with_synonym(rng, question)
    draw = rng.random()
    if draw < 0.08:
        question = _keywords(rng, question)
    elif draw < 0.14:
        question = _imperative(rng, question)
    if rng.random() < 0.08:
        question = _slip(rng, question)
    if rng.random() < 0.15:
        question = question.rstrip("? ")
    return question


def _with_synonym(rng: Random, question: str) -> str:
    words = [w for w in _WORD.findall(question) if w in SYNONYMS]
    if not words:
        return question
    word = rng.choice(words)
    return _replaced(question, word, rng.choice(SYNONYMS[word]))


def _keywords(rng: Random, question: str) -> str:
    kept = [w for w in re.findall(r"[\w’'-]+", question) if w.casefold() not in FUNCTION_WORDS]
    asked = re.match(r"when|where|who|why|how (?:many|much|long)", question.casefold())
    if asked and rng.random() < 0.7:
        kept = [*kept, asked.group()] if rng.random() < 0.3 else [asked.group(), *kept]
    return " ".join(kept) if len(kept) > 1 else question


def _imperative(rng: Random, question: str) -> str:
    what = re.match(r"(?:What|Who|Which) (?:is|are|was|were) (the .*)", question)
    if what:
        return f"{rng.choice(['Name', 'Tell me', 'Give', 'Find', 'State'])} {what[1].rstrip('?')}."
    which = re.match(r"(?:What|Which) (\w+) (?=was|were|is|are|did|has|had)", question)
    if which and rng.random() < 0.5:
        return f"Name the {which[1]} that {question[which.end() :].rstrip('?')}."
    return (
        f"{rng.choice(['Tell me', 'Do you know', 'Please say', 'I want to know'])} {question[0].lower()}{question[1:]}"
    )


def _slip(rng: Random, question: str) -> str:
    """Two letters exchanged, or one left out, doubled or replaced, inside one of the longer words."""
    words = [m for m in _WORD.finditer(question) if len(m.group()) > 4]
    if not words:
        return question
    match = rng.choice(words)
    i = rng.randrange(match.start() + 1, match.end() - 1)
    a, b = question[i], question[i + 1]
    slip = rng.choice([b + a, b, a + a + b, rng.choice("etaoinsrhl") + b])
    return question[:i] + slip + question[i + 2 :]


def _antonym(rng: Random, question: str) -> tuple[str, str] | None:
    words = [w for w in _WORD.findall(question) if w in ANTONYMS]
    if not words:
        return None
    word = rng.choice(words)
    return word, rng.choice(ANTONYMS[word])


def _other_number(rng: Random, question: Question, number: str) -> str | None:
    paragraph = question.paragraph
    near = [n for n in _NUMBER.findall(paragraph.text) if len(n) == len(number) and n != number]
    told = " ".join(paragraph.sentences[i].of(paragraph.text) for i in paragraph.holding(question.answer))
    near = [n for n in near if not _has(told, n)]
    if near and rng.random() < 0.3:
        return rng.choice(near)
    if _YEAR.fullmatch(number):
        new = str(int(number) + rng.choice([-1, 1]) * rng.choice([1, 1, 2, 3, 5, 10, 20, 50, 100]))
    else:
        digits = [c if not c.isdigit() else str(rng.randrange(1, 10)) for c in number]
        new = "".join(digits)
    return None if new == number or paragraph.has(new) else new


def _other_of_series(rng: Random, question: Question, word: str) -> str | None:
    series = next(s for s in SERIES if word in s)
    fresh = [w for w in series if w != word and not question.paragraph.has(w)]
    return rng.choice(fresh) if fresh else None


def _likest(question: str, paragraph: Paragraph) -> Span:
    """The sentence that shares most words with the question: where a wrong answer would be looked for."""
    asked = set(normal(question).split()) - FUNCTION_WORDS
    if not paragraph.sentences:
        return Span(0, len(paragraph.text))
    return max(paragraph.sentences, key=lambda s: len(asked & set(normal(s.of(paragraph.text)).split())))


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)


def _has(text: str, words: str) -> bool:
    return normal(words) in normal(text)


def _replaced(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, text)
