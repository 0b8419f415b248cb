/** @import { Answer, Event, Rating, Turn } from "../wire.js" */

const VERSION = 1;
const MOST_TURNS = 30;
const MOST_CHARACTERS = 200_000;

/**
 * The conversation that this tab keeps by this name; empty when there is none that can be read. What had no answer yet
 * has been stopped.
 * @param {string} name
 * @returns {Turn[]}
 */
export function load(name) {
  try {
    const { version, turns } = JSON.parse(sessionStorage.getItem(key(name)) ?? "{}");
    if (version !== VERSION) return [];
    return turns.map((/** @type {{question?: string, answer?: Answer, rating?: Rating}} */ { question, answer, rating }) => answer
      ? { question: String(answer.question), answer, rating, events: eventsOf(answer) }
      : { question: String(question), events: [], ended: "stopped" });
  } catch {
    return []; // no storage here, or not what was written
  }
}

/**
 * Keep the latest turns, as far as there is room: the answers, and the questions that have none.
 * @param {string} name
 * @param {Turn[]} turns
 */
export function save(name, turns) {
  const kept = turns.map(({ question, answer, rating }) => (answer ? { answer: trimmed(answer), rating } : { question }));
  let text = "";
  for (kept.splice(0, kept.length - MOST_TURNS); ; kept.shift()) {
    text = JSON.stringify({ version: VERSION, turns: kept });
    if (text.length <= MOST_CHARACTERS || !kept.length) break;
  }
  try {
    if (kept.length) sessionStorage.setItem(key(name), text);
    else sessionStorage.removeItem(key(name));
  } catch {
    // no storage here, or it is full: the conversation lasts until the page is left
  }
}

/**
 * The events that an answer would have come in.
 * @param {Answer} answer
 * @returns {Event[]}
 */
function eventsOf(answer) {
  const { passages, quote, claims, citations } = answer;
  const cited = (/** @type {{citation_indices: number[]}} */ { citation_indices }) => citation_indices.map((i) => citations[i]);
  return [
    { event: "passages", data: { passages } },
    .../** @type {Event[]} */ (quote ? [{ event: "quote", data: { quote, citations: cited(quote) } }] : []),
    .../** @type {Event[]} */ (claims.map((claim) => ({ event: "claim", data: { claim, citations: cited(claim) } }))),
    { event: "answer", data: answer },
  ];
}

/**
 * Without the passages that nothing shows.
 * @param {Answer} answer
 */
function trimmed(answer) {
  const { citations, passages } = answer;
  const shown = citations.length ? passages.filter((p) => citations.some((c) => holds(p, c))) : passages.slice(0, 3);
  return { ...answer, passages: shown };
}

/**
 * Whether the place of a citation lies inside a passage.
 * @param {import("../wire.js").Passage} passage
 * @param {import("../wire.js").Citation} citation
 */
export function holds(passage, citation) {
  return passage.document_id === citation.document_id
    && passage.start_char_index <= citation.start_char_index && citation.end_char_index <= passage.end_char_index;
}

/** @param {string} name */
function key(name) {
  return `qa-chat ${name}`;
}
