// The reading room: marks the places that the fragment names, `#cit_…,cit_…`, and goes to the first of these.

/** @import { ResolvedCitation } from "../../web/wire.js" */
import { el } from "../widget/dom.js";
import { toCodeUnits, union } from "./spans.js";

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const article = find("text");
const text = article.textContent ?? "";
const original = /** @type {HTMLAnchorElement} */ (find("original"));
/** @type {{mark: HTMLElement, citation: ResolvedCitation}[]} */
let places = [];
let at = 0;
let asked = 0;

addEventListener("hashchange", mark);
find("previous").addEventListener("click", () => go(at - 1));
find("next").addEventListener("click", () => go(at + 1));
switchVersions();
mark();

async function mark() {
  const ids = [...new Set(location.hash.slice(1).split(",").filter((id) => id.startsWith("cit_")))];
  if (location.hash && !ids.length) return; // it names another place of the page
  const turn = ++asked;
  const answers = await Promise.all(ids.map(resolved));
  if (turn !== asked) return; // the fragment has changed meanwhile
  const found = answers.filter((one) => one !== null).filter((one) => one.document_id === article.dataset.document);
  const here = found.filter((one) => one.document_version === article.dataset.version);

  if (found.length && !here.length) {
    // The text that was cited is in another version than the address says: go there.
    const address = new URL(location.href);
    address.searchParams.set("collection", found[0].collection);
    address.searchParams.set("version", found[0].document_version);
    location.replace(address);
    return;
  }
  const missing = ids.length - here.length;
  tell("notice", !missing ? ""
    : here.length ? `${missing} of the ${ids.length} cited places cannot be shown here.`
    : "The cited place cannot be found; this is the whole document.");

  const spans = union(here.map((one) => [one.start_char_index, one.end_char_index]));
  const marks = draw(article, text, toCodeUnits(text, spans));
  places = here.map((citation) => {
    const index = spans.findIndex(([start, end]) => start <= citation.start_char_index && citation.end_char_index <= end);
    return { mark: marks[index], citation };
  });
  for (const { mark, citation } of places) {
    // An anchor for each: on the mark itself, or, where it has one already, just before it.
    if (mark.id) mark.before(el("a", { id: citation.id, className: "anchor" }));
    else mark.id = citation.id;
  }
  const first = places[0];
  places.sort((a, b) => a.citation.start_char_index - b.citation.start_char_index);
  find("places").hidden = !first;
  if (first) go(places.indexOf(first));
}

/** @param {number} index */
function go(index) {
  at = (index + places.length) % places.length;
  const { mark, citation } = places[at];
  for (const place of places) place.mark.ariaCurrent = null;
  mark.ariaCurrent = "true";
  find("position").textContent = `Cited place ${at + 1} of ${places.length}`;
  find("previous").hidden = find("next").hidden = places.length < 2;
  original.hidden = !citation.source_text_url;
  if (citation.source_text_url) original.href = citation.source_text_url;
  compare(citation.cited_text);
  mark.focus({ preventScroll: true });
  mark.scrollIntoView({ block: "center" });
}

/** Mark the cited words in the current version beside it, too, or what is nearest to them. @param {string} cited */
function compare(cited) {
  const current = document.getElementById("current");
  if (!current) return;
  const now = current.textContent ?? "";
  const start = now.indexOf(cited);
  const [mark] = draw(current, now, start < 0 ? nearest(now, cited) : [[start, start + cited.length]]);
  mark?.classList.toggle("near", start < 0);
  find("still").textContent = "The document has changed since this was cited. " + (start >= 0 ? "These words still stand in it."
    : mark ? "These words are gone; what is nearest to them is underlined." : "These words are gone.");
}

/**
 * The line that shares most of its words with the cited ones, if that is half of them.
 * @param {string} whole
 * @param {string} cited
 */
function nearest(whole, cited) {
  const words = new Set(cited.match(/[\p{L}\p{N}]+/gu));
  let best = words.size / 2;
  /** @type {number[][]} */
  let span = [];
  for (const { 0: line, index } of whole.matchAll(/[^\n]+/g)) {
    const shared = new Set(line.match(/[\p{L}\p{N}]+/gu)?.filter((word) => words.has(word))).size;
    if (shared > best) [best, span] = [shared, [[index, index + line.trimEnd().length]]];
  }
  return span;
}

/** On a narrow page one version is seen at a time. */
function switchVersions() {
  const main = find("main");
  const button = document.getElementById("switch");
  main.classList.add("switchable");
  button?.addEventListener("click", () => {
    const now = main.classList.toggle("now");
    button.textContent = now ? "As it was cited" : "As it is now";
    document.querySelector(now ? "#current mark" : "#text mark[aria-current]")?.scrollIntoView({ block: "center" });
  });
}

/**
 * The text with marks at these spans of code units.
 * @param {HTMLElement} where
 * @param {string} whole
 * @param {number[][]} spans
 */
function draw(where, whole, spans) {
  const marks = spans.map(([start, end]) => el("mark", { tabIndex: -1 }, whole.slice(start, end)));
  let last = 0;
  const pieces = spans.flatMap(([start, end], i) => {
    const before = whole.slice(last, start);
    last = end;
    return [before, marks[i]];
  });
  where.replaceChildren(...pieces, whole.slice(last));
  return marks;
}

/** @param {string} id @param {string} words nothing hides it */
function tell(id, words) {
  find(id).hidden = !words;
  find(id).textContent = words;
}

/**
 * @param {string} id
 * @returns {Promise<ResolvedCitation | null>}
 */
async function resolved(id) {
  try {
    const response = await fetch(new URL(`../v1/citations/${encodeURIComponent(id)}`, import.meta.url));
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
