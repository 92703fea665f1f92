import { GatehouseError } from "@gatehouse/kernel";
import type { Frame, SessionFacts } from "@gatehouse/recording";
import type { RecordingIndex } from "@gatehouse/recording/index";
import {
  type Passage,
  type PassageSource,
  commandText,
  hiddenText,
  indexedText,
  passageSources,
  shownText,
  statementText,
} from "@gatehouse/recording/passages";

/** Where in the text of a recording: the passage of this number in its source, counted from `fromUs` on where that stands. */
export type Place = { source: PassageSource; n: number; fromUs?: number };
export type Placed = Passage & { place: Place };

export type Readable = {
  facts: SessionFacts;
  index: RecordingIndex | undefined;
  /** Of the lanes that may be seen. */
  frames(window?: { fromTimeUs?: number }): AsyncIterable<Frame>;
  /** What of it is looked through. */
  sources: ReadonlySet<PassageSource>;
  /** False of a text that holds nothing that is looked for: it is left out where that costs less than reading it. */
  mayHold?: ((text: string) => boolean) | undefined;
};

/** All that can be read in a recording, from a place on: what was asked to run, what was shown or run, what was typed. */
export async function* textFrom(
  readable: Readable,
  from: Place = { source: "command", n: 0 },
): AsyncGenerator<Placed> {
  const { facts, index, sources, mayHold } = readable;
  const isQuery = facts.track === "query";
  const order: readonly PassageSource[] = ["command", isQuery ? "statement" : "screen", "input"];
  const first = order.indexOf(from.source);
  if (first < 0) throw notAPlace();
  for (const source of order.slice(first)) {
    if (!sources.has(source)) continue;
    const start = source === from.source ? from : { source, n: 0 };
    switch (source) {
      case "command":
        yield* counted(commandText(facts), start);
        break;
      case "screen":
      case "statement":
        if (index)
          for await (const { n, ...passage } of indexedText(facts, index, start.n, mayHold))
            yield { ...passage, place: { source, n } };
        else
          yield* counted(
            isQuery ? statementText(readable.frames()) : shownText(facts, readable.frames()),
            start,
          );
        break;
      case "input":
        yield* isQuery ? counted(hiddenText(facts, readable.frames()), start) : typedFrom(readable, start);
        break;
    }
  }
}

async function* counted(
  passages: AsyncIterable<Passage> | Iterable<Passage>,
  { source, n: first }: Place,
): AsyncGenerator<Placed> {
  let n = 0;
  for await (const passage of passages) {
    if (n >= first) yield { ...passage, place: { source, n } };
    n++;
  }
}

/** A line that is typed begins with nothing typed before it, so reading can begin there: `n` counts lines of one moment. */
async function* typedFrom(
  { facts, frames }: Readable,
  { source, n: first, fromUs = 0 }: Place,
): AsyncGenerator<Placed> {
  let n = 0;
  let momentUs = -1;
  for await (const passage of hiddenText(facts, frames({ fromTimeUs: fromUs }))) {
    n = passage.timeUs === momentUs ? n + 1 : 0;
    momentUs = passage.timeUs;
    if (momentUs === fromUs && n < first) continue;
    yield { ...passage, place: { source, n, fromUs: momentUs } };
  }
}

export function placeText({ source, n, fromUs }: Place): string {
  return `${source}-${n}${fromUs === undefined ? "" : `-${fromUs}`}`;
}

export function placeOf(text: string): Place {
  const [name, n, fromUs] = text.split("-");
  const source = passageSources.find((one) => one === name);
  if (!source || n === undefined) throw notAPlace();
  return { source, n: Number(n), ...(fromUs !== undefined && { fromUs: Number(fromUs) }) };
}

function notAPlace(): GatehouseError {
  return new GatehouseError({
    code: "invalid",
    op: "recording.search",
    message: "not a cursor of this search",
    hint: "Pass `next` of the page before, unchanged.",
  });
}
