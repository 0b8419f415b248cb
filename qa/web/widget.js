// <qa-chat>: asks a Cited QA service and shows each answer with the places that support it.
// The README lists what a page can set, style and listen to.

/** @import { Answer, Host, Rating, Turn } from "./wire.js" */
import { Problem, events, post } from "./widget/api.js";
import { cut, el, fill, icon } from "./widget/dom.js";
import { Preview } from "./widget/preview.js";
import { load, save } from "./widget/store.js";
import { STRINGS } from "./widget/strings.js";
import { sheet } from "./widget/style.js";
import { TurnView } from "./widget/turn.js";

const TEXTS = ["endpoint", "collection", "mode", "greeting", "placeholder"];
const HISTORY = 5; // earlier turns that go along with a question
const MOST = { question: 2000, answer: 10_000, short: 1000 }; // code points of them that the service takes back
const TRIES = 3; // how often a busy service is asked again by itself
const CHAT = "M4 5h16v11H11l-5 4v-4H4zM8 9h8M8 12h5";
const CLOSE = "M6 6l12 12M18 6 6 18";
const CLEAR = "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13";
const SEND = "M12 19V5M6 11l6-6 6 6";
const STOP = "M5 5h14v14H5z";

/** Those on the page. @type {Set<QAChat>} */
const present = new Set();

/** Answers in a panel over the page, or, with the attribute `inline`, in its place in the page. */
export class QAChat extends HTMLElement {
  static observedAttributes = [...TEXTS, "title", "lang", "dir", "suggestions", "strings", "inline", "open"];

  #shadow = this.attachShadow({ mode: "open" });
  #input = el("textarea", { rows: 1, dir: "auto", enterKeyHint: "send" });
  #log = el("div", { className: "log", part: "log", tabIndex: 0 });
  #spoken = el("div", { className: "unseen", role: "log", ariaLive: "polite" });
  #send = el("button", { className: "send", part: "send" });
  #launcher = el("button", { className: "launcher", part: "launcher", type: "button" });
  #preview = new Preview();
  /** @type {HTMLElement} */
  #panel = el("section");
  /** @type {Turn[]} */
  #turns = [];
  /** @type {Map<Turn, TurnView>} */
  #views = new Map();
  /** @type {AbortController | null} */
  #running = null;
  /** @type {AbortController | null} */
  #connected = null;
  /** @type {Partial<typeof STRINGS>} */
  #own = {};
  /** @type {string[] | null} */
  #suggestions = null;
  /** @type {Element | null} */
  #before = null;
  /** Where the log is to stand once it is seen. @type {Turn | number | undefined} */
  #aim;
  #stale = true;
  #loaded = "";
  #words = "";
  #name = "";

  constructor() {
    super();
    this.#shadow.adoptedStyleSheets = [sheet];
    this.#launcher.addEventListener("click", () => {
      this.open = true;
      this.#input.focus();
    });
    this.#input.addEventListener("keydown", (event) => {
      // In Safari the Enter that ends a composition comes after it, with the key code of composing.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#submit();
    });
    this.#log.addEventListener("scroll", () => this.#preview.hide(), { passive: true });
  }

  connectedCallback() {
    // What a framework set before this class was there hides the accessors: set it again, through them.
    for (const name of [...TEXTS, "theme", "suggestions", "strings", "inline", "open"]) {
      if (!Object.hasOwn(this, name)) continue;
      const value = Reflect.get(this, name);
      Reflect.deleteProperty(this, name);
      Reflect.set(this, name, value);
    }
    present.add(this);
    this.#name = this.#free();
    this.#connected = new AbortController();
    const { signal } = this.#connected;
    addEventListener("scroll", () => this.#preview.hide(), { signal, passive: true });
    addEventListener("resize", () => this.#preview.hide(), { signal });
    this.#render();
  }

  disconnectedCallback() {
    present.delete(this);
    this.#connected?.abort();
    this.#preview.hide();
    queueMicrotask(() => this.isConnected || this.stop()); // not when it was only moved
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (name === "open") {
      this.#sync();
    } else if (!this.#stale) {
      this.#stale = true;
      queueMicrotask(() => this.isConnected && this.#stale && this.#render());
    }
  }

  /** Address of the service; where this script came from if not given. */
  get endpoint() { return this.getAttribute("endpoint") ?? new URL(".", import.meta.url).href; }
  set endpoint(value) { this.#reflect("endpoint", value); }
  get collection() { return this.getAttribute("collection") || "default"; }
  set collection(value) { this.#reflect("collection", value); }
  /** How to answer: `auto`, `extractive` or `generative`. */
  get mode() { return this.getAttribute("mode") || "auto"; }
  set mode(value) { this.#reflect("mode", value); }
  get greeting() { return this.getAttribute("greeting") ?? this.#strings.greeting; }
  set greeting(value) { this.#reflect("greeting", value); }
  get placeholder() { return this.getAttribute("placeholder") ?? this.#strings.placeholder; }
  set placeholder(value) { this.#reflect("placeholder", value); }
  /** `light`, `dark`, or as the reader prefers. */
  get theme() { return this.getAttribute("theme") || "auto"; }
  set theme(value) { this.#reflect("theme", value); }
  get inline() { return this.hasAttribute("inline"); }
  set inline(value) { this.toggleAttribute("inline", !!value); }
  /** Whether the panel is open. */
  get open() { return this.hasAttribute("open"); }
  set open(value) { this.toggleAttribute("open", !!value); }
  /** Questions to begin with; as an attribute separated by `|`. */
  get suggestions() {
    return this.#suggestions ?? (this.getAttribute("suggestions") ?? "").split("|").map((one) => one.trim()).filter(Boolean);
  }
  set suggestions(value) {
    this.#suggestions = value == null ? null : Array.from(value, String);
    this.attributeChangedCallback("suggestions");
  }
  /** Words in place of the widget's own, by name; as an attribute in JSON. */
  get strings() { return this.#own; }
  set strings(value) {
    this.#own = value ?? {};
    this.attributeChangedCallback("strings");
  }

  /** The questions so far, each with its answer where one came. */
  get conversation() { return this.#turns.map(({ question, answer }) => ({ question, answer })); }

  /**
   * Ask, as if it had been typed.
   * @param {string} question
   */
  async ask(question) {
    question = String(question).trim();
    if (!question) return;
    this.#render();
    this.stop();
    /** @type {Turn} */
    const turn = { question, events: [] };
    this.#turns.push(turn);
    this.#log.append(this.#view(turn).node);
    this.#sync();
    await this.#run(turn);
  }

  /** Stop the answer that is coming; what has come stays. */
  stop() {
    this.#running?.abort();
  }

  /** Forget the conversation. */
  clear() {
    this.stop();
    this.#turns = [];
    this.#drop();
    this.#save();
    this.#stale = true;
    this.#render();
    this.#say(this.#strings.cleared);
  }

  /** @param {string} name @param {unknown} value */
  #reflect(name, value) {
    if (value == null) this.removeAttribute(name);
    else this.setAttribute(name, String(value));
  }

  get #strings() {
    let given = {};
    try {
      given = JSON.parse(this.getAttribute("strings") || "{}");
    } catch {
      console.warn("<qa-chat>: the attribute strings is not JSON and is ignored");
    }
    return { ...STRINGS, ...given, ...this.#own };
  }

  /** The service's root, ending with a slash. */
  get #root() {
    return new URL(this.endpoint.replace(/\/*$/, "/"), document.baseURI).href;
  }

  /** The name to keep the conversation by: that of its collection, for a second one on the page with a number. */
  #free() {
    const first = `${this.#root} ${this.collection}`;
    let name = first;
    for (let i = 2; [...present].some((one) => one !== this && one.#name === name); i++) name = `${first} ${i}`;
    return name;
  }

  #drop() {
    for (const view of this.#views.values()) view.drop();
    this.#views.clear();
  }

  /** @param {Turn} turn */
  #view(turn) {
    const root = this.#root;
    let speaks = false; // what stands already is not read out again
    /** @type {Host} */
    const host = {
      strings: this.#strings,
      preview: this.#preview,
      address: (path) => new URL(path.replace(/^\/+/, ""), root).href,
      sameSite: new URL(root).origin === location.origin,
      say: (text) => speaks && this.#say(text),
      opening: (event, citation) => this.#emit("qa-citation", { citation }, true) || event.preventDefault(),
      retry: (again) => {
        this.stop();
        this.#run(again);
        this.#input.focus();
      },
      rate: (rated, rating, reason) => this.#rate(rated, rating, reason),
    };
    const view = new TurnView(turn, host);
    speaks = true;
    this.#views.set(turn, view);
    return view;
  }

  /** Build everything anew from the attributes, around the turns. What is being typed or read stays. */
  #render() {
    if (!this.isConnected) return;
    if (!this.#stale) return this.#sync();
    this.#stale = false;
    const focused = this.#shadow.activeElement;
    this.#preview.hide();
    const strings = this.#strings;
    const words = JSON.stringify(strings);
    const title = this.getAttribute("title") || strings.title;
    const loaded = `${this.#root} ${this.collection}`;
    if (loaded !== this.#loaded) {
      this.stop();
      this.#drop();
      this.#name = this.#free();
      this.#turns = load(this.#name);
      this.#loaded = loaded;
      this.#aim = this.#turns.at(-1);
    }
    if (words !== this.#words) this.#drop();
    this.#words = words;
    this.#aim ??= this.#log.clientHeight ? this.#log.scrollTop : this.#turns.at(-1);
    this.#input.placeholder = this.#input.ariaLabel = this.placeholder;
    this.#log.ariaLabel = title;
    this.#launcher.replaceChildren(icon(CHAT), el("span", {}, strings.launch));

    const clear = this.#button("clear", strings.clear, CLEAR, () => {
      this.clear();
      this.#input.focus();
    });
    const close = this.#button("close", strings.close, CLOSE, () => (this.open = false));
    const form = el("form", { className: "form", part: "form" }, this.#input, this.#send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#running) this.stop();
      else this.#submit();
    });
    this.#log.replaceChildren(this.#welcome(strings), ...this.#turns.map((turn) => (this.#views.get(turn) ?? this.#view(turn)).node));
    this.#panel = el(this.inline ? "section" : "dialog", { className: "panel", part: "panel", ariaLabel: title },
      el("header", { className: "header", part: "header" }, el("h2", { dir: "auto" }, title), clear, ...(this.inline ? [] : [close])),
      this.#log, this.#spoken, form, this.#preview.node);
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      const shown = this.#preview.hide();
      if (this.inline && !shown) return; // it is for the page
      event.preventDefault();
      if (!shown) this.open = false;
    });
    this.#panel.addEventListener("cancel", (event) => event.preventDefault()); // Escape is handled above
    // An empty title keeps that of the host from becoming a tooltip over everything.
    const root = el("div", { className: "root", part: "root", title: "", lang: this.lang || "en" }, ...(this.inline ? [] : [this.#launcher]), this.#panel);
    if (this.dir) root.dir = this.dir;
    const opened = this.#shadow.querySelector("dialog[open]");
    this.#shadow.replaceChildren(root);
    this.#sync(!opened);
    if (focused instanceof HTMLElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  /** @param {typeof STRINGS} strings */
  #welcome(strings) {
    const ask = (/** @type {string} */ question) => {
      const button = el("button", { type: "button", className: "suggestion", part: "suggestion", dir: "auto" }, question);
      button.addEventListener("click", () => {
        this.ask(question);
        this.#input.focus();
      });
      return el("li", {}, button);
    };
    const { suggestions } = this;
    return el("div", { className: "welcome", part: "welcome" }, el("p", { dir: "auto" }, this.greeting),
      ...(suggestions.length ? [el("ul", { ariaLabel: strings.suggested }, ...suggestions.map(ask))] : []));
  }

  /** @param {string} part @param {string} label @param {string} path @param {() => void} action */
  #button(part, label, path, action) {
    const button = el("button", { type: "button", className: `small ${part}`, part, ariaLabel: label, title: label }, icon(path));
    button.addEventListener("click", action);
    return button;
  }

  /** Bring what is shown in line with the state: open or closed, asking or not, begun or not.
   * @param {boolean} [focus] whether opening takes the focus along */
  #sync(focus = true) {
    if (!this.#panel.isConnected) return;
    const strings = this.#strings;
    const busy = !!this.#running;
    this.#send.ariaLabel = this.#send.title = busy ? strings.stop : strings.ask;
    this.#send.classList.toggle("busy", busy);
    this.#send.replaceChildren(icon(busy ? STOP : SEND));
    this.#log.ariaBusy = String(busy);
    this.#panel.classList.toggle("begun", this.#turns.length > 0);
    this.#toggle(focus);
    this.#settle();
  }

  /** @param {boolean} focus */
  #toggle(focus) {
    const panel = this.#panel;
    if (!(panel instanceof HTMLDialogElement) || panel.open === this.open) return;
    if (this.open) {
      if (focus) this.#before = document.activeElement;
      // Where the panel covers the page, nothing behind it can be reached.
      if (matchMedia("(max-width: 480px)").matches) panel.showModal();
      else panel.setAttribute("open", "");
      this.#launcher.hidden = true;
      if (focus && document.readyState === "complete") this.#input.focus();
    } else {
      const within = this.#shadow.activeElement;
      this.#preview.hide();
      panel.close();
      this.#launcher.hidden = false;
      const back = this.#before instanceof HTMLElement && this.#before.isConnected && this.#before !== document.body ? this.#before : this.#launcher;
      if (within) (back === this ? this.#launcher : back).focus();
    }
  }

  #submit() {
    const question = this.#input.value;
    if (!question.trim()) return;
    this.#input.value = "";
    this.ask(question);
  }

  /** @param {Turn} turn */
  async #run(turn) {
    const controller = (this.#running = new AbortController());
    const { signal } = controller;
    turn.ended = undefined;
    this.#save(); // whoever leaves before the answer finds the question again
    this.#spoken.replaceChildren();
    this.#say(this.#strings.searching);
    this.#sync();
    this.#views.get(turn)?.begin();
    this.#aim = turn;
    this.#settle();
    try {
      await this.#patiently(turn, signal);
      this.#emit("qa-answer", { answer: turn.answer });
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem("broken");
      turn.ended = signal.aborted ? "stopped" : problem;
      this.#views.get(turn)?.end();
      if (signal.aborted) this.#say(this.#strings.stopped);
      else this.#emit("qa-error", { question: turn.question, kind: problem.kind, problem: problem.details ?? null });
      if (problem !== error && !signal.aborted) console.error(error);
    }
    if (this.#running === controller) this.#running = null;
    this.#save();
    this.#sync();
  }

  /** Ask until there is an answer: again when the service is free, or when the reader is back online.
   * @param {Turn} turn @param {AbortSignal} signal */
  async #patiently(turn, signal) {
    const strings = this.#strings;
    for (let tries = 1; ; tries++) {
      turn.events = [];
      try {
        for await (const event of events(`${this.#root}v1/ask`, this.#request(turn), signal)) {
          turn.events.push(event);
          this.#views.get(turn)?.show(event);
        }
        return;
      } catch (error) {
        if (!(error instanceof Problem) || signal.aborted) throw error;
        const wait = (/** @type {string} */ title, /** @type {string} */ help) => this.#views.get(turn)?.wait(title, help);
        if (error.kind === "offline") {
          wait(strings.offline, strings.offlineHelp);
          this.#say(`${strings.offline}. ${strings.offlineHelp}`);
          await until(signal, (done) => addEventListener("online", done, { once: true, signal }));
        } else if (error.kind === "busy" && tries <= TRIES) {
          this.#say(strings.busy);
          for (let seconds = error.retryAfter; seconds > 0; seconds--) {
            wait(strings.busy, fill(strings.busyHelp, { seconds }));
            await until(signal, (done) => setTimeout(done, 1000));
          }
        } else {
          throw error;
        }
        this.#views.get(turn)?.begin();
      }
    }
  }

  /** @param {Turn} turn */
  #request(turn) {
    const { collection, mode } = this;
    const earlier = this.#turns.slice(0, this.#turns.indexOf(turn));
    const history = earlier.flatMap(({ question, answer }) => (answer
      ? [{ question: short(question, MOST.question), answer: short(answer.answer, MOST.answer) }] : [])).slice(-HISTORY);
    return { question: turn.question, collection, mode, ...(history.length ? { history } : {}) };
  }

  /** @param {Turn} turn @param {Rating} rating @param {string} [reason] */
  async #rate(turn, rating, reason) {
    const answer = /** @type {Answer} */ (turn.answer);
    this.#emit("qa-feedback", { rating, reason, answer });
    await post(`${this.#root}v1/feedback`, {
      answer_id: answer.id, question: short(turn.question, MOST.question), collection: answer.collection, rating, ...(reason ? { reason } : {}),
      standalone_question: short(answer.standalone_question, MOST.question), status: answer.status,
      answer: short(answer.answer, MOST.answer), short_answer: short(answer.short_answer, MOST.short),
      citations: answer.citations.map(({ id }) => id),
    });
    turn.rating = rating;
    this.#save();
  }

  #save() {
    save(this.#name, this.#turns);
  }

  /** Have a screen reader say it, after what it is saying. @param {string} text */
  #say(text) {
    this.#spoken.append(el("p", {}, text));
  }

  #settle() {
    const aim = this.#aim;
    if (aim === undefined || !this.#log.clientHeight) return;
    this.#aim = undefined;
    this.#log.scrollTop = typeof aim === "number" ? aim : (this.#views.get(aim)?.node.offsetTop ?? 0) + 1; // without its line
  }

  /** @param {string} name @param {object} detail @param {boolean} [cancelable] */
  #emit(name, detail, cancelable) {
    return this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, cancelable, detail }));
  }
}

/**
 * @template {string | null} T
 * @param {T} text
 * @param {number} most
 * @returns {T}
 */
function short(text, most) {
  return /** @type {T} */ (text && cut(text, 0, most)[1]);
}

/** Wait for what calls `done`, or throw when `signal` aborts.
 * @param {AbortSignal} signal @param {(done: () => void) => void} begin */
function until(signal, begin) {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    begin(() => resolve(undefined));
  });
}

if (!customElements.get("qa-chat")) customElements.define("qa-chat", QAChat);
