// The page to ask on. Everything that came over the wire is set as text, never as markup.

import { el } from "./dom.js";
import { events } from "./events.js";

const form = document.querySelector("#ask");
const status = document.querySelector("#status");
const result = document.querySelector("#result");
const stop = document.querySelector("#stop");
const submit = document.querySelector("#submit");
let running = null;

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  form.elements.question.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  stop.addEventListener("click", () => running?.abort());
}

async function ask() {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  busy(true);
  say("Searching the documents…", true);
  result.replaceChildren();
  const view = new AnswerView();
  try {
    const response = await fetch("/v1/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
      body: JSON.stringify({
        question: form.elements.question.value,
        collection: form.elements.collection.value,
        mode: form.elements.mode.value,
        stream: true,
      }),
      signal: mine.signal,
    });
    if (!response.ok) throw problem(await response.json());
    for await (const { event, data } of events(response.body)) {
      if (event === "error") throw problem(data);
      view[event]?.(data);
    }
    if (!view.done) throw problem({ title: "The answer broke off", detail: "The connection ended early.", help: "Ask again." });
  } catch (error) {
    if (running !== mine) return; // a newer question has taken over the page
    if (mine.signal.aborted) {
      say("Stopped.");
    } else {
      say("");
      show(el("div", { className: "problem card", role: "alert" }, ...problemLines(error)));
    }
  } finally {
    if (running === mine) {
      running = null;
      busy(false);
    }
  }
}

/** Shows an answer as it comes about: one method an event. */
class AnswerView {
  done = false;
  quoted = [];

  passages({ passages }) {
    this.found = passages;
    say("Reading…", true);
  }

  quote({ citations }) {
    this.quoted = citations;
    const sentences = citations.flatMap((citation, i) => [i ? " " : "", sentence(citation.cited_text, [[i + 1, citation]])]);
    const titles = [...new Set(citations.map((citation) => citation.document_title))];
    show(
      el("figure", { className: "quote" },
        el("blockquote", { dir: "auto" }, ...sentences),
        el("figcaption", {}, "From ", ...titles.flatMap((title, i) => [i ? ", " : "", el("cite", { dir: "auto" }, title)]))),
    );
    say("Found. Writing…", true);
  }

  claim({ claim, citations }) {
    // A verbatim sentence already stands in the quote with its number; saying it twice would tell nobody anything.
    if (this.quoted.some((citation) => citation.cited_text === claim.text)) return;
    if (!this.written) {
      this.written = el("p", { className: "answer", dir: "auto" });
      result.prepend(this.written);
    }
    const numbered = claim.citation_indices.map((index, i) => [index + 1, citations[i]]);
    this.written.append(this.written.hasChildNodes() ? " " : "", sentence(claim.text, numbered));
  }

  answer(answer) {
    this.done = true;
    if (answer.status === "answered") {
      say("Answered.", false, answer.answer);
      if (answer.note) show(el("p", { className: "small-print" }, answer.note));
      show(el("p", { className: "small-print" }, smallPrint(answer)));
      show(el("details", { className: "small-print" }, el("summary", {}, "Passages that were read"), passageList(answer.passages)));
    } else {
      say("Not answered.", false, answer.answer);
      show(
        el("div", { className: "refusal card" }, el("h2", {}, "No answer in these documents"), el("p", {}, answer.answer),
          el("p", { className: "small-print" }, smallPrint(answer))),
      );
      if (answer.passages.length) {
        show(el("div", { className: "nearest" }, el("h2", {}, "The nearest passages, which do not answer it"), passageList(answer.passages)));
      }
    }
  }
}

function sentence(text, citations) {
  return el("span", { className: "sentence" }, text, ...citations.map(([number, citation]) =>
    el("a", { className: "cite", href: citation.viewer_url, title: citation.document_title,
      ariaLabel: `Source ${number}: ${citation.document_title}` }, String(number))));
}

function passageList(passages) {
  return el("ol", { className: "passages" }, ...passages.map((passage) =>
    el("li", {}, el("a", { href: passage.viewer_url, dir: "auto" }, passage.document_title),
      el("p", { dir: "auto", tabIndex: 0 }, passage.text))));
}

function smallPrint(answer) {
  const how = {
    extract: "The source’s own words",
    llm: `Written by ${answer.models.llm}, checked against the sources (support ${percent(answer.support_score)})`,
  }[answer.composed_by];
  const seconds = Object.values(answer.timings).reduce((sum, ms) => sum + ms, 0) / 1000;
  return [how, `probability of an answer ${percent(answer.answerable_probability)}`, `${seconds.toFixed(2)} s`]
    .filter(Boolean).join(" · ");
}

function percent(number) {
  const rounded = Math.round(number * 100);
  if (rounded === 0) return "under 1 %";
  return rounded === 100 && number < 1 ? "over 99 %" : `${rounded} %`;
}

function problem(details) {
  return Object.assign(new Error(details.title), { details });
}

function problemLines(error) {
  const { title, detail, help, errors = [] } = error.details ?? {
    title: "The service cannot be reached", detail: "", help: "Check that it is running, then ask again.",
  };
  return [el("h2", {}, title), ...[detail, ...errors.map((e) => `${e.field}: ${e.message}`), help]
    .filter(Boolean).map((line) => el("p", {}, line))];
}

function show(node) {
  result.append(node);
}

/** Tells where things stand. Screen readers announce it, and with it what is `spoken`. */
function say(text, working = false, spoken = "") {
  status.replaceChildren(text, el("span", { className: "unseen" }, spoken));
  status.classList.toggle("busy", working);
}

function busy(working) {
  result.ariaBusy = String(working);
  submit.disabled = working;
  stop.hidden = !working;
}
