import assert from "node:assert/strict";
import { type KeyObject, generateKeyPairSync, sign } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { loggedEventSchema, eventDescriptor } from "@gatehouse/contracts";
import { isGatehouseError, seededRandom, toBase64 } from "@gatehouse/kernel";
import { temporaryDirectory } from "../directory/testing/temporary.ts";
import type { LogFields } from "../telemetry/mod.ts";
import type { AuditRecord } from "./door.ts";
import { openAuditLog } from "./log.ts";
import { signedAnchor } from "./prune-anchor.ts";
import { signedHeadLine } from "./signed-head.ts";
import { verifyExport } from "./verify-export.ts";

function signerOf({ publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }) {
  return {
    publicKey: new Uint8Array(Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url")),
    sign: (message: Uint8Array) => sign(null, message, privateKey),
  };
}

async function open(context: TestContext, options: { lockWaitMs?: number } = {}) {
  const { directory, clock, path } = await temporaryDirectory(context, options);
  const lines: { message: string; fields: LogFields }[] = [];
  const audit = openAuditLog({
    rows: directory.auditRows,
    probe: () => directory.probe(),
    clock,
    random: seededRandom(3),
    log: { error: (message, fields = {}) => lines.push({ message, fields }) },
  });
  return { audit, directory, clock, path, lines };
}
const resizeTo = (cols: number): AuditRecord => ({
  event: "resize",
  user: "jane",
  success: true,
  remoteAddress: "10.0.1.50",
  serverId: "t1",
  sessionId: "s1",
  fields: { size: `${cols}:24`, cols, rows: 24 },
});
/** Changes the database as somebody with the file would. */
function tamper(path: string, ...statements: string[]): void {
  const database = new DatabaseSync(path);
  for (const statement of statements) database.exec(statement);
  database.close();
}
const collect = async (lines: AsyncIterable<string>) => {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
};

test("an event is kept whole: the specification's schema, Teleport's code, its place in the chain", async (context) => {
  const { audit } = await open(context);
  await audit.append(resizeTo(80));
  await audit.append({
    event: "user.login",
    user: "jane",
    success: false,
    fields: { method: "ssh_key", error: "no" },
  });
  const { items } = await audit.list();
  const [login, resize] = items as unknown as [Record<string, unknown>, Record<string, unknown>];
  assert.deepEqual(resize, {
    event: "resize",
    code: "T2002I",
    uid: resize["uid"],
    time: "2026-02-10T14:30:00.000Z",
    user: "jane",
    "addr.remote": "10.0.1.50",
    server_id: "t1",
    session_id: "s1",
    sid: "s1",
    success: true,
    size: "80:24",
    cols: 80,
    rows: 24,
    index: 0,
    prev_hash: "0".repeat(64),
    hash: resize["hash"],
  });
  assert.equal(login["code"], "T1000W");
  assert.equal(login["prev_hash"], resize["hash"]);
  for (const event of [login, resize]) {
    const descriptor = eventDescriptor(String(event["event"])) ?? assert.fail();
    assert.deepEqual(loggedEventSchema(descriptor).parse(event), event);
  }
});

test("an event or field that nobody classified is refused, its value told nowhere, and the log goes on", async (context) => {
  const { audit, lines } = await open(context);
  const { fields } = resizeTo(80);
  for (const record of [
    { ...resizeTo(80), event: "no.such.event" },
    { ...resizeTo(80), fields: { ...fields, password: "hunter2" } },
    { ...resizeTo(80), fields: {} },
    { ...resizeTo(80), code: "T2000I" },
  ])
    await assert.rejects(
      audit.append(record),
      (error) => isGatehouseError(error, "internal") && !error.message.includes("hunter2"),
    );
  await audit.append(resizeTo(90));
  assert.equal((await audit.list()).items.length, 1);
  assert.deepEqual(lines, []);
});

test("appends that overlap form one chain in the order they were made", async (context) => {
  const { audit } = await open(context);
  const rounds = [700, 1, 30];
  let cols = 0;
  for (const round of rounds)
    await Promise.all(Array.from({ length: round }, () => audit.append(resizeTo(cols++))));
  const { ok, events, head, faults } = await audit.verify();
  assert.deepEqual({ ok, events, faults }, { ok: true, events: cols, faults: [] });
  assert.deepEqual(head, await audit.head());
  const exported = (await collect(audit.exportLines())).map((line) => JSON.parse(line) as { cols: number });
  assert.deepEqual(
    exported.map((event) => event.cols),
    Array.from({ length: cols }, (_, n) => n),
  );
});

test("another log over the same database continues the chain and does not fork it", async (context) => {
  const { audit, directory, clock } = await open(context);
  const other = openAuditLog({
    rows: directory.auditRows,
    probe: () => directory.probe(),
    clock,
    random: seededRandom(4),
    log: { error: () => {} },
  });
  await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 ? audit : other).append(resizeTo(n))));
  const { ok, events } = await audit.verify();
  assert.deepEqual({ ok, events }, { ok: true, events: 40 });
});

test("lists are narrowed and paged, newest first", async (context) => {
  const { audit, clock } = await open(context);
  const fromMs = clock.nowMs();
  for (let n = 0; n < 5; n++) {
    await audit.append({ ...resizeTo(n), user: n % 2 ? "john" : "jane", sessionId: `s${n}` });
    clock.advance(1000);
  }
  await audit.append({ event: "user.login", user: "jane", success: false, fields: { method: "link" } });
  const seen = async (filter: Parameters<typeof audit.list>[0]) =>
    (await audit.list(filter)).items.map((event) => event.index);
  assert.deepEqual(await seen({}), [5, 4, 3, 2, 1, 0]);
  assert.deepEqual(await seen({ user: "john" }), [3, 1]);
  assert.deepEqual(await seen({ events: ["user.", "session.start"] }), [5]);
  assert.deepEqual(await seen({ events: ["resize"], success: true, sessionId: "s2" }), [2]);
  assert.deepEqual(await seen({ success: false }), [5]);
  assert.deepEqual(await seen({ serverId: "t1", fromMs: fromMs + 1000, toMs: fromMs + 3000 }), [2, 1]);
  const first = await audit.list({}, { limit: 4 });
  const second = await audit.list({}, { limit: 4, after: first.next as string });
  assert.deepEqual(
    [first, second].map(({ items }) => items.map((event) => event.index)),
    [
      [5, 4, 3, 2],
      [1, 0],
    ],
  );
  assert.equal(second.next, undefined);
  for (const page of [{ limit: 0 }, { limit: 501 }, { after: "x" }])
    await assert.rejects(audit.list({}, page), (error) => isGatehouseError(error, "invalid"));
  assert.equal((await collect(audit.exportLines({ user: "john" }))).length, 2);
});

const tamperings: [name: string, statements: string[], expected: string[]][] = [
  [
    "an altered event",
    ["update audit_events set body = replace(body, '\"cols\":3', '\"cols\":9') where position = 3"],
    ["event 3 was altered: its hash does not fit its content"],
  ],
  [
    "an altered column",
    ["update audit_events set user_name = 'john', success = 0 where position = 3"],
    ["event 3 was altered: user, success in its row"],
  ],
  ["a deleted event", ["delete from audit_events where position = 3"], ["event 3 is missing"]],
  ["a deleted beginning", ["delete from audit_events where position < 2"], ["events 0 to 1 are missing"]],
  [
    "two events that changed places",
    [
      "update audit_events set position = -1 where position = 3",
      "update audit_events set position = 3 where position = 4",
      "update audit_events set position = 4 where position = -1",
    ],
    [
      "event 4 stands in the place of event 3",
      "event 3 stands in the place of event 4",
      "event 5 does not follow event 4: one of them was replaced",
    ],
  ],
  [
    "a tail cut off",
    ["delete from audit_events where position > 3"],
    ["the log is cut off: event 5 was known, the last one is event 3"],
  ],
  [
    "an emptied log",
    ["delete from audit_events"],
    ["the log is cut off: event 5 was known, the last one is gone"],
  ],
  [
    "a body that is no event",
    ["update audit_events set body = 'x' where position = 3"],
    ["event 3 is no event any more"],
  ],
];
for (const [name, statements, expected] of tamperings)
  test(`${name} is found and named`, async (context) => {
    const { audit, path } = await open(context);
    for (let n = 0; n < 6; n++) await audit.append(resizeTo(n));
    const head = (await audit.head()) ?? assert.fail();
    assert.deepEqual((await audit.verify([head])).faults, []);
    tamper(path, ...statements);
    const verdict = await audit.verify([head]);
    assert.equal(verdict.ok, false);
    assert.deepEqual(
      verdict.faults.map(({ message }) => message),
      expected,
    );
  });

test("a log that was written anew does not have the known head", async (context) => {
  const { audit } = await open(context);
  const { audit: other } = await open(context);
  for (let n = 0; n < 4; n++) {
    await audit.append(resizeTo(n));
    await other.append(resizeTo(n === 1 ? 99 : n));
  }
  const head = (await audit.head()) ?? assert.fail();
  assert.equal((await other.verify()).ok, true);
  assert.deepEqual(
    (await other.verify([head])).faults.map(({ kind, index }) => `${kind} ${index}`),
    ["replaced 3"],
  );
});

test("an export verifies by itself, and a line that was changed does not", async (context) => {
  const { audit } = await open(context);
  for (let n = 0; n < 4; n++) await audit.append(resizeTo(n));
  const lines = await collect(audit.exportLines());
  assert.ok(lines.every((line) => line.endsWith("}\n")));
  const head = (await audit.head()) ?? assert.fail();
  assert.deepEqual(await verifyExport(() => lines, { known: [head] }), {
    ok: true,
    events: 4,
    head,
    faults: [],
    signed: undefined,
  });
  const changed = lines.map((line) => line.replace('"cols":2', '"cols":7'));
  assert.deepEqual(
    (await verifyExport(() => changed)).faults.map(({ message }) => message),
    ["event 2 was altered: its hash does not fit its content"],
  );
  assert.equal((await verifyExport(() => lines.slice(0, 3), { known: [head] })).ok, false);

  const signer = signerOf(generateKeyPairSync("ed25519"));
  const at = "2026-02-10T14:30:00.000Z";
  const end = await signedHeadLine({ ...head, at }, signer);
  const whole = [...lines, end];
  const trustedKeys = [signer.publicKey];
  const signed = { publicKey: toBase64(signer.publicKey), at };
  assert.deepEqual(await verifyExport(() => whole, { trustedKeys }), {
    ok: true,
    events: 4,
    head,
    faults: [],
    signed,
  });
  assert.deepEqual((await verifyExport(() => whole)).signed, signed);
  const faults = async (of: readonly string[], keys: readonly Uint8Array[] | undefined = trustedKeys) =>
    (await verifyExport(() => of, keys.length > 0 ? { trustedKeys: keys } : {})).faults.map(
      ({ message }) => message,
    );
  const nobody = "nobody whom you trust signed where the log ends: events may be missing at its end";
  const forged = "what says where the log ends does not match its signature";
  const stranger = signerOf(generateKeyPairSync("ed25519")).publicKey;
  for (const [of, expected] of [
    [lines, [nobody]],
    [[...lines.slice(0, 2), end], ["events 2 to 3 are missing"]],
    [[lines[0] ?? "", lines[2] ?? "", lines[3] ?? "", end], ["event 1 is missing"]],
    [
      [...lines.slice(0, 2), end, ...lines.slice(2)],
      ["events 2 to 3 are missing", nobody],
    ],
    [
      [...lines, end.replace('"index":3', '"index":2')],
      [forged, nobody],
    ],
    [
      [...lines, '{"audit_head":{}}\n'],
      [forged, nobody],
    ],
    [[lines[0] ?? "", changed[2] ?? "", end], null],
  ] as const) {
    const found = await faults(of);
    if (expected) assert.deepEqual(found, expected);
    else assert.ok(found.length > 1);
  }
  assert.deepEqual(await faults(whole, [stranger]), [nobody]);
  assert.deepEqual(await faults([...lines.slice(0, 2), end], []), ["events 2 to 3 are missing"]);
});

test("a log whose beginning was removed verifies offline by the gateway's key, and by no other", async (context) => {
  const { audit, directory } = await open(context);
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const signer = signerOf({ publicKey, privateKey });
  const key = signer.publicKey;
  for (let n = 0; n < 4; n++) await audit.append(resizeTo(n));
  const [, second] = (await audit.list()).items.toReversed();
  const anchor = { index: 1, hash: second?.hash ?? "", before: "2026-01-01T00:00:00.000Z" };
  const fields = await signedAnchor(anchor, signer);
  await audit.append({ event: "audit.prune", user: "system", success: true, fields });
  await directory.pruning.removeEvents(1);
  const lines = await collect(audit.exportLines());
  const head = (await audit.head()) ?? assert.fail();
  const whole = [...lines, await signedHeadLine({ ...head, at: "2026-02-10T14:30:00.000Z" }, signer)];
  assert.equal((await verifyExport(() => whole, { known: [head], trustedKeys: [key] })).ok, true);
  assert.equal((await verifyExport(() => whole)).ok, true, "who signed its end signed what was removed");
  const missing = async (of: string[], keys: readonly Uint8Array[]) =>
    (await verifyExport(() => of, { trustedKeys: keys })).faults.flatMap(({ kind, message }) =>
      kind === "unsigned" ? [] : [message],
    );
  assert.deepEqual(await missing(lines, []), ["events 0 to 1 are missing"]);
  assert.deepEqual(await missing(lines, [new Uint8Array(32)]), ["events 0 to 1 are missing"]);
  assert.deepEqual(await missing(lines.slice(1), [key]), ["events 0 to 2 are missing"], "more than was told");
  // Somebody without the key who chains an event of their own.
  const forgeries: Record<string, unknown>[] = [
    { ...fields, up_to: 2 },
    { ...fields, before: "2020-01-01T00:00:00.000Z" },
    { ...fields, signature: "AAAA" },
  ];
  for (const forged of forgeries) {
    const { audit: other, directory: its } = await open(context);
    for (let n = 0; n < 4; n++) await other.append(resizeTo(n));
    await other.append({ event: "audit.prune", user: "system", success: true, fields: forged });
    await its.pruning.removeEvents(Number(forged["up_to"]));
    assert.match((await missing(await collect(other.exportLines()), [key]))[0] ?? "", /are missing/);
  }
});

test("a locked database is `unavailable`, the event goes to the operational log, and the chain goes on after", async (context) => {
  const { audit, path, lines } = await open(context, { lockWaitMs: 30 });
  await audit.append(resizeTo(1));
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  const unavailable = (error: unknown) => isGatehouseError(error, "unavailable");
  await assert.rejects(audit.admissible(), unavailable);
  const lost = [audit.append(resizeTo(2)), audit.append(resizeTo(3))];
  for (const append of lost) await assert.rejects(append, unavailable);
  assert.deepEqual(
    lines.map(({ message, fields }) => [
      message,
      fields.audit_event?.["event"],
      fields.audit_event?.["cols"],
    ]),
    [
      ["an audit event could not be kept", "resize", 2],
      ["an audit event could not be kept", "resize", 3],
    ],
  );
  other.exec("rollback");
  other.close();
  await audit.admissible();
  await audit.append(resizeTo(4));
  const { ok, events } = await audit.verify();
  assert.deepEqual({ ok, events }, { ok: true, events: 2 });
});

test("what waits for a lock is kept once it is free, in its order", async (context) => {
  const { audit, path } = await open(context, { lockWaitMs: 10_000 });
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  const appends = [1, 2, 3].map((cols) => audit.append(resizeTo(cols)));
  other.exec("commit");
  other.close();
  await Promise.all(appends);
  assert.deepEqual(
    (await audit.list()).items.map((event) => event["cols"]),
    [3, 2, 1],
  );
});

test("a closed database is `unavailable`", async (context) => {
  const { audit, directory, lines } = await open(context);
  await directory.close();
  await assert.rejects(audit.append(resizeTo(1)), (error) => isGatehouseError(error, "unavailable"));
  await assert.rejects(audit.admissible(), (error) => isGatehouseError(error, "unavailable"));
  assert.equal(lines.length, 1);
});
