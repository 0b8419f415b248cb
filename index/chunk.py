"""From text to sentences, and from sentences to chunks, without ever losing an offset.

`split_sentences` lays the text out first (blank lines, list items, headings, table rows and hard-wrapped lines), then
asks the segmenter where the sentences of each run of prose end. `docs/segmentation.md` says how the segmenter was
chosen and what it still gets wrong; `scripts/compare_segmenters.py` measures any other one through the same layout.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise

import sentencex

from index.types import Chunk, Span

Segmenter = Callable[[str], Sequence[int]]
"""Takes one run of prose, gives the offsets where its sentences end, ascending."""

CHUNKER = "sentences-3"
"""Identity of the way texts are cut. Change it with the code: ingest then cuts every document again."""

MAX_SENTENCE = 1000
"""Code points. Longer than any sentence a reader can use: minified text, base64, a text without punctuation."""

# sentencex keeps a quotation whole, which keeps a statement with its speaker; beyond this it is opened.
_LONG_QUOTATION = 400
# A mark of a footnote behind the end of a sentence is the end of that sentence.
_RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾]+\s*")
_QUOTE = re.compile(r"[\"“”„«»‹›「」『』()\[\]]|(?<!\w)['‘’‚]|['‘’](?!\w)")
# Abbreviations that sentencex does not know: what is before a name, and what is before a number.
_BEFORE_NAME = re.compile(r"\b(?:Ms|Mx|Amb|Ald|Cdr|Messrs)\.\s+$")
_BEFORE_NUMBER = re.compile(r"\b(?:[Vv]ols?|[Cc]h|[Ee]qs?|[Tt]el|[Aa]pprox)\.\s+$")
# sentencex takes quadratic time on long runs of Chinese and Japanese: 54 s for 1 MB at once, under 1 s in windows.
_WINDOW = 4000
# Lines of more than this are paragraphs of one line each, not prose that somebody wrapped.
_WIDEST_WRAP = 160
# A column narrower than this is a list, a verse or an address; breaking lines there is meant.
_NARROWEST_WRAP = 32

_LIST_ITEM = re.compile(r"\s*(?:[-*+•‣◦▪–—]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+(?=\S)")
_LETTERED = re.compile(r"\s*[a-zA-Z]\.\s")
# One blank for each of them, so that offsets hold: line breaks and control characters that segmenters read as
# boundaries of their own, and lone surrogates, which cannot be encoded for a segmenter written in Rust.
_FLATTENED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# Frequent words that tell languages apart, to pick the abbreviations that apply ("am 3. Oktober", "el Sr. García").
_FUNCTION_WORDS = {
    "en": "the and of to in is that for was with it as on he are his they at from be this by",
    "de": "der die das und ist nicht von den dem ein eine auch sich wird zu für mit im am er sie es",
    "es": "el los las y es que una del por con para está no se su como más desde lo",
    "fr": "le les des et est dans une du pour que qui sur au il elle par ne pas ce son",
    "it": "il di che è della per una con sono gli dei nel non si del alla più le",
    "nl": "het een en van is dat niet voor met de op te zijn aan ook er hij",
    "pl": "w i na się nie że jest do od przez jak ma go po dla jego",
    "pt": "o os as e é que uma do da não para com em no na dos por foi",
    "ru": "и в не на что с по он как это его из у за от было к но",
}


def split_sentences(text: str, segmenter: Segmenter | None = None) -> list[Span]:
    """The sentences of `text` in order: every code point that is not white space lies in exactly one of them."""
    segment = segmenter or _Sentencex(_language_of(text))
    flat = _FLATTENED.sub(" ", text)
    spans: list[Span] = []
    for run in _runs(text):
        # What looks like a sentence end inside "1." or "a)" is none.
        marker = _LIST_ITEM.match(text, run.start, run.end)
        prose = Span(marker.end() if marker else run.start, run.end)
        start = run.start
        for end in _sentence_ends(flat, prose, segment):
            spans.extend(_shortened(text, Span(start, end)))
            start = end
    return spans


def chunk_text(text: str, count_tokens: Callable[[Sequence[str]], list[int]], max_tokens: int = 150) -> list[Chunk]:
    """Whole sentences, packed in order up to `max_tokens`; a single longer sentence is a chunk of its own.

    `count_tokens` is called once, with all sentences.
    """
    sentences = split_sentences(text)
    if not sentences:
        return []
    # At least one each: a chunk of sentences that the tokenizer drops must not grow without end.
    tokens = [max(1, count) for count in count_tokens([span.of(text) for span in sentences])]
    gaps = [text[a.end : b.start] for a, b in pairwise(sentences)]
    headings = [_is_heading(text, sentences, gaps, i) for i in range(len(sentences))]
    chunks: list[Chunk] = []
    first = 0
    while first < len(sentences):
        last, total = first + 1, tokens[first]
        while last < len(sentences) and total + tokens[last] <= max_tokens:
            total += tokens[last]
            last += 1
        if last < len(sentences):
            last = _break_before(first, last, tokens, gaps, headings, max_tokens)
        members = tuple(sentences[first:last])
        chunks.append(Chunk(members[0].start, members[-1].end, members))
        first = last
    return chunks


class _Sentencex:
    """Where sentences end, by the rules for English and, in a text of another language, by that language's too.

    Both must agree on an end: each list of abbreviations has gaps that the other fills.
    """

    def __init__(self, language: str) -> None:
        self._languages = dict.fromkeys(("en", language))

    def __call__(self, prose: str) -> Sequence[int]:
        ends: list[int] = []
        for start, end in pairwise([0, *self._ends(prose)]):
            if end - start > _LONG_QUOTATION:
                ends += [start + inner for inner in self._ends_within_quotes(prose[start:end])]
            else:
                ends.append(end)
        ends = [end for end in ends if not _abbreviated(prose, end)]
        return sorted({mark.end() if (mark := _RAISED.match(prose, end)) else end for end in ends})

    def _ends(self, prose: str) -> list[int]:
        agreed: set[int] | None = None
        for language in self._languages:
            pieces: list[str] = sentencex.segment(language, prose)
            if "".join(pieces) != prose:  # the running sums below would be wrong
                return [len(prose)]
            found = set(accumulate(map(len, pieces)))
            agreed = found if agreed is None else agreed & found
        return sorted(agreed or ())

    def _ends_within_quotes(self, prose: str) -> Iterator[int]:
        for end in self._ends(_QUOTE.sub(" ", prose)):
            # The opening mark, a blank just now, belongs to the sentence that it opens.
            opens = 1 < end < len(prose) and _QUOTE.match(prose, end - 1) and prose[end - 2].isspace()
            yield end - 1 if opens else end


def _abbreviated(prose: str, end: int) -> bool:
    """Whether what looks like the end of a sentence is that of an abbreviation before a name or a number."""
    before = prose[max(0, end - 12) : end]
    number = prose[end : end + 1].isdigit() and _BEFORE_NUMBER.search(before)
    return end < len(prose) and bool(number or _BEFORE_NAME.search(before))


def _language_of(text: str) -> str:
    """The language that most of the first words point to, English when nothing else stands out."""
    words = Counter(text[:20_000].casefold().split())
    votes = {language: sum(words[word] for word in known.split()) for language, known in _FUNCTION_WORDS.items()}
    return max(votes, key=lambda language: (votes[language], language == "en"))


# --- the layout -----------------------------------------------------------------------------------------------------


def _runs(text: str) -> Iterator[Span]:
    """Runs of prose: a paragraph, a heading, a list item, a table row. No sentence reaches beyond one."""
    block: list[Span] = []
    position = 0
    for raw in text.splitlines(keepends=True):
        line = _trimmed(text, Span(position, position + len(raw)))
        position += len(raw)
        if line.start < line.end:
            block.append(line)
        elif block:
            yield from _runs_of_block(text, block)
            block = []
    if block:
        yield from _runs_of_block(text, block)


def _runs_of_block(text: str, lines: list[Span]) -> Iterator[Span]:
    """The runs in consecutive lines without a blank one between them."""
    longest = max(line.end - line.start for line in lines)
    width = max(longest, _NARROWEST_WRAP)
    start = lines[0].start
    for line, following in pairwise(lines):
        if longest > _WIDEST_WRAP or not _continues(text, line, following, width):
            yield Span(start, line.end)
            start = following.start
    yield Span(start, lines[-1].end)


def _continues(text: str, line: Span, following: Span, width: int) -> bool:
    """Whether the break between two lines is only a wrapped line."""
    if _starts_item(text, following) or _is_rule(text, line) or _is_rule(text, following):
        return False
    if _is_row(line.of(text)) and _is_row(following.of(text)):
        return False
    if text[following.start].islower():
        return True
    # A writer who wraps lines puts every word that fits on the line; where one more word would have fitted, the break
    # is meant: a heading, a line of an address, the end of a paragraph.
    if unicodedata.east_asian_width(text[following.start]) in "WF" and not _is_hangul(text[following.start]):
        needed = 2  # these scripts wrap between any two characters, save before punctuation
    else:
        word = re.compile(r"\S+").match(text, following.start, following.end)
        needed = 1 + (len(word.group()) if word else 0)
    return line.end - line.start + needed > width


def _starts_item(text: str, line: Span) -> bool:
    # "a. " and "I. " open a line of wrapped prose more often ("vitamin\nC. It is"): too weak a sign between lines.
    return bool(_LIST_ITEM.match(text, line.start, line.end)) and not _LETTERED.match(text, line.start, line.end)


def _is_rule(text: str, line: Span) -> bool:
    """A line drawn with characters, such as the one under a heading."""
    return line.end - line.start >= 3 and not any(character.isalnum() for character in line.of(text))


def _is_row(line: str) -> bool:
    """A table row, its cells separated by a bar or a tab."""
    return " | " in line or "\t" in line


def _is_hangul(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"


# --- the sentences of a run -----------------------------------------------------------------------------------------


def _sentence_ends(flat: str, prose: Span, segment: Segmenter) -> Iterator[int]:
    """Ends of the sentences of a run, the last one being the run's own end; nothing without a letter or digit."""
    pending: int | None = None  # an end that is given out once it is known that words follow it
    previous = prose.start
    for end in (*_windowed(flat, prose, segment), prose.end):
        wordy = any(character.isalnum() for character in flat[previous:end])
        if wordy and pending is not None:
            yield pending
        # Punctuation alone belongs to the sentence before it or, at the start of a run, to the one after.
        if wordy or pending is not None:
            pending = end
        previous = end
    yield prose.end


def _windowed(flat: str, prose: Span, segment: Segmenter) -> Iterator[int]:
    position = prose.start
    while prose.end - position > _WINDOW:
        ends = [position + end for end in segment(flat[position : position + _WINDOW])]
        # The last piece may go on beyond the window: it is segmented again, with what follows it.
        complete = [end for end in ends if position < end < position + _WINDOW]
        yield from complete
        position = complete[-1] if complete else _cut(flat, Span(position, position + _WINDOW))
    yield from (position + end for end in segment(flat[position : prose.end]))


def _shortened(text: str, span: Span) -> Iterator[Span]:
    """The span without white space at its ends, in several parts if it is longer than a sentence may be."""
    span = _trimmed(text, span)
    while span.end - span.start > MAX_SENTENCE:
        cut = _cut(text, Span(span.start, span.start + MAX_SENTENCE))
        part = _trimmed(text, Span(span.start, cut))
        if part.start < part.end:
            yield part
        span = _trimmed(text, Span(cut, span.end))
    if span.start < span.end:
        yield span


def _cut(text: str, span: Span) -> int:
    """The best place to end `span` early: after white space, or else not inside a character with its marks."""
    for place in range(span.end, span.start + len(span.of(text)) // 2, -1):
        if text[place - 1].isspace():
            return place
    for place in range(span.end, max(span.start, span.end - 32), -1):
        if place == len(text) or not (_joins(text[place]) or text[place - 1] == "\u200d"):
            return place
    return span.end


def _joins(character: str) -> bool:
    """Whether this character belongs to the one before it: combining marks, joiners, skin tones."""
    return (
        unicodedata.category(character)[0] == "M" or character == "\u200d" or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _trimmed(text: str, span: Span) -> Span:
    part = span.of(text)
    return (
        Span(span.end - len(part.lstrip()), span.start + len(part.rstrip()))
        if part.strip()
        else Span(span.end, span.end)
    )


# --- the chunks -----------------------------------------------------------------------------------------------------


def _break_before(
    first: int, last: int, tokens: list[int], gaps: list[str], headings: list[bool], max_tokens: int
) -> int:
    """The sentence that opens the next chunk: `last`, or an earlier one if that makes a better break."""
    moved = 0
    for place in range(last, first, -1):
        if place < last:
            moved += tokens[place]
            if moved > max_tokens // 4:
                break
        if not headings[place - 1] and _is_paragraph_break(gaps[place - 1]):
            return place
    # No paragraph ends near the limit; still, a heading (or two, one under the other) goes with what it heads.
    for place in range(last, max(first, last - 3), -1):
        if not headings[place - 1]:
            return place
    return last


def _is_paragraph_break(gap: str) -> bool:
    return _line_breaks(gap) > 1


def _line_breaks(gap: str) -> int:
    return len(f"{gap}.".splitlines()) - 1


def _is_heading(text: str, sentences: list[Span], gaps: list[str], i: int) -> bool:
    """A short line of its own, not a list item, that does not end as a sentence does."""
    alone = (i == 0 or _line_breaks(gaps[i - 1]) > 0) and i < len(gaps) and _line_breaks(gaps[i]) > 0
    if not alone or sentences[i].end - sentences[i].start > 100:
        return False
    line = sentences[i].of(text)
    if line[-1] in "?:":
        return True
    return line[-1].isalnum() and not _LIST_ITEM.match(line) and not _is_row(line)
