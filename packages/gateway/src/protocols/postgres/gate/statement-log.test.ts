import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ByteWriter, TestClock, isGatehouseError, utf8 } from "@gatehouse/kernel";
import type { FrameKind } from "@gatehouse/recording";
import { statementLine, statementsIn } from "@gatehouse/recording/query";
import fc from "fast-check";
import { backend, encodeMessage, frontend, zeroTerminated } from "../wire/messages.ts";
import { MessageSplitter } from "../wire/splitter.ts";
import { StatementLog } from "./statement-log.ts";

/** A log, what it recorded, and both directions as bytes. */
function open() {
  const clock = new TestClock();
  const frames: { kind: FrameKind; stream: number; timeUs: number; data: Uint8Array }[] = [];
  const log = new StatementLog({
    clock,
    record(kind, data) {
      frames.push({ kind, stream: 0, timeUs: frames.length, data });
      return Promise.resolve();
    },
  });
  const splitter = () =>
    new MessageSplitter({
      op: "postgres.test",
      known: () => true,
      whole: (type) => type !== backend.copyData && type !== backend.dataRow,
      wholeBytesMax: 100_000,
    });
  const up = splitter();
  const down = splitter();
  return {
    client(...messages: Uint8Array[]) {
      for (const bytes of messages) for (const piece of up.feed(bytes)) log.ask(piece);
      return log.asked();
    },
    server(...messages: Uint8Array[]) {
      for (const bytes of messages) for (const piece of down.feed(bytes)) log.answer(piece);
      return log.answered();
    },
    statements: () => statementsIn(frames),
    lines: () =>
      statementsIn(frames).map((statement) => statementLine(statement).replace(/, [\d.]+ ms$/, "")),
  };
}

const parse = (text: string) =>
  encodeMessage(frontend.parse, zeroTerminated(""), zeroTerminated(text), Uint8Array.of(0, 0));
const bind = (...values: string[]) => {
  const writer = new ByteWriter().u16(values.length);
  for (const value of values) writer.u32(value.length).put(utf8(value));
  return encodeMessage(frontend.bind, Uint8Array.of(0, 0, 0, 0), writer.done(), Uint8Array.of(0, 0));
};
const execute = encodeMessage(frontend.execute, Uint8Array.of(0, 0, 0, 0, 0));
const sync = encodeMessage(frontend.sync);
const query = (text: string) => encodeMessage(frontend.query, zeroTerminated(text));
const complete = (tag: string) => encodeMessage(backend.commandComplete, zeroTerminated(tag));
const failed = (code: string) =>
  encodeMessage(
    backend.errorResponse,
    zeroTerminated("SERROR"),
    zeroTerminated(`C${code}`),
    zeroTerminated("Mno"),
    Uint8Array.of(0),
  );
const ready = encodeMessage(backend.readyForQuery, utf8("I"));
const parsed = encodeMessage(backend.parseComplete);
const bound = encodeMessage(backend.bindComplete);

test("in a pipeline each answer finds its statement, and what an error passes over is said", () => {
  const log = open();
  const one = (text: string) => [parse(text), bind("x"), execute];
  void log.client(...one("first"), ...one("second"), ...one("third"), sync, query("after"));
  void log.server(parsed, bound, complete("SELECT 1"), parsed, bound, failed("22012"), ready);
  void log.server(complete("SELECT 3"), ready);
  assert.deepEqual(log.lines(), [
    "first [$1='x'] -> SELECT 1",
    "second [$1='x'] -> ERROR 22012 no",
    "third [$1='x'] -> discarded",
    "after -> SELECT 3",
  ]);
});

test("the Sync that a copy in passes over owes no answer", () => {
  const log = open();
  void log.client(parse("copy t from stdin"), bind(), execute, sync);
  void log.server(parsed, bound, encodeMessage(backend.copyInResponse, Uint8Array.of(0, 0, 0)));
  void log.client(
    encodeMessage(frontend.copyData, utf8("1\n")),
    encodeMessage(frontend.copyDone),
    sync,
    query("after"),
  );
  void log.server(complete("COPY 1"), ready, complete("SELECT 1"), ready);
  assert.deepEqual(log.lines(), ["copy t from stdin -> COPY 1", "after -> SELECT 1"]);
});

test("an outcome is not waited for where there is none, and is where there is one", () => {
  const log = open();
  assert.ok(log.client(query("select 1")));
  assert.equal(log.client(sync), undefined);
  assert.equal(log.server(encodeMessage(backend.rowDescription, Uint8Array.of(0, 0))), undefined);
  assert.ok(log.server(complete("SELECT 0"), ready));
  assert.equal(log.server(ready), undefined);
});

test("messages in any order, whole or damaged, are recorded or refused", () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ maxLength: 10 }).map((text) => zeroTerminated(text)),
  );
  const up = fc.tuple(fc.constantFrom(...Object.values(frontend)), body);
  const down = fc.tuple(fc.constantFrom(...Object.values(backend)), body);
  const known = fc.constantFrom(
    ...[parse("a"), bind("b"), execute, sync, query("q")].map((bytes) => ({ up: true, bytes })),
    ...[complete("SELECT 1"), failed("42601"), ready, parsed, bound].map((bytes) => ({ up: false, bytes })),
  );
  const step = fc.oneof(
    { weight: 4, arbitrary: known },
    {
      weight: 1,
      arbitrary: fc.oneof(
        up.map(([type, data]) => ({ up: true, bytes: encodeMessage(type, data) })),
        down.map(([type, data]) => ({ up: false, bytes: encodeMessage(type, data) })),
      ),
    },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const log = open();
      for (const { up: asked, bytes } of steps)
        try {
          void (asked ? log.client(bytes) : log.server(bytes));
        } catch (error) {
          if (!isGatehouseError(error, "protocol") && !isGatehouseError(error, "too_large")) throw error;
          break;
        }
      // What was recorded can always be read back.
      log.lines();
    }),
    { numRuns: Number(process.env["FUZZ_RUNS"] ?? 300) },
  );
});

test("what the server says beside its answers is kept: with the outcome, or by itself while nothing runs", async () => {
  const log = open();
  const note = (channel: string, payload: string) =>
    encodeMessage(
      backend.notificationResponse,
      Uint8Array.of(0, 0, 0, 9),
      zeroTerminated(channel),
      zeroTerminated(payload),
    );
  const setting = encodeMessage(backend.parameterStatus, zeroTerminated("TimeZone"), zeroTerminated("UTC"));
  void log.client(query("set timezone to utc"));
  void log.server(complete("SET"), setting, ready);
  assert.ok(log.server(note("news", "it rains")), "a notification waits for its frame");
  assert.deepEqual(log.lines(), [
    "set timezone to utc -> SET, set TimeZone = UTC",
    "(the server) -> notification news it rains",
  ]);
  void log.client(query("do"));
  assert.ok(log.server(note("news", "it snows")), "also while a statement runs");
  void log.server(complete("DO"), ready);
  assert.equal(log.lines().at(-1), "do -> DO, notification news it snows");
});

test("rows are counted and digested as they passed, also those before an error", () => {
  const log = open();
  const row = (value: string) =>
    encodeMessage(backend.dataRow, new ByteWriter().u16(1).u32(value.length).put(utf8(value)).done());
  void log.client(query("select 1"));
  void log.server(row("a"), row("b"), complete("SELECT 2"), ready);
  void log.client(query("select 2"));
  void log.server(row("c"), failed("22012"), ready);
  assert.deepEqual(
    log.statements().map(({ results }) => results),
    [
      [{ tag: "SELECT 2", rows: 2, ...digestOf(row("a"), row("b")) }],
      [{ tag: "", rows: 1, ...digestOf(row("c")) }],
    ],
  );
});

function digestOf(...parts: Uint8Array[]) {
  const whole = Buffer.concat(parts);
  return { bytes: whole.length, sha256: createHash("sha256").update(whole).digest("hex") };
}
