"""Markdown and HTML to readable plain text: what is cited shows no markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it.token import Token

Parsed = tuple[str | None, str, str | None]
"""Title, text, and the address that a page gives for itself."""


def one_line(text: str) -> str:
    """The text with each run of white space as one blank."""
    return " ".join(text.split())


class _Layout:
    """Plain text put together from blocks: a blank line between them, or a line break before a `tight` one."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._numbers: list[int | None] = []  # of the open lists: the next item's number, None for bullets
        self._marker = ""  # due before the next block
        self._first_item = False
        self._tight = False
        self._inline: list[str] = []

    def text(self) -> str:
        return "".join(self._parts)

    def block(self, text: str, *, tight: bool = False) -> None:
        if not text.strip():
            return
        if self._marker:
            text, tight, self._marker = self._marker + text, self._tight, ""
        self._parts += ["\n" if tight else "\n\n"] if self._parts else []
        self._parts.append(text)

    def open_list(self, first_number: int | None) -> None:
        self._first_item = not self._numbers
        self._numbers.append(first_number)

    def close_list(self) -> None:
        self._numbers.pop()
        self._marker = ""

    def item(self) -> None:
        number = self._numbers[-1] if self._numbers else None
        if number is not None:
            self._numbers[-1] = number + 1
        self._marker = "  " * (len(self._numbers) - 1) + ("- " if number is None else f"{number}. ")
        self._tight, self._first_item = not self._first_item, False

    def write(self, text: str | None) -> None:
        """Text within a block, where line breaks are blanks."""
        if text:
            self._inline.append(text.replace("\n", " "))

    def line_break(self) -> None:
        self._inline.append("\n")

    def end_block(self) -> None:
        lines = "".join(self._inline).split("\n")
        self._inline.clear()
        self.block("\n".join(map(one_line, lines)).strip())


# --- Markdown -------------------------------------------------------------------------------------------------------

_FRONT_MATTER = re.compile(
    r"---[ \t]*\r?\n((?:[^\S\n]*(?:#.*)?\r?\n)*[\w-]+[ \t]*:.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.S | re.M
)
_FRONT_MATTER_TITLE = re.compile(r"""^title[ \t]*:[ \t]*(["']?)(.*?)\1[ \t]*\r?$""", re.M)


def read_markdown(text: str) -> Parsed:
    """Title, text and no address of a Markdown text, by the rules of CommonMark."""
    from markdown_it import MarkdownIt

    title: str | None = None
    front_matter = _FRONT_MATTER.match(text)
    if front_matter:
        text = text[front_matter.end() :]
        named = _FRONT_MATTER_TITLE.search(front_matter[1])
        title = named[2] if named else None
    # The usual limit of 20 levels drops what is nested deeper without a word.
    tokens = MarkdownIt("commonmark", {"maxNesting": 50}).enable(["table", "strikethrough"]).parse(text)
    layout = _Layout()
    row: list[str] | None = None
    before = ""
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                layout.open_list(None)
            case "ordered_list_open":
                layout.open_list(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                layout.close_list()
            case "list_item_open":
                layout.item()
            case "tr_open":
                row = []
            case "tr_close":
                # The head's row opens the table, the others follow it line by line.
                layout.block(" | ".join(row or ()), tight=before != "th_close")
                row = None
            case "inline":
                content = _inline_text(token.children or [])
                if row is not None:
                    row.append(one_line(content))
                else:
                    layout.block("\n".join(map(one_line, content.split("\n"))).strip())
                if before == "heading_open":
                    title = title or content
            case "fence" | "code_block":
                layout.block(token.content.strip("\n"))
            case "html_block":
                _lay_out_fragment(token.content, layout)
        before = token.type
    return title, layout.text(), None


def _inline_text(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    unseen = False
    raised: tuple[int, int] | None = None  # the token and the part that a superscript begins with
    for at, token in enumerate(tokens):
        if token.type == "html_inline":
            tag = token.content.lower()
            if tag.startswith(("<script", "<style", "</script", "</style")):
                unseen = tag[1] != "/"
            elif re.match(r"<sup\b", tag):
                raised = at, len(parts)
            elif tag.startswith("</sup") and raised:
                parts[raised[1] :] = [_raised_text(tokens[raised[0] : at + 1])]
                raised = None
            elif tag.startswith("<br"):
                parts.append("\n")
        elif unseen:
            continue
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" " if token.type == "softbreak" else "\n")
        else:
            parts.append(_inline_text(token.children) if token.children else token.content)
    return "".join(parts)


def _raised_text(tokens: Sequence[Token]) -> str:
    """A superscript within Markdown, by the rules for HTML."""
    from markdown_it import MarkdownIt

    markdown, layout = MarkdownIt("commonmark"), _Layout()
    _lay_out_fragment(markdown.renderer.render(tokens, markdown.options, {}), layout)
    return layout.text()


def _lay_out_fragment(html: str, layout: _Layout) -> None:
    """HTML within Markdown: its text; comments and what browsers do not show are dropped."""
    if "<" in html and re.sub(r"<[^>]*>?", "", html).strip():
        tree = _tree(f"<html><body>{html}</body></html>")
        if tree is not None:
            _lay_out(tree, layout)
            layout.end_block()


# --- HTML -----------------------------------------------------------------------------------------------------------

_LISTS = frozenset("ul ol dl menu list".split())
_ITEMS = frozenset("li dt dd item".split())
_CELLS = frozenset("td th cell".split())
_BLOCKS = frozenset(
    "address article aside blockquote body caption center details dialog div fieldset figcaption figure footer form h1 "
    "h2 h3 h4 h5 h6 header hr html legend main nav p section summary table tbody tfoot thead head quote".split()
)
_UNSEEN = frozenset("script style template title noscript iframe object textarea select svg math".split())
_HIDDEN = (
    "//script | //style | //template | //*[@hidden] | //*[contains(translate(@style, ' ', ''), 'display:none')]"
    " | //*[contains(translate(@style, ' ', ''), 'visibility:hidden')]"
)


_RAISED = str.maketrans("0123456789+-\u2212\u2013()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁽⁾")  # the minus sign and the dash, too
_BESIDE_MARKS = re.compile(r"[\s\[\](),;*]*")


def read_html(text: str) -> Parsed:
    """Title, main text and canonical address of a page."""
    # Takes 0.3 s to import.
    import trafilatura

    tree = _tree(text)
    if tree is None:
        return None, "", None
    title = _page_title(tree)
    addresses = tree.xpath("//link[@rel='canonical']/@href")
    address = next((a.strip() for a in addresses if re.match(r"\s*https?://[^\s/]", a, re.I)), None)
    # Before extraction: the extractor takes hidden text for content, and reads scripts for text that pages keep there.
    for element in tree.xpath(_HIDDEN):
        if element.getparent() is not None:
            element.drop_tree()
    whole = deepcopy(tree)
    for element in tree.xpath("//pre[not(.//code)]"):
        element.tag = "code"  # or the extractor would make a quotation of it, without its line breaks
    layout = _Layout()
    page = trafilatura.bare_extraction(tree, include_comments=False, include_tables=True)
    if page is not None and page.body is not None and not _is_collapsed(page.body):
        _lay_out(page.body, layout)
        layout.end_block()
    if not layout.text():
        # No main text: then all that the page shows.
        for body in whole.xpath("//body"):
            _lay_out(body, layout)
            layout.end_block()
    return title, layout.text(), address


def _is_collapsed(body: Any) -> bool:
    """Whether the extractor fell back, as for short pages, to one paragraph with a line for each element."""
    return [child.tag for child in body] == ["p"] and "\n" in (body[0].text or "")


def _tree(html: str) -> Any:
    """The parsed page with its superscripts spelled out, None when it is none."""
    import trafilatura

    # An encoding declared in the text is no longer true of it, and the parser would object.
    html = re.sub(r"^\s*<\?xml[^>]*>", "", html)
    tree = trafilatura.load_html(html)
    if tree is None:  # a page without the elements that make one: "<p>Text.</p>"
        tree = trafilatura.load_html(f"<html><body><div>{html}</div></body></html>")
    if tree is not None:
        for sup in tree.xpath("//sup"):
            _spell_out(sup)
    return tree


def _spell_out(sup: Any) -> None:
    """Make a superscript plain text that is not taken for more of the word before it: 10¹¹, not 1011.

    A mark that leads to a footnote is dropped. Letters stay as they are, but for the n of mathematics.
    """
    links = list(sup.iter("a"))
    beside = "".join(sup.xpath(".//text()[not(ancestor::a)]"))
    if links and all(link.get("href", "").startswith("#") for link in links) and _BESIDE_MARKS.fullmatch(beside):
        sup.drop_tree()
        return
    letters = {character for character in "".join(sup.itertext()) if character.isalpha()}
    table = _RAISED | {ord("n"): "ⁿ"} if letters == {"n"} else _RAISED
    for element in sup.iter("*"):
        element.text = element.text and element.text.translate(table)
        if element is not sup:
            element.tail = element.tail and element.tail.translate(table)
    sup.drop_tag()


def _page_title(tree: Any) -> str | None:
    import trafilatura

    try:
        title = trafilatura.extract_metadata(tree, extensive=False).title
    except Exception:  # a broken field of metadata is no reason to lose the page
        title = None
    return title or next((t for t in tree.xpath("//title/text()") if t.strip()), None)


def _lay_out(element: Any, layout: _Layout) -> None:
    """Write an element of a page, or of what the extractor made of it: the latter has tags of its own."""
    tag = element.tag
    if not isinstance(tag, str) or tag in _UNSEEN:
        return
    if tag in ("br", "lb"):
        layout.line_break()
    elif tag in _LISTS:
        layout.end_block()
        layout.open_list(1 if tag == "ol" or element.get("rend") == "ol" else None)
        _lay_out_inside(element, layout)
        layout.end_block()
        layout.close_list()
    elif tag in _ITEMS:
        layout.end_block()
        layout.item()
        _lay_out_inside(element, layout)
        layout.end_block()
    elif tag in ("tr", "row") and len(cells := [child for child in element if child.tag in _CELLS]) > 1:
        layout.end_block()
        layout.block(" | ".join(map(_cell_text, cells)), tight=element.getprevious() is not None)
    elif tag == "pre" or (tag == "code" and "\n" in "".join(element.itertext())):
        layout.end_block()
        layout.block("".join(element.itertext()).strip("\n"))
    elif tag in _BLOCKS or tag in _CELLS or tag in ("tr", "row"):
        layout.end_block()
        _lay_out_inside(element, layout)
        layout.end_block()
    else:
        _lay_out_inside(element, layout)


def _lay_out_inside(element: Any, layout: _Layout) -> None:
    layout.write(element.text)
    for child in element:
        _lay_out(child, layout)
        layout.write(child.tail)


def _cell_text(cell: Any) -> str:
    layout = _Layout()
    _lay_out(cell, layout)
    layout.end_block()
    return one_line(layout.text())
