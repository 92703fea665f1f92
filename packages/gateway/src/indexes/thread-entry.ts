import { createHash } from "node:crypto";
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { constants, zstdCompressSync } from "node:zlib";
import { assert, messageOf } from "@gatehouse/kernel";
import { type Frame, importKeys, openSegment, parseSegment } from "@gatehouse/recording";
import { buildIndex } from "@gatehouse/recording/indexing";
import { nodeSealCrypto, nodeZstd } from "@gatehouse/recording/node";
import { HiddenText, TrigramFilterMaking, commandText } from "@gatehouse/recording/passages";
import { trigramMac } from "./search-keys.ts";
import type { Beginning, Filters, FromThread, ToThread } from "./thread-words.ts";

const port = parentPort;
assert(port, "this is a thread's first file");
const { facts, keys, headSha256, filterKeys } = workerData as Beginning;
assert(keys.main, "the key of the main lane");
const main = keys.main;

// On Linux this is the thread's own: sessions go first, and an index is made of what they leave.
try {
  setPriority(19);
} catch {
  // Where it may not be lowered, it stays.
}

const shownFilter = new TrigramFilterMaking();
for (const { text } of commandText(facts)) shownFilter.add(text);
const hidden = new HiddenText(facts);

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

async function* frames(): AsyncGenerator<Frame> {
  const open = await importKeys(keys);
  for (;;) {
    const word = await next();
    if ("end" in word) return;
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

function filtersOf(macKeys: NonNullable<typeof filterKeys>): Filters {
  const input = hidden.finish();
  return {
    main: shownFilter.finish(trigramMac(macKeys.main)),
    ...(input.count > 0 && { input: input.finish(trigramMac(macKeys.input)) }),
  };
}

try {
  const index = await buildIndex({
    facts,
    frames: frames(),
    laneKey: main,
    headSha256,
    filter: shownFilter,
    crypto: {
      ...nodeSealCrypto,
      // Here and now: the thread pool is for what sessions wait for.
      compress: (plain) =>
        zstdCompressSync(plain, {
          params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_contentSizeFlag]: 1 },
          pledgedSrcSize: plain.length,
        }),
    },
  });
  say({ index, ...(filterKeys && { filters: filtersOf(filterKeys) }) });
} catch (error) {
  say({ fault: messageOf(error) });
}
port.close();
