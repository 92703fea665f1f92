import { createHash } from "node:crypto";
import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { constants, zstdCompressSync } from "node:zlib";
import { assert, messageOf } from "@gatehouse/kernel";
import { type Frame, importKeys, openSegment, parseSegment } from "@gatehouse/recording";
import { buildIndex } from "@gatehouse/recording/indexing";
import { nodeSealCrypto, nodeZstd } from "@gatehouse/recording/node";
import { HiddenText, TrigramFilterMaking, commandText } from "@gatehouse/recording/passages";
import { trigramMac } from "./search-keys.ts";
import type { Beginning, Filters, FromThread, Made, ToThread } from "./thread-words.ts";

const port = parentPort;
assert(port, "this is a thread's first file");

// On Linux this is the thread's own: sessions go first, and an index is made of what they leave.
try {
  setPriority(19);
} catch {
  // Where it may not be lowered, it stays.
}

const say = (word: FromThread) => port.postMessage(word);
const waiting: ToThread[] = [];
let wake = () => {};
port.on("message", (word: ToThread) => {
  waiting.push(word);
  wake();
});

async function next(): Promise<ToThread> {
  for (;;) {
    const word = waiting.shift();
    if (word) return word;
    await new Promise<void>((resolve) => (wake = resolve));
  }
}

async function* frames({ facts, keys }: Beginning, hidden: HiddenText): AsyncGenerator<Frame> {
  const open = await importKeys(keys);
  say({ taken: true });
  for (;;) {
    const word = await next();
    if (!("segment" in word)) return;
    const { n, bytes, sha256 } = word.segment;
    if (sha256 !== undefined && createHash("sha256").update(bytes).digest("hex") !== sha256)
      throw new Error("a segment is not the one that the manifest lists");
    const parts = parseSegment(bytes);
    if (parts.header.recordingId !== facts.sessionId || parts.header.n !== n)
      throw new Error(`what is stored as segment ${n} is another`);
    const segment = await openSegment(parts, open, nodeZstd);
    for (const frame of segment.frames()) {
      if (frame.kind === undefined) continue;
      hidden.take(frame);
      yield frame;
    }
    say({ taken: true });
  }
}

async function make(beginning: Beginning): Promise<Made> {
  const { facts, keys, headSha256, filterKeys } = beginning;
  assert(keys.main, "the key of the main lane");
  const shown = new TrigramFilterMaking();
  for (const { text } of commandText(facts)) shown.add(text);
  const hidden = new HiddenText(facts);
  const index = await buildIndex({
    facts,
    frames: frames(beginning, hidden),
    laneKey: keys.main,
    headSha256,
    onText: (text) => shown.add(text),
    crypto: {
      ...nodeSealCrypto,
      // Here and now: the thread pool is for what sessions wait for.
      compress: (plain) =>
        zstdCompressSync(plain, {
          params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_contentSizeFlag]: 1 },
          pledgedSrcSize: plain.length,
        }),
    },
  });
  return { index, ...(filterKeys && { filters: filtersOf(shown, hidden, filterKeys) }) };
}

function filtersOf(
  shown: TrigramFilterMaking,
  hidden: HiddenText,
  macKeys: NonNullable<Beginning["filterKeys"]>,
): Filters {
  const input = hidden.finish();
  return {
    main: shown.finish(trigramMac(macKeys.main)),
    ...(input.count > 0 && { input: input.finish(trigramMac(macKeys.input)) }),
  };
}

for (;;) {
  const word = await next();
  assert("begin" in word, "an index is begun with its recording");
  try {
    say(await make(word.begin));
  } catch (error) {
    say({ fault: messageOf(error) });
  }
}
