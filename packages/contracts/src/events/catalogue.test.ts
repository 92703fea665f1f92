import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import {
  eventBase,
  eventCatalogue,
  eventCode,
  eventCodes,
  eventDescriptor,
  loggedEventJsonSchema,
} from "./mod.ts";
import { loggedEventSchema } from "./schema.ts";

const byName = (event: string) => {
  const found = eventDescriptor(event);
  assert.ok(found, event);
  return found;
};

test("every file of an event is in the catalogue, and every event has its file", () => {
  const notEvents = new Set(["canonical-json", "catalogue", "descriptor", "mod", "schema"]);
  const files = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".ts") && !/\.(test|fuzz)\.ts$/.test(name))
    .map((name) => name.slice(0, -3))
    .filter((name) => !notEvents.has(name))
    .sort();
  assert.deepEqual(eventCatalogue.map(({ event }) => event.replaceAll(/[._]/g, "-")).sort(), files);
});

test("no name and no code is used twice, and no field hides one that every event has", () => {
  const names = eventCatalogue.map(({ event }) => event);
  assert.deepEqual(names, [...new Set(names)]);
  const codes = eventCatalogue.flatMap((descriptor) => eventCodes(descriptor));
  assert.deepEqual(codes, [...new Set(codes)]);
  for (const { event, fields } of eventCatalogue)
    for (const field of Object.keys(fields.shape)) {
      assert.ok(!(field in eventBase), `${event} hides ${field}`);
      assert.match(field, /^[a-z][a-z0-9_]*$/, event);
    }
});

test("codes are Teleport's where Teleport has the event", () => {
  const expected: [string, Record<string, unknown>, boolean, string][] = [
    ["session.start", {}, true, "T2000I"],
    ["session.end", {}, true, "T2004I"],
    ["session.join", {}, true, "T2001I"],
    ["session.leave", {}, true, "T2003I"],
    ["session.rejected", {}, false, "T1006W"],
    ["resize", {}, true, "T2002I"],
    ["session.upload", {}, true, "T2005I"],
    ["session.data", {}, true, "T2006I"],
    ["session.recording.access", {}, true, "T2012I"],
    ["user.login", {}, true, "T1000I"],
    ["user.login", {}, false, "T1000W"],
    ["user.login", { method: "oidc" }, true, "T1001I"],
    ["user.login", { method: "oidc" }, false, "T1001W"],
    ["auth", {}, false, "T3007W"],
    ["exec", {}, false, "T3002E"],
    ["subsystem", {}, true, "T3001I"],
    ["port", { action: "start" }, true, "T3003I"],
    ["port", { action: "stop" }, true, "T3003S"],
    ["port", { action: "start" }, false, "T3003E"],
    ["scp", { action: "download" }, true, "T3004I"],
    ["scp", { action: "upload" }, true, "T3005I"],
    ["scp", { action: "upload" }, false, "T3005E"],
    ["sftp", { action: "open" }, true, "TS001I"],
    ["sftp", { action: "close" }, true, "TS002I"],
    ["sftp", { action: "rename" }, false, "TS016E"],
    ["x11-forward", {}, false, "T3008W"],
  ];
  for (const [event, fields, success, code] of expected) {
    assert.equal(eventCode(byName(event), fields, success), code, event);
    assert.ok(eventCodes(byName(event)).includes(code), `${event} lists ${code}`);
  }
});

test("a field that nobody classified is refused", () => {
  const fields = byName("resize").fields;
  assert.equal(fields.safeParse({ size: "80:24", cols: 80, rows: 24 }).success, true);
  assert.equal(fields.safeParse({ size: "80:24", cols: 80, rows: 24, password: "x" }).success, false);
});

test("a whole event matches its schema, flat, with session_id and sid", () => {
  const event = {
    event: "resize",
    code: "T2002I",
    uid: "u",
    time: "2026-02-10T14:30:00.000Z",
    user: "jane.doe@example.com",
    "addr.remote": "10.0.1.50",
    server_id: "server-abc123",
    session_id: "session-xyz789",
    sid: "session-xyz789",
    success: true,
    index: 0,
    prev_hash: "0".repeat(64),
    hash: "a".repeat(64),
    size: "80:24",
    cols: 80,
    rows: 24,
  };
  const schema = loggedEventSchema(byName("resize"));
  assert.deepEqual(schema.parse(event), event);
  assert.equal(schema.safeParse({ ...event, code: "T2000I" }).success, false);
  assert.equal(schema.safeParse({ ...event, other: 1 }).success, false);
});

test("the JSON Schema tells every event with its fields and refuses others", () => {
  const schema = loggedEventJsonSchema() as {
    anyOf: { $ref: string }[];
    $defs: Record<
      string,
      { properties: Record<string, unknown>; required: string[]; additionalProperties: boolean }
    >;
  };
  assert.deepEqual(Object.keys(schema.$defs).sort(), eventCatalogue.map(({ event }) => event).sort());
  for (const { event, fields } of eventCatalogue) {
    const shape = schema.$defs[event];
    assert.ok(shape, event);
    assert.equal(shape.additionalProperties, false);
    for (const field of [...Object.keys(eventBase), ...Object.keys(fields.shape)])
      assert.ok(field in shape.properties, `${event}.${field}`);
    for (const field of ["event", "code", "time", "user", "success", "index", "prev_hash", "hash"])
      assert.ok(shape.required.includes(field), `${event} requires ${field}`);
  }
});

test("text that is too long or not well-formed is kept as far as it can be", () => {
  const { fields } = byName("agent-forward");
  const read = (error: string) => fields.parse({ error })["error"] as string;
  assert.equal(read("x".repeat(4096)), "x".repeat(4096));
  assert.equal(read("x".repeat(5000)), `${"x".repeat(4095)}\u2026`);
  assert.equal(read(`${"x".repeat(4094)}\u{1f600}\u{1f600}`), `${"x".repeat(4094)}\u2026`);
  assert.equal(read("a\ud800b"), "a\ufffdb");
});
