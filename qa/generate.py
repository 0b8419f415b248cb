"""Answers in a language model's own words: what it is asked, and its reply as plain sentences. Nothing here is checked.

The model is asked for no citation markers. Which sentence rests on what is found out afterwards (`qa.support`).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from index.chunk import split_sentences
from index.types import Passage

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage

MOST_SENTENCES = 24
"""Sentences of one reply that are looked at; a model that goes on is cut off."""
LONGEST_SENTENCE = 1000
"""Characters without an end of sentence after which a reply is given up."""
CHARS_PER_TOKEN = 3
"""Fewer than the four of English prose, so that a prompt full of names and numbers fits, too."""
MISSING = "NOT STATED:"

THINKING = re.compile(r"\s*<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_LINE_START = re.compile(r"^(?:\s*(?:[-*•>]+|\d{1,2}[.)])\s+)+")
_HEADING = re.compile(r"^\s*#+\s.*")
MARKERS = re.compile(
    r"\s*(?:\[\s*\d+(?:\s*[,;–-]\s*\d+)*\s*\]|【[^】]*】|\((?:passages?|sources?|ids?)\b[^()]{0,40}\d[^()]{0,20}\))",
    re.IGNORECASE,
)
"""Citation markers as models write them: `[1, 2]`, `【3】`, `(source 4)`."""
_EMPHASIS = re.compile(r"\*\*|__|`")


def conversation(question: str, passages: Sequence[Passage], room: int) -> list[ChatMessage]:
    """The prompt, with as many of the passages, best first, as fit into `room` tokens; at least part of the first."""
    from llama_index.core.llms import ChatMessage, MessageRole

    left = room * CHARS_PER_TOKEN - len(question)
    quoted: list[str] = []
    for passage in passages:
        text = f"<passage>\n<title>{quote(passage.document_title)}</title>\n{quote(passage.text)}\n</passage>"
        if quoted and len(text) > left:
            break
        quoted.append(text if len(text) <= left else f"<passage>\n{quote(passage.text)[: max(0, left)]}\n</passage>")
        left -= len(text)
    values = {"passages": "\n\n".join(quoted), "question": " ".join(quote(question).split())}
    return [
        ChatMessage(role=MessageRole.SYSTEM, content=_prompt("answer_system")),
        ChatMessage(role=MessageRole.USER, content=_prompt("answer_user").format_map(values)),
    ]


def quote(text: str) -> str:
    """Text of a document or a user as it stands in a prompt.

    No `<` is left that could end a passage or be a chat template's control token, and no character that is not seen.
    """
    shown = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs"))
    return html.escape(shown, quote=False).replace("[INST]", "[ INST ]").replace("[/INST]", "[ /INST ]")


def sentences(pieces: Iterable[str]) -> Iterator[str]:
    """The sentences of a reply, each as soon as the next one has begun, without list marks, emphasis and the like.

    What does not end like a sentence, such as a heading or a reply that was cut off, is left out; a line of a list
    gets its full stop. A line of `NOT STATED:` is given as it is, as the last one.
    """
    buffer, count, silent = "", 0, 0
    for piece in pieces:
        buffer += piece
        silent += len(piece)
        if THINKING.match(buffer):
            if not re.search(r"</think(?:ing)?>", buffer, re.IGNORECASE):
                continue
            buffer = THINKING.sub("", buffer, count=1)
            silent = len(buffer)  # what was thought is no sentence without an end, however long
        *done, buffer = _cut(buffer)
        for sentence in done:
            yield sentence
            count, silent = count + 1, 0
            if count == MOST_SENTENCES or sentence.startswith(MISSING):
                return
        if silent > LONGEST_SENTENCE:
            return
    if not THINKING.match(buffer):
        yield from _lines(buffer)


def _cut(buffer: str) -> list[str]:
    """Complete sentences, cleaned, and what is left over."""
    lines = buffer.split("\n")
    done = [sentence for line in lines[:-1] for sentence in _lines(line)]
    last = lines[-1]
    if last.lstrip().startswith(MISSING[: max(1, len(last.lstrip()))]):
        return [*done, last]
    spans = split_sentences(last)
    if len(spans) < 2:
        return [*done, last]
    return [*done, *_lines(last[: spans[-1].start]), last[spans[-1].start :]]


def _lines(text: str) -> Iterator[str]:
    """The sentences of text that holds no line break inside a sentence."""
    for line in text.splitlines():
        if _HEADING.match(line):
            continue
        plain = html.unescape(_EMPHASIS.sub("", MARKERS.sub("", _LINE_START.sub("", line)))).strip()
        if plain.startswith(MISSING):
            yield plain
            continue
        listed = bool(_LINE_START.match(line))
        spans = split_sentences(plain)
        for span in spans:
            sentence = " ".join(span.of(plain).split())
            if listed and len(spans) == 1 and re.search(r"[\w)\"'”’%]$", sentence):
                sentence += "."
            if re.search(r"[.!?][\"'”’)]*$", sentence):
                yield sentence


@cache
def _prompt(name: str) -> str:
    return resources.files("qa").joinpath("prompts", f"{name}.txt").read_text(encoding="utf-8").strip()
