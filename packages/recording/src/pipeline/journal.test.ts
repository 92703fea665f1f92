import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type GatehouseError, isGatehouseError, systemRandom, TestClock } from "@gatehouse/kernel";
import { makeJournalFile, openJournalFile } from "./journal-files.ts";
import { entryOf, fileHeaderBytes } from "./journal-layout.ts";
import { type JournalScan, scanJournal } from "./journal-scan.ts";
import { type EntrySource, Journal, type JournalFile } from "./journal.ts";
import { MemoryDisk, systemError } from "./testing/memory-disk.ts";

const fileBytes = 32 * 1024;
const options = { clock: new TestClock(), random: systemRandom, groupBytesMax: 4096, commitDelayMs: 0 };

/** Commits texts, and notes what became of each. */
class Texts implements EntrySource<string> {
  readonly committedTexts: string[] = [];
  readonly pins: JournalFile[] = [];
  errors: GatehouseError[] = [];
  encode(items: readonly string[]) {
    return items.map((item) => entryOf("record", [Buffer.from(item)]));
  }
  committed(items: readonly string[], file: JournalFile) {
    this.committedTexts.push(...items);
    this.pins.push(file);
    file.pins++;
  }
  failed(_items: readonly string[], error: GatehouseError) {
    this.errors.push(error);
  }
}

async function openFiles(disk: MemoryDisk): Promise<JournalFile[]> {
  const names = (await disk.list("/j")).filter((name) => name.endsWith(".journal"));
  return Promise.all(names.map((name) => openJournalFile(disk, "/j", name)));
}

async function newJournal(files: number): Promise<{ disk: MemoryDisk; journal: Journal }> {
  const disk = new MemoryDisk();
  await disk.makeDirectory("/j");
  const journal = new Journal(options, { lastGroup: 0, committed: 0 });
  for (let i = 1; i <= files; i++)
    journal.add(await openJournalFile(disk, "/j", await makeJournalFile(disk, "/j", i, fileBytes)));
  return { disk, journal };
}

async function scan(disk: MemoryDisk): Promise<JournalScan & { texts: string[] }> {
  const texts: string[] = [];
  const found = await scanJournal(await openFiles(disk), (group) => {
    for (const entry of group.entries) texts.push(Buffer.from(entry.bytes).toString());
  });
  return { ...found, texts };
}

const text = (i: number, bytes = 900) => `${String(i).padStart(6, "0")}${"x".repeat(bytes)}`;

test("what gathers while a commit is in flight goes together, and all who wait share one promise", async () => {
  const { disk, journal } = await newJournal(1);
  const texts = new Texts();
  const first = journal.append(texts, "first", 10);
  assert.equal(journal.append(texts, "with it", 10), first);
  await first;
  const before = disk.writtenBytes;
  const alone = journal.append(texts, "alone", 10);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(texts.committedTexts, ["first", "with it"], "it is on its way");
  const gathered = journal.append(texts, "a", 10);
  assert.notEqual(gathered, alone);
  assert.equal(journal.append(texts, "b", 10), gathered);
  await gathered;
  assert.deepEqual(texts.committedTexts, ["first", "with it", "alone", "a", "b"]);
  assert.ok(disk.writtenBytes - before < 400);
  assert.deepEqual((await scan(disk)).texts, texts.committedTexts);
});

test("a group is not made larger than its limit, and one large item goes alone", async () => {
  const { disk, journal } = await newJournal(1);
  const texts = new Texts();
  const promises = new Set<Promise<void>>();
  for (let i = 0; i < 10; i++) promises.add(journal.append(texts, text(i, 1500), 1500));
  promises.add(journal.append(texts, text(10, 9000), 9000));
  assert.equal(promises.size, 6);
  await Promise.all(promises);
  assert.deepEqual((await scan(disk)).texts, texts.committedTexts);
  assert.equal(texts.committedTexts.length, 11);
});

test("files are used again, oldest first, and a scan finds an unbroken run up to the last commit", async () => {
  const { disk, journal } = await newJournal(3);
  const texts = new Texts();
  for (let i = 0; i < 300; i++) {
    await journal.append(texts, text(i), 1000);
    for (const file of texts.pins.splice(0)) journal.release(file);
  }
  const found = await scan(disk);
  assert.deepEqual(found.findings, []);
  assert.ok(found.texts.length > 30);
  assert.deepEqual(found.texts, texts.committedTexts.slice(-found.texts.length));
  assert.equal(found.committed, found.lastGroup);
});

test("what is pinned is never overwritten: a full journal refuses, and takes again when released", async () => {
  const { disk, journal } = await newJournal(3);
  const texts = new Texts();
  const refused = await (async () => {
    for (let i = 0; ; i++) await journal.append(texts, text(i), 1000);
  })().catch((error: unknown) => error);
  assert.ok(isGatehouseError(refused, "recording_unavailable") && /full/.test(refused.message));
  assert.equal(journal.failure, undefined);
  assert.deepEqual((await scan(disk)).texts, texts.committedTexts);
  for (const file of texts.pins.splice(0)) journal.release(file);
  await journal.append(texts, "again", 10);
  assert.equal((await scan(disk)).texts.at(-1), "again");
});

test("a failed write rejects everything that waits, and nothing is taken until it is revived", async () => {
  const { disk, journal } = await newJournal(3);
  const texts = new Texts();
  await journal.append(texts, "kept", 10);
  disk.fault = (call) => {
    if (call === "write") throw systemError("EIO", "disk");
  };
  const lost = [journal.append(texts, "lost", 10), journal.append(texts, text(1, 5000), 5000)];
  for (const one of lost)
    await assert.rejects(
      one,
      (error) => isGatehouseError(error, "recording_unavailable") && /EIO/.test(error.message),
    );
  assert.equal(texts.errors.length, 2);
  await assert.rejects(journal.append(texts, "still lost", 10));
  // However often it is tried, no file is used up by it.
  for (let i = 0; i < 5; i++) await assert.rejects(journal.revive(), /EIO/);
  assert.ok(journal.failure);
  disk.fault = () => {};
  await journal.revive();
  assert.equal(journal.failure, undefined);
  await journal.append(texts, "after", 10);
  const found = await scan(disk);
  assert.deepEqual(found.texts, ["kept", "after"]);
  assert.deepEqual(
    found.findings.filter((finding) => finding.kind === "damage"),
    [],
  );
});

test("closing commits what was appended and refuses the rest", async () => {
  const { disk, journal } = await newJournal(1);
  const texts = new Texts();
  const last = journal.append(texts, "last", 10);
  const closing = journal.close();
  await assert.rejects(journal.append(texts, "late", 10), /closed/);
  await Promise.all([last, closing]);
  assert.deepEqual((await scan(disk)).texts, ["last"]);
});

/** A journal of three files, the last partly filled, and all its texts. */
async function filled(): Promise<{ disk: MemoryDisk; texts: string[] }> {
  const { disk, journal } = await newJournal(3);
  const texts = new Texts();
  for (let i = 0; i < 70; i++) await journal.append(texts, text(i), 1000);
  return { disk, texts: texts.committedTexts };
}

test("any flipped bit is named where it matters, and everything that it did not hit is still read", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: fileBytes - 1 }),
      fc.integer({ min: 0, max: 7 }),
      async (number, at, bit) => {
        const { disk, texts } = await filled();
        disk.damage(`/j/00000${number}.journal`, (bytes) => {
          bytes[at] = (bytes[at] as number) ^ (1 << bit);
          return bytes;
        });
        const found = await scan(disk);
        const missing = texts.filter((one) => !found.texts.includes(one));
        assert.deepEqual(
          found.texts,
          texts.filter((one) => !missing.includes(one)),
        );
        assert.ok(missing.length <= 1, `${missing.length} texts are gone`);
        if (missing.length > 0) {
          const [finding] = found.findings;
          assert.ok(finding, "a loss that is not named");
          assert.equal(finding.file, `00000${number}.journal`);
          assert.ok(
            finding.at <= at && finding.at > at - 1200,
            `${finding.at} is not where it happened, ${at}`,
          );
          // Only the very last group may have been a write that nobody was told of.
          assert.equal(finding.kind === "torn", missing[0] === texts.at(-1));
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("a truncated or missing file is named, and the others are read", async () => {
  const { disk, texts } = await filled();
  const cut = fileHeaderBytes + 10_000;
  disk.damage("/j/000002.journal", (bytes) => bytes.slice(0, cut));
  const found = await scan(disk);
  // The group that the cut went through, and those behind it.
  assert.deepEqual(
    found.findings.map(({ kind, file, message }) => [kind, file, message.replace(/\d+/g, "N")]),
    [
      ["damage", "000002.journal", "group N is damaged; N of its N entries are intact"],
      ["damage", "000003.journal", "groups N to N, committed before this file, are missing"],
    ],
  );
  const gone = texts.filter((one) => !found.texts.includes(one));
  const [from, to] = [texts.indexOf(gone[0] as string), texts.indexOf(gone.at(-1) as string)];
  assert.deepEqual(gone, texts.slice(from, to + 1));
  assert.equal(found.texts.at(-1), texts.at(-1));

  await disk.remove("/j/000002.journal");
  const without = await scan(disk);
  const lost = texts.filter((one) => !without.texts.includes(one)).length;
  const [, from2, to2] = /^groups (\d+) to (\d+) /.exec(without.findings[0]?.message ?? "") ?? [];
  assert.equal(Number(to2) - Number(from2) + 1, lost);
  assert.equal(without.texts.at(-1), texts.at(-1));
});

test("both copies of a header gone: the groups are found by themselves", async () => {
  const { disk, texts } = await filled();
  disk.damage("/j/000002.journal", (bytes) => bytes.fill(0xff, 0, fileHeaderBytes));
  const found = await scan(disk);
  assert.deepEqual(found.texts, texts);
  assert.deepEqual(
    found.findings.map((finding) => finding.message),
    ["both copies of the file's header are damaged"],
  );
});
