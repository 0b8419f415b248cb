/** @import { Answer } from "../wire.js" */

/**
 * An answer with its sources, as Markdown. What a document says stays text: its marks are escaped.
 * @param {Answer} answer
 * @param {(path: string) => string} address
 */
export function markdown(answer, address) {
  const sentences = answer.claims.map(
    ({ text, citation_indices }) => plain(text) + citation_indices.map((i) => ` [${i + 1}]`).join(""),
  );
  const sources = answer.citations.map(
    (citation, i) => `${i + 1}. “${plain(citation.cited_text)}” — [${plain(citation.document_title)}](${address(citation.viewer_url)})`,
  );
  return [`**${plain(answer.question)}**`, sentences.join(" ") || plain(answer.answer), sources.join("\n")].filter(Boolean).join("\n\n") + "\n";
}

/** @param {string} text */
function plain(text) {
  return text.trim().replace(/\s+/g, " ").replace(/[\\`*_[\]<>#|~]/g, "\\$&");
}

/**
 * Put text on the clipboard, also where only the old way works: on a page that is not served securely.
 * @param {string} text
 * @param {Node} root
 */
export async function copy(text, root) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  const before = /** @type {HTMLElement | null} */ (/** @type {ShadowRoot} */ (root.getRootNode()).activeElement);
  area.value = text;
  root.appendChild(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus();
  if (!done) throw new Error("not copied");
}
