/**
 * Spans of code points as spans of UTF-16 code units, which is how JavaScript counts. `spans` are sorted.
 * @param {string} text
 * @param {number[][]} spans
 */
export function toCodeUnits(text, spans) {
  let points = 0;
  let units = 0;
  const forward = (/** @type {number} */ target) => {
    for (; points < target && units < text.length; points++) units += Number(text.codePointAt(units)) > 0xffff ? 2 : 1;
    return units;
  };
  return spans.map(([start, end]) => [forward(start), forward(end)]);
}

/**
 * Sorted spans that cover the same places, none overlapping another.
 * @param {number[][]} spans
 */
export function union(spans) {
  /** @type {number[][]} */
  const out = [];
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = out.at(-1);
    if (last && start < last[1]) last[1] = Math.max(last[1], end);
    else out.push([start, end]);
  }
  return out;
}
