import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { utf8 } from "@gatehouse/kernel";
import type { Frame } from "../frame.ts";
import { facts } from "../testing/facts.ts";
import { encodeQuery, encodeQueryOutcome, encodeQuerySecret } from "../tracks/query/mod.ts";
import { TrigramFilterMaking, filterMayHold, fold, hiddenText, statementText, trigramsIn } from "./mod.ts";

const mac = (trigram: string) => createHmac("sha256", "a key").update(trigram).digest();
const mayHold = (filter: Uint8Array, text: string) =>
  trigramsIn(text).every((trigram) => filterMayHold(filter, mac(trigram)));

test("letters that a search takes for one fold to the same", () => {
  const cased: string[] = [];
  for (let code = 0x80; code < 0x1_f000; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const char = String.fromCodePoint(code);
    if (char.toLowerCase() !== char || char.toUpperCase() !== char) cased.push(char);
  }
  const all = [...cased, ..."abcdefghijklmnopqrstuvwxyz"].join("");
  const wrong: string[] = [];
  for (const char of all)
    for (const [same] of all.matchAll(new RegExp(RegExp.escape(char), "giu")))
      if (fold(same) !== fold(char)) wrong.push(`${char} ${same}`);
  assert.deepEqual(wrong, []);
  assert.equal(fold("ΟΔΌΣ ﬁle ｆｕｌｌ Ⅷ Straße Å"), "οδοσ file full viii strasse a");
});

test("a filter never says no for what is there, in any case or spelling", () => {
  const word = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 30 }),
    fc.string({ unit: "binary", maxLength: 30 }).map((text) => text.toWellFormed()),
    fc.constantFrom(
      "grün",
      "日本語の行",
      "👩‍💻🎉",
      "שלום",
      "e\u0301té",
      "İstanbul",
      "ΟΔΟΣ",
      "a\u0316\u0301b",
      "ﬃ",
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), fc.nat(), fc.nat(), (words, from, length) => {
      const text = words.join(" ");
      const making = new TrigramFilterMaking();
      making.add("something before");
      making.add(text);
      const filter = making.finish(mac);
      const chars = Array.from(text);
      const at = from % (chars.length + 1);
      const part = chars.slice(at, at + (length % 40)).join("");
      for (const one of [
        part,
        part.toUpperCase(),
        part.toLowerCase(),
        part.normalize("NFC"),
        part.normalize("NFKC"),
      ])
        // What changes with its case alone, such as ŉ, is no find either.
        if (fold(text).includes(fold(one))) assert.ok(mayHold(filter, one), JSON.stringify([text, one]));
      assert.ok(mayHold(filter, part), JSON.stringify([text, part]));
    }),
    { numRuns: 80 },
  );
});

test("of what is not there it lets about one trigram in a hundred pass, and its size follows the text", () => {
  const making = new TrigramFilterMaking();
  for (let i = 0; i < 4_000; i++) making.add(`${i * 7919} some text ${i * 104_729}`);
  const filter = making.finish(mac);
  let passed = 0;
  const asked = 20_000;
  for (let i = 0; i < asked; i++)
    if (filterMayHold(filter, mac(String.fromCodePoint(0x4e00 + i, 0x5000, 0x6000)))) passed++;
  assert.ok(passed / asked < 0.015, `${passed} of ${asked}`);
  assert.ok(filter.length < making.count * 1.4 + 128, `${filter.length} bytes for ${making.count}`);

  const random = new TrigramFilterMaking();
  for (let i = 0; i < 300_000; i++)
    random.add(String.fromCodePoint(0x4e00 + (i % 20_000), 0x1_0000 + (i >> 2), 0x61 + (i % 7), 0x3042));
  assert.equal(random.finish(mac).length, 0, "what has everything is not narrowed");
  assert.ok(mayHold(random.finish(mac), "anything"));
});

async function textOf(passages: AsyncIterable<{ text: string }>): Promise<string[]> {
  const all: string[] = [];
  for await (const { text } of passages) all.push(text.replace(/, [\d.]+ ms$/, ""));
  return all;
}

test("secrets of statements are read in the lane of what was typed alone; typing is read as it was entered", async () => {
  const frames: Frame[] = [];
  const add = (kind: Frame["kind"], data: Uint8Array) =>
    frames.push({ seq: frames.length, timeUs: frames.length * 1_000, kind, stream: 0, data });
  const answered = (statement: number) =>
    add(
      "query.outcome",
      encodeQueryOutcome({ statement, durationUs: 1, final: true, results: [{ tag: "OK" }] }),
    );
  add("query", encodeQuery({ statement: 1, type: "simple", text: "select 1" }));
  answered(1);
  add("query.secret", encodeQuerySecret({ statement: 2, text: "alter user a password 'hunter2'" }));
  add(
    "query",
    encodeQuery({ statement: 2, type: "simple", text: "alter user a password '…'", masked: true }),
  );
  answered(2);
  async function* given() {
    yield* frames;
  }
  async function* shown() {
    for (const frame of frames) if (frame.kind !== "query.secret") yield frame;
  }
  assert.deepEqual(await textOf(statementText(shown())), [
    "select 1 -> OK",
    "alter user a password '…' -> OK",
  ]);
  assert.deepEqual(await textOf(hiddenText({ ...facts, track: "query" }, given())), [
    "alter user a password 'hunter2' -> OK",
  ]);

  frames.length = 0;
  for (const text of ["rm -rg", "\u007ff /t", "mp\rpasswörd", "\nleft"]) add("input", utf8(text));
  assert.deepEqual(await textOf(hiddenText(facts, given())), ["rm -rf /tmp", "passwörd", "left"]);
});
