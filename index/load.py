"""From files to documents. The text made here is the text that is indexed, shown and cited, to the code point.

Plain text is kept as it is; Markdown and HTML are parsed and become readable plain text, so that no citation shows
markup. What cannot be turned into text raises a `LoadError` that says what to do.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import DocumentTooLarge, EmptyDocument, LoadError, NotText, UnsupportedFormat
from index.types import Document

if TYPE_CHECKING:
    from markdown_it.token import Token

_Parsed = tuple[str | None, str, str | None]  # title, text, the address that the page gives for itself

_CONTROL = r"\x00-\x08\x0e-\x1f\x7f"
_NO_TEXT = re.compile(rf"[{_CONTROL}\ud800-\udfff]")
_TEXT = frozenset({".txt", ".text"})
_MARKDOWN = frozenset({".md", ".markdown"})
_HTML = frozenset({".html", ".htm", ".xhtml"})

SUPPORTED = _TEXT | _MARKDOWN | _HTML
"""The suffixes of the files that can be loaded, in lower case."""

_SUFFIXES = ", ".join(sorted(SUPPORTED))


def find_files(path: Path) -> Iterator[tuple[Path, str]]:
    """The files to load at `path`, each with its name: a file gives itself, a folder what lies in it at any depth.

    In a folder the name is the path below it, with `/`, in sorted order. Hidden files and folders, other formats and
    links to folders (which may form a loop) are left out.
    """
    try:
        if path.is_dir():
            return _walk(path)
        if path.exists():
            _check_supported(path)
            return iter([(path, _printable(path.name))])
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unreadable(path, error) from error
    raise LoadError(f"There is nothing at {path}.", help="Check the path: it names no file and no folder.")


def load_file(path: Path, *, uri: str, source_url: str | None = None, max_bytes: int) -> Document:
    """The document in one file, read by the rules for its suffix."""
    _check_supported(path)
    data = _read(path, max_bytes)
    suffix = path.suffix.lower()
    title: str | None = None
    if suffix in _HTML:
        title, text, canonical = _parsed(_read_html, _decode(data, path, _declared_encoding(data)), path)
        source_url = source_url or canonical
    elif suffix in _MARKDOWN:
        title, text, _ = _parsed(_read_markdown, _decode(data, path), path)
    else:
        text = _decode(data, path)
    if suffix not in _HTML:
        title = title or _first_line(text)
    if not text.strip("\ufeff\u200b \t\r\n") or text.isspace():
        raise EmptyDocument(f"There is no text in {path.name}.", help="Leave the file out, or put text into it.")
    source = _printable(str(path.resolve()))
    return Document(uri=uri, title=title or _readable_name(path), text=text, source=source, source_url=source_url)


# --- files ----------------------------------------------------------------------------------------------------------


def _walk(root: Path) -> Iterator[tuple[Path, str]]:
    # A stack, not recursion: a path may have more levels than Python has frames.
    waiting = [root]
    while waiting:
        path = waiting.pop()
        try:
            if path == root or (path.is_dir() and not path.is_symlink()):
                waiting.extend(sorted((p for p in path.iterdir() if not p.name.startswith(".")), reverse=True))
                continue
            wanted = path.is_file() and path.suffix.lower() in SUPPORTED
        except OSError as error:
            raise _unreadable(path, error) from error
        if wanted:
            yield path, _printable(path.relative_to(root).as_posix())


def _check_supported(path: Path) -> None:
    if path.suffix.lower() not in SUPPORTED:
        kind = f"files ending in {path.suffix}" if path.suffix else "files without a suffix"
        raise UnsupportedFormat(
            f"{path.name} cannot be loaded: there is no loader for {kind}.", help=f"These work: {_SUFFIXES}."
        )


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise LoadError(f"{path.name} is not a regular file.", help="Name a file, or the folder that holds it.")
        size = path.stat().st_size
        if size <= max_bytes:
            with path.open("rb") as file:
                data = file.read(max_bytes + 1)  # it may have grown since
            size = max(size, len(data))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if size > max_bytes:
        raise DocumentTooLarge(
            f"{path.name} has {size:,} bytes; the limit is {max_bytes:,}.",
            help="Split the file, or raise the limit on the size of a document.",
        )
    return data


def _unreadable(path: Path, error: Exception) -> LoadError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return LoadError(
        f"{_printable(str(path))} cannot be read: {reason}.", help="Check that it exists and that you may read it."
    )


def _printable(name: str) -> str:
    """A file name that is not valid in the file system's encoding holds surrogates, which no hash or database takes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


# --- encodings ------------------------------------------------------------------------------------------------------

# The longer marks first: UTF-32's begins with UTF-16's.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What a file that is not UTF-8 may be in; without the list the guesser proposes EBCDIC and UTF-16 for random bytes.
_GUESSED = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r"]
_GUESSED += ["cp932", "euc_jp", "gb18030", "big5", "cp949"]
_GUESS_FROM = 65_536
# Below this many bytes outside ASCII a guess is a lottery; Western European is then the best one.
_ENOUGH_EVIDENCE = 10
# The names under which Python knows the encodings that browsers accept in a page; "utf-7" or "base64" are not among
# them, and must not be: they turn harmless bytes into markup.
_IN_PAGES = re.compile(
    r"utf-8|utf-16|iso8859-|cp(125\d|866|874|932|949)|koi8-|gb|big5|shift_jis|euc_|iso2022_jp|mac-|tis-620"
)
_SINGLE_BYTE = re.compile(r"iso8859-|cp125\d")
_DECLARED = re.compile(rb"""(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I)


def _decode(data: bytes, path: Path, declared: str | None = None) -> str:
    """The text of `data`, without a byte order mark: by that mark, as declared, as UTF-8, or by a plausible guess."""
    text = _decoded(data, declared)
    if text is None or "\0" in text or _control_characters(text) > 2 + len(text) // 100:
        raise NotText(
            f"{path.name} is binary, or in an encoding that cannot be told.",
            help="If it is text, save it as UTF-8. If it is not, convert it or leave it out.",
        )
    return text


def _decoded(data: bytes, declared: str | None) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _try(data[len(mark) :], encoding)
    if declared is not None:
        text = _try(data, declared)
        if text is not None:
            return text
    text = _try(data, "utf-8")
    return text if text is not None else _guess(data)


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _guess(data: bytes) -> str | None:
    # Slow to import, and needed for old files only.
    from charset_normalizer import from_bytes

    sample = data[:_GUESS_FROM]
    if len(data) > len(sample):
        sample = sample[: sample.rfind(b"\n") + 1] or sample  # not through the middle of a character
    outside_ascii = len(sample.translate(None, bytes(range(128))))
    western = outside_ascii * 4 < len(sample)  # mostly ASCII, as Western European text is in these encodings
    candidates: list[str] = []
    if outside_ascii >= _ENOUGH_EVIDENCE or not western:
        found = [match for match in from_bytes(sample, cp_isolation=_GUESSED) if match.encoding in _GUESSED]
        # On a draw the more frequent encoding, not the first in the alphabet.
        drawn = [m.encoding for m in found if (m.chaos, m.coherence) == (found[0].chaos, found[0].coherence)]
        candidates += sorted(drawn, key=_GUESSED.index)
    if western:
        candidates.append("cp1252")
    for encoding in candidates:
        text = _try(data, encoding)
        if text is not None and _is_plausible(text):
            return text
    return None


def _is_plausible(text: str) -> bool:
    """Whether a guess at the encoding gave what people write: letters and blanks, no characters without a meaning."""
    kinds = [unicodedata.category(character) for character in text[:_GUESS_FROM]]
    usual = sum(kind[0] in "LMNZ" or character in "\r\n\t" for kind, character in zip(kinds, text, strict=False))
    strange = sum(kind in {"Cn", "Co", "Cc"} for kind in kinds) - sum(text[: len(kinds)].count(c) for c in "\r\n\t")
    return usual * 3 >= len(kinds) * 2 and strange == 0


def _control_characters(text: str) -> int:
    return len(re.findall(f"[{_CONTROL}]", text))


def _declared_encoding(data: bytes) -> str | None:
    """The encoding that a page says it is in, if browsers would believe it."""
    found = _DECLARED.search(data[:4096])
    if found is None:
        return None
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except (LookupError, UnicodeError, ValueError):
        return None
    if not _IN_PAGES.match(name) or name.startswith("utf-16"):
        return None  # a declaration that can be read as ASCII cannot be true of UTF-16
    if _SINGLE_BYTE.match(name) and _try(data, "utf-8") is not None:
        return "utf-8"  # saved again as UTF-8, the old declaration left in place
    return {"iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}.get(name, name)


# --- titles ---------------------------------------------------------------------------------------------------------


def _first_line(text: str) -> str | None:
    """The first line with a word in it, if it looks like a title and not like the first sentence."""
    for line in (line.strip().lstrip("#-*•>=_ \t") for line in text[:10_000].splitlines()):
        if any(character.isalnum() for character in line):
            sentence = line.rstrip("\"'”’»)]").endswith((".", "!", ",", ";", ":", "…", "。", "！", "؟", "।"))
            return None if sentence or len(line) > 100 else _one_line(line)
    return None


def _readable_name(path: Path) -> str:
    """ "nvidia-south-korea.txt" gives "Nvidia south korea"."""
    words = re.sub(r"[-_\s]+", " ", path.stem).strip()
    return _printable(words[:1].upper() + words[1:]) or _printable(path.name)


def _one_line(text: str) -> str:
    return " ".join(text.split())


# --- parsed formats -------------------------------------------------------------------------------------------------


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
        self.block("\n".join(map(_one_line, lines)).strip())


def _parsed(read: Callable[[str], _Parsed], text: str, path: Path) -> _Parsed:
    """Run a parser on what anybody may have written: whatever goes wrong in it is a fault of the file."""
    try:
        title, plain, address = read(text)
    except ImportError:  # a fault of the installation
        raise
    except Exception as error:  # a RecursionError, an assertion in a library
        raise LoadError(
            f"{path.name} cannot be parsed: {type(error).__name__}.",
            help="The file is damaged or nested too deeply. Save it as plain text (.txt) and load that.",
        ) from error
    # A character reference such as &#1; or &#xD800; can stand for what is no text and what no database takes.
    return title and _one_line(_NO_TEXT.sub("\ufffd", title)), _NO_TEXT.sub("\ufffd", plain), address


# --- Markdown -------------------------------------------------------------------------------------------------------

_FRONT_MATTER = re.compile(
    r"---[ \t]*\r?\n((?:[^\S\n]*(?:#.*)?\r?\n)*[\w-]+[ \t]*:.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.S | re.M
)
_FRONT_MATTER_TITLE = re.compile(r"""^title[ \t]*:[ \t]*(["']?)(.*?)\1[ \t]*\r?$""", re.M)


def _read_markdown(text: str) -> _Parsed:
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
                    row.append(_one_line(content))
                else:
                    layout.block("\n".join(map(_one_line, content.split("\n"))).strip())
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
    for token in tokens:
        if token.type == "html_inline":
            tag = token.content.lower()
            if tag.startswith(("<script", "<style", "</script", "</style")):
                unseen = tag[1] != "/"
            elif tag.startswith("<br"):
                parts.append("\n")
        elif unseen:
            continue
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" " if token.type == "softbreak" else "\n")
        else:
            parts.append(_inline_text(token.children) if token.children else token.content)
    return "".join(parts)


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


def _read_html(text: str) -> _Parsed:
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
    layout = _Layout()
    page = trafilatura.bare_extraction(deepcopy(tree), include_comments=False, include_tables=True)
    if page is not None and page.body is not None:
        _lay_out(page.body, layout)
        layout.end_block()
    if not layout.text():
        # No main text: then all that the page shows.
        for body in tree.xpath("//body"):
            _lay_out(body, layout)
            layout.end_block()
    return title, layout.text(), address


def _tree(html: str) -> Any:
    """The parsed page, None when it is none."""
    import trafilatura

    # An encoding declared in the text is no longer true of it, and the parser would object.
    html = re.sub(r"^\s*<\?xml[^>]*>", "", html)
    tree = trafilatura.load_html(html)
    if tree is None:  # a page without the elements that make one: "<p>Text.</p>"
        tree = trafilatura.load_html(f"<html><body><div>{html}</div></body></html>")
    return tree


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
    return _one_line(layout.text())
