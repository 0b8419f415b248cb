// What comes over the wire, as /openapi.json has it, and what the widget keeps. Types only: no browser loads this.

export interface Citation {
  id: string;
  cited_text: string;
  document_id: string;
  document_title: string;
  document_version: string;
  start_char_index: number;
  end_char_index: number;
  viewer_url: string;
  source_url: string | null;
}

export interface ResolvedCitation extends Citation {
  collection: string;
  stale: boolean;
  current_version: string;
  source_text_url: string | null;
}

export interface Passage {
  document_id: string;
  document_title: string;
  text: string;
  start_char_index: number;
  end_char_index: number;
  viewer_url: string;
}

export interface Claim {
  text: string;
  citation_indices: number[];
}

export interface Answer {
  id: string;
  status: "answered" | "not_answerable";
  question: string;
  standalone_question: string | null;
  short_answer: string | null;
  collection: string;
  answer: string;
  answerable_probability: number;
  support_score: number | null;
  composed_by: "extract" | "llm" | null;
  quote: Claim | null;
  claims: Claim[];
  citations: Citation[];
  passages: Passage[];
  models: { llm: string | null };
  timings: Record<string, number>;
  /** Not in answers that an earlier version has kept. */
  unanswered?: string[];
  note: string | null;
}

export interface ProblemDetails {
  title: string;
  detail?: string;
  help?: string;
  errors?: { field: string; message: string }[];
}

/** An event of the stream: its name, and its data parsed. */
export type Event =
  | { event: "passages"; data: { passages: Passage[] } }
  | { event: "quote"; data: { quote: Claim; citations: Citation[] } }
  | { event: "claim"; data: { claim: Claim; citations: Citation[] } }
  | { event: "answer"; data: Answer }
  | { event: "error"; data: ProblemDetails };

export type Rating = "up" | "down";

/** A question with all that has come for it. */
export interface Turn {
  question: string;
  events: Event[];
  answer?: Answer;
  rating?: Rating;
  /** Why it ended without an answer: the reader stopped it, or a problem. */
  ended?: "stopped" | import("./widget/api.js").Problem;
}

/** What a turn needs of the component that it is part of. */
export interface Host {
  strings: typeof import("./widget/strings.js").STRINGS;
  preview: import("./widget/preview.js").Preview;
  /** The full address of a page of the service. */
  address(path: string): string;
  /** Whether the pages of the service are of this site: then they open in the same tab. */
  sameSite: boolean;
  say(text: string): void;
  opening(event: MouseEvent, citation: Citation): void;
  retry(turn: Turn): void;
  rate(turn: Turn, rating: Rating, reason?: string): Promise<void>;
}
