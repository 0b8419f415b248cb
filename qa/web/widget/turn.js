/** @import { Answer, Citation, Claim, Event, Host, Passage, Turn } from "../wire.js" */
import { el, fill, icon } from "./dom.js";
import { copy, markdown } from "./markdown.js";

const SLOW = 6000; // milliseconds without anything new until that is said
const NEAREST = 3;
const THUMB = "M7 11v9H4v-9zm0 0 4-8c2 0 2.600 1.500 2.400 3L13 10h5.500c1.200 0 2 1 1.800 2.200l-1.200 6.200c-.2 1-1 1.600-1.900 1.600H7";
const COPY = "M9 9h11v11H9zM15 9V4H4v11h5";
const RETRY = "M19 12a7 7 0 1 1-2-5l2 2m0-5v5h-5";

/** A question and what has come for it. Everything is appended, in the order in which it came: nothing moves. */
export class TurnView {
  #body = el("div", { className: "body", part: "answer" });
  #status = el("p", { className: "status", part: "status" });
  #slow = 0;
  /** @type {Passage[]} */
  #passages = [];
  /** @type {Citation[]} */
  #quoted = [];
  /** @type {HTMLElement | undefined} */
  #written;

  /**
   * @param {Turn} turn
   * @param {Host} host
   */
  constructor(turn, host) {
    this.turn = turn;
    this.host = host;
    this.node = el("article", { className: "turn", part: "turn" },
      el("h3", { className: "question", part: "question", dir: "auto" }, turn.question), this.#body, this.#status);
    for (const event of turn.events) this.show(event);
    if (turn.ended) this.end();
  }

  /** Forget what has come: the question is asked again. */
  begin() {
    this.#body.replaceChildren();
    this.#quoted = [];
    this.#written = undefined;
    this.#working(this.host.strings.searching);
  }

  /** @param {Event} event */
  show({ event, data }) {
    const { strings } = this.host;
    if (event === "passages") {
      this.#passages = data.passages;
      this.#working(strings.reading);
    } else if (event === "quote") {
      this.#quote(data.citations, data.quote);
      this.#working(strings.checking);
    } else if (event === "claim") {
      this.#claim(data.citations, data.claim);
      this.#working(strings.checking);
    } else if (event === "answer") {
      this.#working("");
      this.#passages = data.passages;
      this.#answer(data);
    }
  }

  /** Say that it has ended without an answer, and why. */
  end() {
    const { strings, retry } = this.host;
    const { turn } = this;
    this.#working("");
    const again = this.#button(strings.retry, RETRY, () => retry(turn));
    again.append(strings.retry);
    if (!turn.ended || turn.ended === "stopped") {
      this.#body.append(el("p", { className: "actions" }, el("span", { className: "quiet" }, strings.stopped), again));
      return;
    }
    const { kind, details } = turn.ended;
    const told = kind === "told" && details;
    const title = told ? details.title : strings[kind === "told" ? "unreachable" : kind];
    const lines = told ? [details.detail, ...(details.errors ?? []).map((e) => `${e.field}: ${e.message}`), details.help]
      : [{ broken: strings.brokenHelp, offline: strings.offlineHelp, busy: "" }[String(kind)] ?? strings.unreachableHelp];
    this.#body.append(el("div", { className: "card problem", part: "problem", role: "alert" }, el("h4", {}, title),
      ...lines.filter(Boolean).map((line) => el("p", { dir: "auto" }, String(line))), el("p", { className: "actions" }, again)));
  }

  /**
   * Say that it is asked again by itself.
   * @param {string} title
   * @param {string} help
   */
  wait(title, help) {
    this.#working("");
    let note = this.#body.querySelector(".waiting");
    if (!note) {
      note = el("div", { className: "card waiting", part: "waiting" }, el("h4", {}, title), el("p"));
      this.#body.append(note);
    }
    /** @type {HTMLElement} */ (note.lastChild).textContent = help;
  }

  /** Say nothing any more: it is shown no longer. */
  drop() {
    clearTimeout(this.#slow);
  }

  /** @param {string} text what is being done; nothing when it has ended */
  #working(text) {
    this.drop();
    this.#status.textContent = text;
    this.#status.classList.toggle("busy", !!text);
    if (text) {
      this.#slow = window.setTimeout(() => {
        this.#status.textContent = this.host.strings.slow;
        this.host.say(this.host.strings.slow);
      }, SLOW);
    }
  }

  /**
   * @param {Citation[]} citations
   * @param {Claim} quote
   */
  #quote(citations, quote) {
    const { strings } = this.host;
    this.#quoted = citations;
    const titles = [...new Set(citations.map((citation) => citation.document_title))];
    this.#body.append(el("figure", { className: "quote", part: "quote" },
      el("blockquote", { dir: "auto" }, ...citations.flatMap((citation, i) =>
        [i ? " " : "", this.#sentence(citation.cited_text, [quote.citation_indices[i]], [citation])])),
      el("figcaption", {}, `${strings.from} `, ...titles.flatMap((title, i) => [i ? ", " : "", el("cite", { dir: "auto" }, title)]))));
    this.host.say(quote.text);
  }

  /**
   * @param {Citation[]} citations
   * @param {Claim} claim
   */
  #claim(citations, claim) {
    // A verbatim sentence already stands in the quote with its number; saying it twice would tell nobody anything.
    if (this.#quoted.some((citation) => citation.cited_text === claim.text)) return;
    if (!this.#written) {
      if (this.#quoted.length) this.#body.append(el("h4", { className: "label" }, this.host.strings.written));
      this.#written = el("p", { className: "written", dir: "auto" });
      this.#body.append(this.#written);
    }
    this.#written.append(this.#written.hasChildNodes() ? " " : "", this.#sentence(claim.text, claim.citation_indices, citations));
    this.host.say(claim.text);
  }

  /** @param {Answer} answer */
  #answer(answer) {
    const { strings, say } = this.host;
    this.turn.answer = answer;
    if (answer.standalone_question && answer.standalone_question !== answer.question) {
      this.#body.append(el("p", { className: "quiet", dir: "auto" }, fill(strings.understood, { question: answer.standalone_question })));
    }
    if (answer.status === "answered") {
      say(fill(strings.done, { count: answer.citations.length }));
      if (answer.unanswered?.length) {
        this.#body.append(el("p", { className: "quiet", dir: "auto" }, fill(strings.unanswered, { questions: answer.unanswered.join(" ") })));
      }
      this.#body.append(this.#about(answer));
    } else {
      say(`${strings.refused}. ${answer.answer}`);
      this.#body.append(el("div", { className: "refusal", part: "refusal" }, el("h4", {}, strings.refused), el("p", { dir: "auto" }, answer.answer)));
      if (answer.passages.length) this.#body.append(this.#nearest(answer.passages));
    }
    this.#body.append(this.#actions(answer));
  }

  /** @param {Passage[]} passages */
  #nearest(passages) {
    return el("div", { className: "nearest", part: "nearest" }, el("h4", { className: "label" }, this.host.strings.nearest),
      el("ul", {}, ...passages.slice(0, NEAREST).map((passage) => el("li", {},
        el("a", { ...this.#link(passage.viewer_url), dir: "auto" }, passage.document_title),
        el("p", { dir: "auto" }, passage.text)))));
  }

  /** @param {Answer} answer */
  #about(answer) {
    const { strings } = this.host;
    const seconds = Object.values(answer.timings).reduce((sum, ms) => sum + ms, 0) / 1000;
    const lines = [
      answer.composed_by === "llm"
        ? fill(strings.model, { model: answer.models.llm ?? "", percent: percent(answer.support_score ?? 0) }) : strings.verbatim,
      fill(strings.probability, { percent: percent(answer.answerable_probability) }),
      fill(strings.took, { seconds: seconds.toFixed(2) }),
      answer.note ?? "",
    ];
    return el("details", {}, el("summary", {}, strings.about), el("p", {}, lines.join(" ")));
  }

  /** @param {Answer} answer */
  #actions(answer) {
    const { strings, say, rate } = this.host;
    const { turn } = this;
    const told = el("span", { className: "quiet" });
    const tell = (/** @type {string} */ text) => {
      told.textContent = text;
      say(text);
    };
    const copyButton = this.#button(strings.copy, COPY, async () => {
      await copy(markdown(answer, this.host.address), this.#body).then(() => tell(strings.copied), () => tell(strings.copyFailed));
    });
    const up = this.#button(strings.up, THUMB, () => send("up"));
    const down = this.#button(strings.down, THUMB, () => {
      form.hidden = !form.hidden;
      if (!form.hidden) reason.focus();
    });
    down.classList.add("down");
    const mark = () => {
      up.ariaPressed = String(turn.rating === "up");
      down.ariaPressed = String(turn.rating === "down");
    };
    const send = async (/** @type {"up" | "down"} */ rating, text = "") => {
      try {
        await rate(turn, rating, text.trim());
        if (form.contains(/** @type {ShadowRoot} */ (form.getRootNode()).activeElement)) down.focus();
        form.hidden = true;
        tell(strings.thanks);
      } catch {
        tell(strings.notSent);
      }
      mark();
    };
    mark();
    const reason = el("input", { type: "text", maxLength: 1000, ariaLabel: strings.reason, placeholder: strings.reason, dir: "auto" });
    const form = el("form", { className: "reason", hidden: true }, reason, el("button", { className: "text" }, strings.send));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send("down", reason.value);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation(); // the panel stays
      form.hidden = true;
      down.focus();
    });
    return el("div", { className: "end" }, el("div", { className: "actions", part: "actions" }, copyButton, up, down, told), form);
  }

  /**
   * @param {string} label
   * @param {string} path
   * @param {() => void} action
   */
  #button(label, path, action) {
    const button = el("button", { type: "button", className: "small", ariaLabel: label, title: label }, icon(path));
    button.addEventListener("click", action);
    return button;
  }

  /**
   * @param {string} text
   * @param {number[]} numbers positions in the citations of the answer
   * @param {Citation[]} citations
   */
  #sentence(text, numbers, citations) {
    return el("span", { className: "sentence", part: "sentence" }, el("span", { className: "words" }, text),
      ...citations.map((citation, i) => this.#chip(citation, numbers[i] + 1, citations)));
  }

  /**
   * @param {Citation} citation
   * @param {number} number
   * @param {Citation[]} together all that support the same sentence: the reading room marks them too
   */
  #chip(citation, number, together) {
    const { strings, preview, opening, sameSite } = this.host;
    const others = together.filter((one) => one !== citation && one.document_version === citation.document_version
      && one.document_id === citation.document_id);
    const label = fill(strings.source, { number, title: citation.document_title });
    const chip = el("a", {
      ...this.#link([citation.viewer_url, ...others.map((one) => one.id)].join(",")),
      className: "chip", part: "chip", ariaLabel: sameSite ? label : fill(strings.newTab, { label }),
    }, String(number));
    const show = () => preview.show(chip, citation, this.#passages, strings.open);
    let touched = false;
    chip.addEventListener("pointerdown", (event) => (touched = event.pointerType === "touch"));
    chip.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && show());
    chip.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && preview.hideSoon());
    chip.addEventListener("focus", () => !touched && show());
    chip.addEventListener("blur", () => preview.hideSoon());
    chip.addEventListener("click", (event) => {
      const first = touched && preview.chip !== chip;
      touched = false;
      if (first) {
        event.preventDefault(); // a tap shows it, the next one follows it
        show();
      } else {
        opening(event, citation);
      }
    });
    return chip;
  }

  /** @param {string} path */
  #link(path) {
    const href = this.host.address(path);
    return this.host.sameSite ? { href } : { href, target: "_blank", rel: "noopener" };
  }
}

/** @param {number} share */
function percent(share) {
  const rounded = Math.round(share * 100);
  if (rounded === 0) return "< 1 %";
  return rounded === 100 && share < 1 ? "> 99 %" : `${rounded} %`;
}
