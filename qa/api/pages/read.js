// The reading page: marks the spans of the citations that the fragment names, `#cit_…,cit_…`.

import { el } from "./dom.js";
import { toCodeUnits, union } from "./spans.js";

const article = document.querySelector("#text");
const notice = document.querySelector("#notice");
const text = article.textContent;
let asked = 0;

addEventListener("hashchange", mark);
mark();

async function mark() {
  const turn = ++asked;
  const ids = location.hash.slice(1).split(",").filter((id) => id.startsWith("cit_"));
  const answers = await Promise.all(ids.map(citation));
  if (turn !== asked) return; // the fragment has changed meanwhile
  const found = answers.filter((one) => one?.document_id === article.dataset.document);
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
  notice.hidden = !missing;
  notice.textContent = !missing ? ""
    : here.length ? `${missing} of the ${ids.length} cited places cannot be shown here.`
    : "The cited place cannot be found; this is the whole document.";

  const spans = union(here.map((one) => [one.start_char_index, one.end_char_index]));
  const pieces = [];
  let last = 0;
  for (const [start, end] of toCodeUnits(text, spans)) {
    pieces.push(text.slice(last, start), el("mark", { tabIndex: -1 }, text.slice(start, end)));
    last = end;
  }
  article.replaceChildren(...pieces, text.slice(last));
  const first = article.querySelector("mark");
  if (first) {
    first.focus({ preventScroll: true });
    first.scrollIntoView({ block: "center" });
  }
}

async function citation(id) {
  try {
    const response = await fetch(`/v1/citations/${encodeURIComponent(id)}`);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
