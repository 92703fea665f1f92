/**
 * What a search over all recordings costs: `node bench/search.bench.ts`. BENCH_RECORDINGS sessions (10,000) of BENCH_LINES lines (60)
 * of this repository's own sources and its dependencies', sealed and in memory, with their indexes and, in an embedded database, their
 * filters; an auditor looks through all of them. Beside it `grep` over the same text in files, which is the floor, and SQLite's FTS5
 * with trigrams over it in plain. The terminal is left out: the text of an index is written as it would have stood on the screen.
 */
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { concatBytes, fromHex, newId, systemClock, systemRandom, utf8 } from "@gatehouse/kernel";
import {
  type Frame,
  type KeyOpener,
  encodeSessionEnd,
  encodeSessionStart,
  memorySource,
} from "@gatehouse/recording";
import {
  IndexSealer,
  type IndexedLine,
  LinesWriting,
  encodeDirectory,
  indexKeyPurpose,
  indexMaker,
  openIndex,
} from "@gatehouse/recording/index";
import { nodeSealCrypto, nodeZstd } from "@gatehouse/recording/node";
import { TrigramFilterMaking, filterVersion } from "@gatehouse/recording/passages";
import type { Search, SearchPage } from "@gatehouse/contracts/rest";
import { decide } from "../packages/gateway/src/access/mod.ts";
import { openDirectory } from "../packages/gateway/src/directory/mod.ts";
import { searchKeys, trigramMac } from "../packages/gateway/src/indexes/mod.ts";
import { createSearching } from "../packages/gateway/src/playback/mod.ts";
import { deriveKey } from "../packages/recording/src/derive-key.ts";
import { facts as anyFacts } from "../packages/recording/src/testing/facts.ts";
import { sampleRecording } from "../packages/recording/src/testing/sample-recording.ts";

const recordings = Number(process.env["BENCH_RECORDINGS"] ?? 10_000);
const linesEach = Number(process.env["BENCH_LINES"] ?? 60);
const root = new URL("..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "gatehouse-search-bench-"));
const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Enough different lines for all of them. */
function material(): string[] {
  const lines: string[] = [];
  const files = globSync("{packages,docs,node_modules/*}/**/*.{ts,md,js}", { cwd: root }).sort();
  for (const file of files) {
    if (lines.length >= recordings * linesEach) break;
    const path = join(root, file);
    if (statSync(path).size > 500_000) continue;
    for (const line of readFileSync(path, "utf8").split("\n"))
      if (line.trim() !== "") lines.push(line.slice(0, 200).toWellFormed());
  }
  return lines;
}

type Kept = { objects: Map<string, Uint8Array>; index: Uint8Array; opener: KeyOpener };

async function indexOf(sessionId: string, laneKey: Uint8Array, headSha256: string, lines: IndexedLine[]) {
  const salt = nodeSealCrypto.random(32);
  const key = await deriveKey(laneKey, indexKeyPurpose, salt);
  const sealer = new IndexSealer({
    recordingId: sessionId,
    headSha256: fromHex(headSha256),
    salt,
    key,
    crypto: nodeSealCrypto,
  });
  const written = new LinesWriting();
  for (const line of lines) written.add(line);
  const text = await sealer.seal("text", 0, written.done());
  const toUs = lines.at(-1)?.toUs ?? 0;
  const directory = await sealer.seal(
    "directory",
    0,
    encodeDirectory({
      maker: indexMaker,
      durationUs: toUs,
      frames: 3,
      activity: { bucketUs: 250_000, bytes: [] },
      idle: [],
      keyframes: { timeUs: [], seq: [], bytes: [] },
      pictures: [],
      text: [{ bytes: text.length, count: lines.length, fromUs: 0, toUs }],
      events: [],
    }),
  );
  return concatBytes([sealer.header(directory.length), directory, text]);
}

const all = material();
const keys = searchKeys(systemRandom.bytes(32));
const directory = await openDirectory({
  path: join(folder, "gatehouse.db"),
  clock: systemClock,
  random: systemRandom,
});
const kept = new Map<string, Kept>();
const texts = join(folder, "texts");
mkdirSync(texts);
const plain = new DatabaseSync(join(folder, "fts.db"));
plain.exec("create virtual table texts using fts5(text, tokenize='trigram'); begin");
const insert = plain.prepare("insert into texts (rowid, text) values (?, ?)");
let filterBytes = 0;
let textBytes = 0;
let filterMs = 0;
let ftsMs = 0;
const waiting: Promise<void>[] = [];
const beganMs = Date.UTC(2026, 0, 1);
for (let n = 0; n < recordings; n++) {
  const startedAtMs = beganMs + n * 60_000;
  const sessionId = newId(startedAtMs, systemRandom);
  const facts = { ...anyFacts, sessionId, startedAt: new Date(startedAtMs).toISOString() };
  const own = Array.from({ length: linesEach }, (_, i) => all[(n * linesEach + i) % all.length] ?? "");
  // In three of them, at the ends and in the middle.
  if ([0, recordings >> 1, recordings - 1].includes(n)) own.push("$ shred --remove needle-42.key");
  const lines = own.map((text, i) => ({ fromUs: i * 1_000_000, toUs: i * 1_000_000 + 500_000, text }));
  const text = own.join("\n");
  textBytes += Buffer.byteLength(text);
  const frames: Frame[] = [
    { seq: 0, timeUs: 0, kind: "session.start", stream: 0, data: encodeSessionStart(facts) },
    { seq: 1, timeUs: 1, kind: "output", stream: 0, data: utf8(text.replaceAll("\n", "\r\n")) },
    { seq: 2, timeUs: 2, kind: "session.end", stream: 0, data: encodeSessionEnd({ reason: "client" }) },
  ];
  const sample = await sampleRecording({ seed: n, frames, sessionId });
  const index = await indexOf(sessionId, sample.keys.main, sample.manifest.headSha256, lines);
  kept.set(sessionId, { objects: sample.objects, index, opener: sample.opener });
  const before = performance.now();
  const making = new TrigramFilterMaking();
  for (const one of own) making.add(one);
  const main = making.finish(trigramMac(keys.filterKey(sessionId, "main")));
  filterMs += performance.now() - before;
  filterBytes += main.length;
  waiting.push(
    directory.sessions
      .insert(facts)
      .then(() =>
        directory.searchFilters.put({ sessionId, version: filterVersion, keyId: keys.id, madeAtMs: 0, main }),
      ),
  );
  if (waiting.length >= 500) await Promise.all(waiting.splice(0));
  writeFileSync(join(texts, `${sessionId}.txt`), text);
  const insertMs = performance.now();
  insert.run(n + 1, text);
  ftsMs += performance.now() - insertMs;
}
await Promise.all(waiting);
const commitMs = performance.now();
plain.exec("commit");
ftsMs += performance.now() - commitMs;
const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
say(
  `${recordings} recordings, ${mb(textBytes)} MB of text: filters ${mb(filterBytes)} MB, ${(filterMs / recordings).toFixed(2)} ms each; ` +
    `FTS5 ${mb(statSync(join(folder, "fts.db")).size)} MB, ${(ftsMs / recordings).toFixed(2)} ms each`,
);

let opened = 0;
const [first] = kept.values();
const searching = createSearching({
  ...directory,
  sourceOf: ({ sessionId }) => memorySource(kept.get(sessionId)?.objects ?? new Map()),
  openers: first ? [first.opener] : [],
  trustedKeys: [],
  filters: directory.searchFilters,
  indexes: {
    open: (recording) => {
      const index = kept.get(recording.facts.sessionId)?.index ?? new Uint8Array(0);
      return openIndex({
        read: async (start, end) => index.subarray(start, end),
        recordingId: recording.facts.sessionId,
        deriveKey: recording.deriveKey,
        zstd: nodeZstd,
      });
    },
  },
  searchKeys: keys,
  decide,
  audit: {
    append: async ({ fields }) => {
      opened += ((fields?.["opened"] ?? []) as string[]).length;
    },
  },
  clock: systemClock,
  random: systemRandom,
  log: { warn: (message) => say(`warning: ${message}`) },
});
const auditor = {
  subject: { id: "otto", name: "otto", roles: ["auditor"], leads: [] },
  channel: "web" as const,
  remoteAddress: "",
};
const reader = {
  signal: new AbortController().signal,
  renew: async () => ({ subject: auditor.subject }),
};

async function searched(search: Search, isWhole: boolean) {
  opened = 0;
  const before = performance.now();
  let firstMs = 0;
  let pages = 0;
  const sessions = new Set<string>();
  for (let next: string | null | undefined; next !== null;) {
    const page: SearchPage = await searching.search(
      auditor,
      { ...search, ...(next !== undefined && { cursor: next }) },
      reader,
    );
    firstMs ||= performance.now() - before;
    pages++;
    for (const { session } of page.items) sessions.add(session.id);
    next = isWhole ? page.next : null;
  }
  return { ms: performance.now() - before, firstMs, pages, sessions: sessions.size, opened };
}
function timed(run: () => number): { ms: number; found: number } {
  const before = performance.now();
  const found = run();
  return { ms: performance.now() - before, found };
}
const grep = (...args: string[]) => {
  try {
    return execFileSync("grep", ["-rl", ...args, texts], { encoding: "utf8", maxBuffer: 1 << 28 })
      .trim()
      .split("\n").length;
  } catch {
    return 0;
  }
};
const fts = (text: string) =>
  plain.prepare("select rowid from texts where texts match ?").all(`"${text.replaceAll('"', '""')}"`).length;

const questions: { name: string; search: Search; isWhole: boolean }[] = [
  { name: "nowhere", search: { text: "zyzzyva-not-there" }, isWhole: true },
  { name: "in three recordings", search: { text: "Needle-42" }, isWhole: true },
  {
    name: "a pattern, in three",
    search: { text: "shred --\\w+ needle-[0-9]+", mode: "regex" },
    isWhole: true,
  },
  { name: "in some", search: { text: "bigint literal", perSession: 1 }, isWhole: true },
  {
    name: "in most, the first hundred finds",
    search: { text: "function", perSession: 1, limit: 100 },
    isWhole: false,
  },
];
for (const { name, search, isWhole } of questions) {
  await searched(search, isWhole);
  const ours = await searched(search, isWhole);
  const words = search.mode === "regex" ? ["-P", search.text] : ["-iF", search.text];
  grep(...words);
  const floor = timed(() => grep(...words));
  const peer = search.mode === "regex" ? undefined : timed(() => fts(search.text));
  say(
    `${name}: ${ours.ms.toFixed(0)} ms in ${ours.pages} pages, the first after ${ours.firstMs.toFixed(0)} ms, ` +
      `found in ${ours.sessions} of ${ours.opened} opened; grep ${floor.ms.toFixed(0)} ms in ${floor.found} (${(ours.ms / floor.ms).toFixed(2)}); ` +
      (peer
        ? `FTS5 ${peer.ms.toFixed(1)} ms in ${peer.found} (${(ours.ms / peer.ms).toFixed(0)})`
        : "FTS5 knows no patterns"),
  );
}
await directory.close();
plain.close();
rmSync(folder, { recursive: true, force: true });
