"""Which sentences of the documents support a claim that a language model wrote, and how well.

A claim must be supported as a whole by one sentence, with the sentence before it where that one begins with "He" or
"The company", or part by part by several. Words that merely stand somewhere in the passages support nothing: most of
what a model gets wrong is put together from words that are there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING

from index.types import Passage
from qa.extract import Sentence
from qa.numbers import DAYS, counted, numbers
from qa.rules import (
    GENERIC,
    SPEECH,
    causes,
    denials,
    frame,
    hedge,
    hedges,
    names,
    orders,
    quotes,
    repeats,
    steers,
    unknown_words,
)
from qa.smallwords import small_words
from qa.sources import Source, clauses, pairs, sources
from qa.statement import affirmed, form, has_verb
from qa.structure import Run, attachments, dates, equations, name_runs, roles, subjects, voice
from qa.weigh import NEAR, OPEN, OVERRULED, Seen
from qa.wording import ARTICLES, FREE, Item, collapse, keys_of, read

CLOSE = 4
"""Content words from one of a pair to the other in the source, for the pair to count as kept together."""

LEAST_MEANING, SURE_MEANING = 0.3, 0.6
"""Cosine of claim and source below which words may coincide but the subject differs: where all its words are the
source's, and where some are not."""
LEAST_SHARE = 0.75
"""Share of the content words that the source itself has in some form."""
TRIED = 6
"""Sentences with most of a claim's words that it is held against. Of 518 claims of tests/data/hostile none passes with
another one, nor with one after the third."""
MOST_CUTS = 4
"""Conjunctions at which a claim is tried in parts: each costs a look at all sentences."""

_LEANS = re.compile(r"\W*(?:he|she|it|they|his|her|its|their|this|that|these|those)\b", re.IGNORECASE)
_EXPLETIVE = re.compile(
    r"\W*it (?:is|was|has been|will be) (?:\w+ly )?"
    r"(?:(?:in|at|on|by|from|to|for|with|under|during|after|before)\b[^,;]{,60} |\w+ |(?-i:(?:[A-Z][\w'’-]* ){1,4}))"
    r"(?:that|who|whom)\b",
    re.IGNORECASE,
)
_OWN_SUBJECT = re.compile(
    r"(?:he|she|it|they|this|that|these|those|there|the|an?|his|her|its|their|no|which|who)\b", re.IGNORECASE
)
_CONJUNCTION = re.compile(r"(?:;|,?\s+(?:and|but|while|whereas|although|though),?)\s+")
_JOINT = re.compile(rf"(?:{_CONJUNCTION.pattern}|,\s+)")


if TYPE_CHECKING:
    from index.embed import Embedder, Vectors
    from qa.support import Judge, Verdict

SURE, CONTRADICTED = 0.65, 0.75
"""Probabilities from which the model's word stands: for a claim whose words differ from the evidence's, as weighed with
all that is near and by the sentence that is cited alone; and against one whose words are all the evidence's. Chosen on
tests/data/hostile, above what its lies get."""
DENIED = 0.3
"""Probability that a sentence says otherwise from which it is not believed to support what something is said to be in
words that it has none of: of `It costs 4 euros` the model holds `It is free` for supported."""
DOUBTFUL = 0.5
"""Probability of support by all of the nearest sentences below which none of them is tried by itself; as weighed, below
which the claim is not tried in parts."""
LOOKED_AT = 4
"""Sentences nearest to a claim that the model is shown by themselves."""
PAIRED = 2
"""Pairs of sentences, one of which leans on the other, that it is shown besides."""
ROOM = 1000
"""Characters of claim and sentences that the model is shown together: what fits its window of 256 word pieces."""


@dataclass(frozen=True, slots=True)
class Support:
    """What stands behind a claim: the smallest set of sentences found, a score from 0 to 1, and reasons against it.

    The score is the mean of three shares: of neighbouring words that are near each other in the source, too, of words
    that the source has, and of meaning, as the cosine of the two texts; or, for a claim that the exact checks reject,
    the probability of `qa.weigh`. With reasons nothing is to be shown, whatever the score.
    """

    score: float
    sentences: tuple[Sentence, ...]
    reasons: tuple[str, ...]
    contradicted: float | None = None
    """Probability that what is nearest in the evidence says otherwise; None where no model judged."""

    @property
    def supported(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


class Evidence:
    """Sentences to look claims up in."""

    def __init__(self, embedder: Embedder, sentences: Iterable[Sentence], judge: Judge | None = None) -> None:
        sentences = list(sentences)
        self._sources = sources(sentences)
        self._clauses = [clause for sentence in sentences for clause in clauses(*sentence)]
        self._pairs = list(pairs(self._sources))
        self._embedder = embedder
        self._judge = judge
        self._vectors: dict[str, Vectors] = {}

    @classmethod
    def of(cls, embedder: Embedder, passages: Iterable[Passage], judge: Judge | None = None) -> Evidence:
        """All sentences of these passages."""
        return cls(embedder, ((passage, span) for passage in passages for span in passage.sentences), judge)

    def support(self, claim: str, previous: str | None = None, *, paraphrase: bool = True) -> Support:
        """The best support for `claim`. `previous` is what the page shows before it, which its pronouns may refer to.

        Without `paraphrase` every word must be the evidence's, in some form.
        """
        said = read(claim)
        verbatim = [source for source in self._sources if collapse(source.text) == collapse(claim)]
        reasons = [] if verbatim else form(claim, said, [source.text for source in self._sources])
        if steers(said):
            reasons = ["order: it tells whoever reads it what to write"]
        if not reasons and _leans(claim) and previous is None:
            reasons = ["pronoun: nothing before it says whom or what it means"]
        if reasons:
            return Support(0.0, (), tuple(reasons))
        if verbatim and not _leans(claim):
            return Support(1.0, (verbatim[0].sentence,), ())
        check = partial(self._best, previous=previous, paraphrase=paraphrase)
        found = check(claim)
        if found.reasons:
            found = self._in_parts(claim, said, check) or found
        if self._judge is None:
            return found
        weigh = partial(self._weighed, self._judge, previous=previous, paraphrase=paraphrase)
        weighed = weigh(claim, said, found)
        if found.reasons and weighed.reasons and weighed.score >= DOUBTFUL:
            by_either = partial(self._in_parts, claim, said, cuts=_CONJUNCTION)
            weighed = by_either(lambda part: weigh(part, read(part), check(part))) or weighed
        return weighed

    def _in_parts(
        self, claim: str, said: list[Item], check: Callable[[str], Support], cuts: re.Pattern[str] = _JOINT
    ) -> Support | None:
        """The support for the claim part by part, all in one document, where `check` finds some for each."""
        for parts in _splits(claim, said, cuts):
            if any(sum(item.content for item in read(part)) < 2 for part in parts) or not has_verb(read(parts[0])):
                continue
            found: list[Support] = []
            for part in parts:
                found.append(check(part))
                if found[-1].reasons:
                    break
            documents = {sentence[0].document_id for part in found for sentence in part.sentences}
            if len(documents) == 1 and not found[-1].reasons:
                sentences = dict.fromkeys(sentence for part in found for sentence in part.sentences)
                if any(roles(said, read(passage.slice(span))) for passage, span in sentences):
                    continue
                return Support(min(part.score for part in found), tuple(sentences), ())
        return None

    def phrased(self, draft: str, *, question: str, short_answer: str) -> Support:
        """The support for a sentence that was to phrase `short_answer`: it must give it, and say who says so.

        The question lends nothing but its form: what it takes for granted may be false.
        """
        said, asked = read(draft), read(question)
        verbatim = any(collapse(draft) == collapse(source.text) for source in self._sources)
        reasons = _without_answer(said, read(short_answer), verbatim)
        found = self.support(draft, previous="", paraphrase=False)
        if not verbatim:
            source = [item for passage, span in found.sentences for item in read(passage.slice(span))]
            reasons += [*found.reasons, *frame(said, source), *_responds(said, source, asked)]
        return Support(0.0, found.sentences, tuple(dict.fromkeys(reasons))) if reasons else found

    def _best(self, claim: str, previous: str | None, *, paraphrase: bool) -> Support:
        said = read(claim)
        words = _content(said)
        sharing = [source for source in self._sources + self._clauses if not words or words & source.keys]
        sharing.sort(key=lambda source: -len(words & source.keys))
        best = Support(0.0, (), ("words: no sentence of the passages has any of them",))
        for source in sharing[:TRIED]:
            found = self._by_rules(claim, said, source, previous, paraphrase=paraphrase)
            if (bool(found.reasons), len(found.reasons), -found.score) < (
                bool(best.reasons), len(best.reasons) if best.sentences else 99, -best.score
            ):  # fmt: skip
                best = found
        return best

    def _weighed(
        self, judge: Judge, claim: str, said: list[Item], best: Support, *, previous: str | None, paraphrase: bool
    ) -> Support:
        """What the model makes of it: it may object to what the rules found, or find what they did not."""
        if not best.reasons:
            verdict = judge(_text(best.sentences), claim)
            if verdict.contradicted >= CONTRADICTED:
                reason = f"contradiction: the evidence says otherwise ({verdict.contradicted:.2f})"
                return Support(0.0, best.sentences, (reason,), verdict.contradicted)
            return replace(best, contradicted=verdict.contradicted)
        nearest = self._nearest(claim, said) if paraphrase else []
        if not nearest:
            return best
        ask = cache(judge)  # the best sentence is mostly the nearest, and there may be no other
        verdict, single, seen = _weighable(ask, claim, said, nearest, best)
        against = max(verdict.contradicted, single.contradicted)
        invented = seen.share >= NEAR and self._invents(said)
        score = 0.0 if invented else judge.weighing.probability(seen)
        weighed = replace(best, score=score, sentences=_needed(said, nearest), contradicted=against)
        if verdict.supported < DOUBTFUL:
            return weighed
        # One by one: two together would lend a name of one to a fact of the other, unless one leans on the other.
        for source in [*nearest[:LOOKED_AT], *self._paired(said, nearest[:LOOKED_AT])]:
            found = self._by_rules(claim, said, source, previous, paraphrase=True)
            kinds = _kinds(found.reasons)
            turned = "opposite" in kinds and not _converse(said, source.items)
            if kinds <= OVERRULED and not turned and _anchored(said, source.items):
                evidence = _text(found.sentences)
                alone = ask(evidence, claim)
                denied = affirmed(claim)
                if denied and ask(evidence, denied).odds >= alone.odds:
                    continue  # the model did not hear the negation
                if source.lead and alone.supported < SURE:
                    continue  # of two sentences the weighing knows nothing
                if alone.contradicted >= DENIED and not _echoed(said, source.items):
                    continue
                near = replace(seen, alone=alone.odds, kinds=kinds)
                score = judge.weighing.probability(near)
                if min(score, judge.weighing.probability(replace(near, together=alone.odds))) >= SURE:
                    return Support(score, found.sentences, (), alone.contradicted)
        return weighed

    def seen(self, claim: str) -> Seen | None:
        """What a model and the checks make of a claim that the checks reject; None for any other."""
        said = read(claim)
        best = self._best(claim, "", paraphrase=True)
        nearest = self._nearest(claim, said) if self._judge and best.reasons else []
        return _weighable(self._judge, claim, said, nearest, best)[-1] if self._judge and nearest else None

    def _nearest(self, claim: str, said: list[Item]) -> list[Source]:
        """The sentences of one document that have most of the claim's words, rare words counting more; best first.

        As many as the model can read together, and none that tells its reader what to say.
        """
        words = _content(said)
        shared = [sorted(words & source.keys) for source in self._sources]
        seen = Counter(key for keys in shared for key in keys)
        scores = [sum(1 / seen[key] for key in keys) for keys in shared]
        ranked = sorted((i for i, score in enumerate(scores) if score), key=lambda i: -scores[i])
        ranked = [i for i in ranked if self._sources[i].document == self._sources[ranked[0]].document]
        nearest: list[Source] = []
        room = ROOM - len(claim)
        for source in (self._sources[i] for i in ranked):
            if (not nearest or len(source.text) <= room) and not orders(said, source.items):
                nearest.append(source)
                room -= len(source.text)
        return nearest

    def _paired(self, said: list[Item], nearest: Sequence[Source]) -> list[Source]:
        """The pairs of sentences with one of the nearest that have more of the claim's words than either alone."""
        near = {source.sentence for source in nearest}
        alone = max(_share(said, source) for source in nearest)
        found = [pair for pair in self._pairs if not near.isdisjoint((pair.lead, pair.sentence))]
        found = [pair for pair in found if _share(said, pair) > alone and not orders(said, pair.items)]
        return sorted(found, key=lambda pair: -_share(said, pair))[:PAIRED]

    def _invents(self, said: list[Item]) -> bool:
        """Whether it has a number or a name that no sentence has: no model adds one to the evidence."""
        exact = {item.key for item in said if item.kind == "number" or (item.capital and not item.first)}
        return not exact <= {item.key for source in self._sources for item in source.items}

    def _by_rules(
        self, claim: str, said: list[Item], source: Source, previous: str | None, *, paraphrase: bool
    ) -> Support:
        lead = (source.lead,) if source.lead else ()
        sentences: tuple[Sentence, ...] = (*lead, source.sentence)
        items, own, lent = source.items, source.keys, source.context
        if source.full and any(item.capital and item.key in source.full.added for item in said):
            items, own = source.full.items, source.keys | source.full.added
            sentences = tuple(dict.fromkeys((*source.full.sentences, source.sentence)))
        said, items = denials(said, items), denials(items, said)
        runs = name_runs(said, items + lent)
        borrowed = [run for run in runs if not set(run.keys) <= own]
        if lent and borrowed and source.before:
            sentences = tuple(dict.fromkeys((source.before, *sentences)))
        else:
            lent = []
        strangers, reasons = unknown_words(said, items + lent, source.around)
        if source.clause and strangers:  # what is said beyond the clause may be the opposite, in other words
            reasons.append(f"word: {strangers[0].text} is not in this clause of the evidence")
        reasons += [
            *numbers(said, items, lent),
            *counted(said, strangers),
            *names(said, items + lent),
            *hedges(said, [*lent, *items]),
            *causes(said, items),
            *repeats(said, items + lent),
            *frame(said, items, reports=False),
            *orders(said, items),
            *quotes(claim, items),
            *voice(said, items),
            *subjects(said, items),
            *roles(said, items),
            *attachments(said, items, runs),
            *equations(said, items),
            *dates(said, items),
            *_refers(claim, previous, items + source.context),
        ]
        if _kinds(reasons) <= OPEN:  # the others need no more
            reasons += small_words(said, items)
        if lent:
            subject = _subject(lent)
            theirs = own | (set(subject.keys) if subject else set())
            if any(not set(run.keys) <= theirs for run in borrowed):
                reasons.append("name: the sentence before speaks first of somebody else")
            first = _subject(items)
            if first and not any(item.content for item in items[: first.first]) and not set(first.keys) & _keys(said):
                reasons.append(f"name: the sentence speaks of {first.text} first")
        if reasons:
            reasons += [f"word: {item.text} is not in the evidence" for item in strangers]
            return Support(0.0, sentences, tuple(dict.fromkeys(reasons)))
        content = [item for item in said if item.content]
        lent_words = source.around - {item.key for item in items + lent}
        share = 1 - (len(strangers) + sum(item.key in lent_words for item in content)) / max(1, len(content))
        predicates = [item for at, item in enumerate(said[1:], 1) if item in strangers and said[at - 1].key == "be"]
        foreign = f"word: {', '.join(item.text for item in strangers)} is not in the evidence"
        if strangers and (not paraphrase or predicates or share < LEAST_SHARE):
            return Support(0.0, sentences, (foreign,))
        evidence = _text(sentences)
        meaning = min(1.0, float(self._vector(claim) @ self._vector(evidence)))  # unit vectors, but for the last bit
        if share < LEAST_SHARE or meaning < (SURE_MEANING if strangers else LEAST_MEANING):
            reason = foreign if strangers else f"meaning: only {meaning:.2f} like the evidence"
            return Support(0.0, sentences, (reason,))
        added = [item.text for item in strangers if self._adds(claim, item, evidence, meaning)]
        if added:
            return Support(0.0, sentences, (f"word: {', '.join(added)} is not in the evidence",))
        score = (_kept_together(said, items + lent) + meaning + share) / 3
        return Support(score, sentences, ())

    def _adds(self, claim: str, stranger: Item, evidence: str, meaning: float) -> bool:
        """Whether a word takes the claim away from the evidence: without it, the two would be more alike."""
        without = re.sub(rf"\W*\b{re.escape(stranger.text)}\b", "", claim, count=1)
        return float(self._vector(without) @ self._vector(evidence)) > meaning

    def _vector(self, text: str) -> Vectors:
        if text not in self._vectors:
            self._vectors[text] = self._embedder.embed_query(text)
        return self._vectors[text]


_EMPTY = keys_of("there more less about something anything everything nothing")


def _anchored(said: list[Item], source: list[Item]) -> bool:
    """Whether it has a word in common with the sentence that says what it is about, more than that somebody says so.

    To the model what is about nothing is not false: `The sources do not say more`. Nor does it speak to its reader.
    """
    here = _keys(source)
    words = {item.key for item in said if item.content and not hedge(item)} - SPEECH - GENERIC - _EMPTY
    return bool(words & here) and "you" not in _keys(said) - here


def _echoed(said: list[Item], source: list[Item]) -> bool:
    """Whether what a claim says after its first form of `be` has a word of the source; so has a claim without one."""
    at = next((at for at, item in enumerate(said) if item.key == "be"), None)
    return at is None or bool(_content(said[at + 1 :]) & _keys(source))


def _converse(said: list[Item], source: list[Item]) -> bool:
    """Whether whoever a claim speaks of first comes after a preposition: `Rey sold it`, of `Lee bought it from Rey`."""
    first = next((item.key for item in said if item.capital and item.content), None)
    return any(
        before.text.casefold() in {"from", "to", "by"} and first in _keys(source[at : at + 4])
        for at, before in enumerate(source)
    )


def _leans(claim: str) -> bool:
    """Whether it begins with a pronoun for somebody or something: not `It was Ruiz who…`, `It is likely that…`."""
    return bool(_LEANS.match(claim)) and not _EXPLETIVE.match(claim)


def _text(sentences: Sequence[Sentence]) -> str:
    return " ".join(passage.slice(span) for passage, span in sentences)


def _content(said: list[Item]) -> set[str]:
    return {item.key for item in said if item.content}


def _keys(items: Iterable[Item]) -> set[str]:
    return {item.key for item in items}


def _kinds(reasons: Iterable[str]) -> frozenset[str]:
    return frozenset(reason.partition(":")[0] for reason in reasons)


def _weighable(
    ask: Callable[[str, str], Verdict], claim: str, said: list[Item], nearest: Sequence[Source], best: Support
) -> tuple[Verdict, Verdict, Seen]:
    """The model's verdicts, by the nearest sentences and by the best one alone, and all that there is to weigh."""
    verdict = ask(_text(_in_order(nearest)), claim)
    alone = ask(_text(best.sentences), claim) if best.sentences else verdict
    share = max(_share(said, source) for source in nearest)
    return verdict, alone, Seen(verdict.odds, alone.odds, share, _kinds(best.reasons))


def _needed(said: list[Item], nearest: Sequence[Source]) -> tuple[Sentence, ...]:
    """The nearest sentence, and of the others those that have a word of the claim which none before them has."""
    missing = _content(said)
    needed: list[Source] = []
    for source in nearest:
        if not needed or missing & source.keys:
            needed.append(source)
            missing -= source.keys
    return _in_order(needed)


def _in_order(nearest: Sequence[Source]) -> tuple[Sentence, ...]:
    return tuple(sorted((source.sentence for source in nearest), key=lambda sentence: sentence[1].start))


def _share(said: list[Item], source: Source) -> float:
    """The share of a claim's content words that the source has."""
    words = [item.key for item in said if item.content]
    return sum(word in source.keys for word in words) / max(1, len(words))


def _splits(claim: str, said: list[Item], pattern: re.Pattern[str]) -> Iterator[list[str]]:
    """The claim in two or three parts where it may be cut; a part without a name gets that of the first one."""
    subject = _subject(said)
    cuts = list(pattern.finditer(claim))[:MOST_CUTS]
    for chosen in ([cut] for cut in cuts):
        yield _parts(claim, chosen, subject.text if subject else "")
    for pair in pairwise(cuts):
        yield _parts(claim, list(pair), subject.text if subject else "")


def _parts(claim: str, cuts: Sequence[re.Match[str]], subject: str) -> list[str]:
    starts, ends = [0, *(cut.end() for cut in cuts)], [*(cut.start() for cut in cuts), len(claim)]
    parts = [claim[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    return [
        part if at == 0 or _OWN_SUBJECT.match(part) or name_runs(read(part), read(part)) else f"{subject} {part}"
        for at, part in enumerate(parts)
    ]


def _kept_together(said: list[Item], source: list[Item]) -> float:
    """The share of neighbouring content words that stand near each other in the source, in the same order."""
    order = [item.key for item in source if item.content]
    places: dict[str, list[int]] = {}
    for at, key in enumerate(order):
        places.setdefault(key, []).append(at)
    pairs = list(pairwise(item.key for item in said if item.content))
    kept = [any(0 < b - a <= CLOSE for a in places.get(x, ()) for b in places.get(y, ())) for x, y in pairs]
    return sum(kept) / len(kept) if kept else 1.0


def _subject(items: list[Item]) -> Run | None:
    """Whom a sentence speaks of first."""
    return next(iter(_named(items)), None)


def _named(items: list[Item]) -> list[Run]:
    """Whom a sentence speaks of; its first word has a capital anyway, and is no name if others follow."""
    runs = [run for run in name_runs(items, items) if not DAYS.issuperset(run.keys)]
    return [run for run in runs if run.last or len(runs) == 1]


def names_one(text: str) -> bool:
    """Whether a text speaks of one person or thing by name, whom a pronoun in the next one must mean."""
    return len(_named(read(text))) == 1


def _refers(claim: str, previous: str | None, known: list[Item]) -> list[str]:
    """A pronoun at the beginning means whom the claim before it is about: the source has to be about them, too."""
    if previous is None or not _leans(claim):
        return []
    before = read(previous)
    subject = _subject(before)
    if subject and not set(subject.keys) & _keys(known):
        return [f"pronoun: the evidence does not speak of {subject.text}"]
    return []


_WHOSE = frozenset({"its", "his", "her", "their", "our", "this", "that", "these", "those"})


def _without_answer(said: list[Item], answer: list[Item], verbatim: bool) -> list[str]:
    wanted = _plain(answer)
    while len(wanted) > 1 and wanted[0] in _WHOSE:
        wanted = wanted[1:]
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


def _responds(said: list[Item], source: list[Item], asked: list[Item]) -> list[str]:
    """It must be about what the question is about, as far as the evidence is."""
    wanted = {item.key for item in asked if item.content}
    wanted = wanted & _keys(source) or wanted
    if len(wanted & _keys(said)) * 2 < len(wanted):
        return ["question: it leaves out most of what is asked"]
    return []
