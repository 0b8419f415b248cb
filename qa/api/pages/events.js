/** The server-sent events of a response body, as {event, data}, with `data` parsed as JSON. */
export async function* events(body) {
  let waiting = "";
  for await (const chunk of chunks(body.pipeThrough(new TextDecoderStream()))) {
    waiting += chunk;
    const blocks = waiting.split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks) {
      const event = { event: "message", data: "" };
      for (const line of block.split("\n")) {
        const colon = line.indexOf(":");
        const field = line.slice(0, colon);
        const value = line.slice(colon + 1).replace(/^ /, "");
        if (field === "event") event.event = value;
        if (field === "data") event.data += value;
      }
      if (event.data) yield { event: event.event, data: JSON.parse(event.data) };
    }
  }
}

/** What `for await` over a stream does, for browsers whose streams cannot be iterated. */
async function* chunks(stream) {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}
