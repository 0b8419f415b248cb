/** @import { Citation, Passage } from "../wire.js" */
import { cut, el } from "./dom.js";
import { holds } from "./store.js";

const GAP = 8; // pixels between a chip and its preview, and to the edge of the window

/** Shows what a chip stands for: the cited words in their paragraph, over everything else. */
export class Preview {
  node = el("div", { className: "preview", part: "preview", role: "tooltip", id: "preview", popover: "manual" });
  /** @type {HTMLElement | null} */
  chip = null;
  #timer = 0;

  constructor() {
    // It stays while the pointer is on it, and a click anywhere on it follows the chip.
    this.node.addEventListener("pointerenter", () => clearTimeout(this.#timer));
    this.node.addEventListener("pointerleave", () => this.hideSoon());
    this.node.addEventListener("click", () => this.chip?.click());
  }

  /**
   * @param {HTMLElement} chip
   * @param {Citation} citation
   * @param {Passage[]} passages
   * @param {string} hint
   */
  show(chip, citation, passages, hint) {
    clearTimeout(this.#timer);
    if (this.chip === chip) return;
    this.hide();
    this.chip = chip;
    chip.setAttribute("aria-describedby", "preview");
    const [before, cited, behind] = context(citation, passages);
    this.node.replaceChildren(
      el("p", { className: "in", dir: "auto" }, before, el("mark", {}, cited), behind),
      el("p", { className: "of" }, el("cite", { dir: "auto" }, citation.document_title), el("span", {}, hint)),
    );
    this.node.showPopover();
    this.#place(chip.getBoundingClientRect());
  }

  hideSoon() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.hide(), 200);
  }

  hide() {
    clearTimeout(this.#timer);
    if (!this.chip) return false;
    this.chip.removeAttribute("aria-describedby");
    this.chip = null;
    if (this.node.isConnected) this.node.hidePopover();
    return true;
  }

  /** @param {DOMRect} chip */
  #place(chip) {
    const { offsetWidth: width, offsetHeight: height, style } = this.node;
    const below = chip.bottom + GAP + height <= innerHeight || chip.top < innerHeight / 2;
    const top = below ? Math.min(chip.bottom + GAP, innerHeight - height - GAP) : chip.top - GAP - height;
    const left = chip.left + chip.width / 2 - width / 2;
    style.top = `${Math.max(GAP, top)}px`;
    style.left = `${Math.max(GAP, Math.min(left, document.documentElement.clientWidth - width - GAP))}px`;
    const mark = /** @type {HTMLElement} */ (this.node.querySelector("mark"));
    this.node.scrollTop = Math.max(0, mark.offsetTop - 40);
  }
}

/**
 * The paragraph around a citation: before, the cited words, behind. Only these where no passage has the rest.
 * @param {Citation} citation
 * @param {Passage[]} passages
 */
function context(citation, passages) {
  const passage = passages.find((one) => holds(one, citation));
  if (passage) {
    const from = passage.start_char_index;
    const [before, cited, behind] = cut(passage.text, citation.start_char_index - from, citation.end_char_index - from);
    if (cited === citation.cited_text) {
      return [before.split(/\n\s*\n/).at(-1) ?? "", cited, behind.split(/\n\s*\n/)[0]];
    }
  }
  return ["", citation.cited_text, ""];
}
