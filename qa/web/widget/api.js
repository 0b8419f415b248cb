/** @import { Event, ProblemDetails } from "../wire.js" */

/** Why there is no answer. `kind` names it; `details` is what the service said, where it said something. */
export class Problem extends Error {
  /**
   * @param {"busy" | "offline" | "unreachable" | "broken" | "told"} kind
   * @param {ProblemDetails} [details]
   * @param {number} [retryAfter] seconds
   */
  constructor(kind, details, retryAfter = 5) {
    super(details?.title ?? kind);
    this.kind = kind;
    this.details = details;
    this.retryAfter = retryAfter;
  }
}

/**
 * Send JSON, and give a response that is good.
 * @param {string} url
 * @param {object} body
 * @param {AbortSignal} [signal]
 */
export async function post(url, body, signal) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body), signal }).catch((error) => {
    throw signal?.aborted ? error : new Problem(navigator.onLine ? "unreachable" : "offline");
  });
  if (response.ok) return response;
  const details = await response.json().catch(() => null);
  const wait = Number(response.headers.get("Retry-After"));
  if (response.status === 429) throw new Problem("busy", details, Math.min(Math.max(wait || 5, 1), 120));
  throw details?.title ? new Problem("told", details) : new Problem("unreachable");
}

/**
 * The events of an answer as they come; the last is the answer itself. Throws a `Problem` in place of the rest.
 * @param {string} url
 * @param {object} body
 * @param {AbortSignal} signal
 */
export async function* events(url, body, signal) {
  const response = await post(url, { ...body, stream: true }, signal);
  if (!response.body || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
    throw new Problem("unreachable");
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const blocks = (waiting + value).split("\n\n");
      waiting = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = parsed(block);
        if (event?.event === "error") throw new Problem("told", event.data);
        if (event) yield event;
        if (event?.event === "answer") return;
      }
    }
  } catch (error) {
    if (signal.aborted || error instanceof Problem) throw error;
  } finally {
    reader.cancel().catch(() => {});
  }
  throw new Problem("broken");
}

/**
 * @param {string} block
 * @returns {Event | undefined}
 */
function parsed(block) {
  let event = "";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) event = line.slice(7);
    if (line.startsWith("data: ")) data += line.slice(6);
  }
  return data ? /** @type {Event} */ ({ event, data: JSON.parse(data) }) : undefined;
}
