import { createHash } from "node:crypto";
import { canonicalJson } from "@gatehouse/contracts";
import { assert, fromHex, utf8 } from "@gatehouse/kernel";

/** A place in the chain and what stands there. */
export type ChainHead = { index: number; hash: string };

/** An event with its place. `body` is the canonical JSON (RFC 8785) of the event with `index` and `prev_hash`, without `hash`. */
export type ChainLink = { index: number; hash: string; prevHash: string; body: string };

export type ChainFault = {
  kind: "missing" | "altered" | "moved" | "broken" | "truncated" | "replaced" | "unsigned";
  /** Of the event that is concerned. */
  index: number;
  /** One sentence for a person. */
  message: string;
};

/** What the first event follows. */
export const genesisHash = "0".repeat(64);
const faultsMax = 100;

/** `hash` = SHA-256 over the 32 bytes of `prev_hash` and the UTF-8 of `body`. */
export function hashOf(prevHash: string, body: string): string {
  return createHash("sha256").update(fromHex(prevHash)).update(utf8(body)).digest("hex");
}

/** Puts an event behind the last one. */
export function linkAfter(last: ChainHead | undefined, event: Readonly<Record<string, unknown>>): ChainLink {
  assert(!("hash" in event || "index" in event || "prev_hash" in event), "an event has no place of its own");
  const index = last === undefined ? 0 : last.index + 1;
  const prevHash = last?.hash ?? genesisHash;
  const body = canonicalJson({ ...event, index, prev_hash: prevHash });
  return { index, prevHash, body, hash: hashOf(prevHash, body) };
}

/** A log whose beginning was removed: where it begins, and what stood there before. */
type Start = { index: number; prevHash: string };

/** Follows a chain from its first link and names what does not fit. It goes on after a fault, to find the others. */
export class ChainWalk {
  readonly faults: ChainFault[] = [];
  readonly #known: Map<number, string>;
  readonly #anchorIn: (event: Readonly<Record<string, unknown>>) => ChainHead | undefined;
  /** Set until the event is found that says why the log begins later. */
  #unexplained: Start | undefined;
  #last: ChainHead | undefined;
  #count = 0;

  /**
   * `known`: heads that were kept elsewhere. `anchorIn`: the last event that was removed when the log's beginning was, where an
   * event says so and may be believed; by it a log is whole that begins later.
   */
  constructor(
    known: readonly ChainHead[] = [],
    anchorIn: (event: Readonly<Record<string, unknown>>) => ChainHead | undefined = () => undefined,
  ) {
    this.#anchorIn = anchorIn;
    this.#known = new Map(known.map(({ index, hash }) => [index, hash]));
  }
  get events(): number {
    return this.#count;
  }
  get head(): ChainHead | undefined {
    return this.#last;
  }

  /** `copies` are the columns that repeat parts of the body, to be searched; they must say what it says. */
  step(link: ChainLink, copies: Readonly<Record<string, unknown>> = {}): void {
    const { index } = link;
    if (this.#last === undefined && index > 0) {
      this.#unexplained = { index, prevHash: link.prevHash };
      this.#last = { index: index - 1, hash: link.prevHash };
      const known = this.#known.get(index - 1);
      if (known !== undefined && known !== link.prevHash) this.#replaced(index - 1);
    }
    const expected = this.#last === undefined ? 0 : this.#last.index + 1;
    this.#count++;
    if (index > expected)
      this.#fault(
        "missing",
        expected,
        index === expected + 1
          ? `event ${expected} is missing`
          : `events ${expected} to ${index - 1} are missing`,
      );
    else if (index < expected)
      this.#fault("moved", index, `event ${index} comes after event ${expected - 1}`);

    const event = objectIn(link.body);
    if (event === undefined) this.#fault("altered", index, `event ${index} is no event any more`);
    else if (!isHash(link.prevHash) || !isHash(link.hash) || hashOf(link.prevHash, link.body) !== link.hash)
      this.#fault("altered", index, `event ${index} was altered: its hash does not fit its content`);
    else if (event["index"] !== index)
      this.#fault("moved", index, `event ${String(event["index"])} stands in the place of event ${index}`);
    else if (event["prev_hash"] !== link.prevHash)
      this.#fault("altered", index, `event ${index} was altered: it names another event before it`);
    else {
      const differing = Object.keys(copies).filter(
        (name) => (event[name] ?? null) !== (copies[name] ?? null),
      );
      if (differing.length > 0)
        this.#fault("altered", index, `event ${index} was altered: ${differing.join(", ")} in its row`);
      else if (index === expected && link.prevHash !== (this.#last?.hash ?? genesisHash))
        this.#fault(
          "broken",
          index,
          index === 0
            ? "event 0 is not the first event of the log"
            : `event ${index} does not follow event ${index - 1}: one of them was replaced`,
        );
      if (this.#unexplained) this.#explain(event, this.#unexplained);
    }
    const known = this.#known.get(index);
    if (known !== undefined && known !== link.hash) this.#replaced(index);
    this.#last = { index, hash: link.hash };
  }

  /** What somebody stated, here, to be the last event. */
  hold({ index, hash }: ChainHead): void {
    const last = this.#last?.index ?? -1;
    if (index > last)
      this.#fault(
        "truncated",
        last + 1,
        last + 1 === index ? `event ${index} is missing` : `events ${last + 1} to ${index} are missing`,
      );
    else if (index < last)
      this.#fault("moved", index, `what was signed of event ${index} comes after event ${last}`);
    else if (hash !== this.#last?.hash) this.#replaced(index);
  }

  /** Nobody vouches for the log as it is. */
  unsigned(message: string): void {
    this.#fault("unsigned", this.#last?.index ?? 0, message);
  }

  /** A log that was pruned says so itself, further on. */
  #explain(event: Readonly<Record<string, unknown>>, start: Start): void {
    const anchor = this.#anchorIn(event);
    if (anchor && anchor.index === start.index - 1 && anchor.hash === start.prevHash)
      this.#unexplained = undefined;
  }

  #replaced(index: number): void {
    this.#fault("replaced", index, `event ${index} is not the one that was known: the log was written anew`);
  }

  /** After the last link. */
  finish(): void {
    if (this.#unexplained) {
      const last = this.#unexplained.index - 1;
      // It is what is wrong first.
      this.faults.unshift({
        kind: "missing",
        index: 0,
        message: last === 0 ? "event 0 is missing" : `events 0 to ${last} are missing`,
      });
    }
    const lastIndex = this.#last?.index ?? -1;
    const farthest = Math.max(-1, ...this.#known.keys());
    if (farthest > lastIndex)
      this.#fault(
        "truncated",
        lastIndex + 1,
        `the log is cut off: event ${farthest} was known, the last one is ${lastIndex < 0 ? "gone" : `event ${lastIndex}`}`,
      );
  }

  #fault(kind: ChainFault["kind"], index: number, message: string): void {
    if (this.faults.length < faultsMax) this.faults.push({ kind, index, message });
  }
}

/** The link in a line of an export. Throws nothing: what cannot be read is a link that does not verify. */
export function linkInLine(line: string): ChainLink {
  const event = objectIn(line);
  if (!event) return { index: -1, hash: "", prevHash: "", body: line };
  const { hash, ...rest } = event;
  return {
    index: typeof rest["index"] === "number" ? rest["index"] : -1,
    hash: typeof hash === "string" ? hash : "",
    prevHash: typeof rest["prev_hash"] === "string" ? rest["prev_hash"] : "",
    body: canonicalJson(rest),
  };
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
