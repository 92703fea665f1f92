import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { TLSSocket } from "node:tls";
import { test } from "node:test";
import { systemClock } from "@gatehouse/kernel";
import { decodeQueryOutcome } from "@gatehouse/recording";
import type { Session, SessionEnding } from "../../../sessions/mod.ts";
import { statementRules } from "../../../statements/mod.ts";
import { encodePacket } from "../wire/packets.ts";
import { Relay } from "./relay.ts";

/** A side of the session: what it sends is emitted, and what it got is kept. */
class Side extends EventEmitter {
  readonly got: Buffer[] = [];
  destroyed = false;
  writableEnded = false;
  writableNeedDrain = false;
  write(bytes: Uint8Array): boolean {
    this.got.push(Buffer.from(bytes));
    return true;
  }
  cork(): void {}
  uncork(): void {}
  isPaused(): boolean {
    return false;
  }
  resume(): void {}
  pause(): void {}
  end(): void {
    this.writableEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

/** A relay whose frames, and words for the audit log, are kept or lost when the test says so. */
async function open() {
  const [client, target] = [new Side(), new Side()];
  const waiting: { what: string; data?: Uint8Array; kept(): void; lost(): void }[] = [];
  const until = (what: string, data?: Uint8Array) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // The session hears of a loss, as its own does.
    promise.catch((error: unknown) =>
      ending?.({ reason: "failed", message: String(error), graceMs: 0 } as SessionEnding),
    );
    const lost = () => reject(new Error(`${what} was lost`));
    waiting.push({ what, ...(data && { data }), kept: resolve, lost });
    return promise;
  };
  let ending: ((ending: SessionEnding) => void) | undefined;
  const session = {
    record: (kind: string, _stream: number, data: Uint8Array) => until(kind, data),
    audit: (event: string) => until(event),
    onEnding: (listener: typeof ending) => (ending = listener),
    inputAllowed: () => true,
    active: () => undefined,
    congested: false,
    end: () => Promise.resolve(),
  } as unknown as Session;
  const rules = await statementRules(
    {
      rules: [{ name: "no-drop", action: "deny", kinds: ["drop"] }],
      approvalWaitSeconds: 0,
      keepRows: 0,
      keepCopyBytes: 0,
    },
    "mariadb",
    "root",
  );
  const relay = new Relay({
    client: client as unknown as TLSSocket,
    target: target as unknown as TLSSocket,
    session,
    clock: systemClock,
    capabilities: { flags: 0, extended: 0 },
    database: "",
    connections: { targetIdOf: () => undefined },
    localFiles: false,
    ...(rules && { rules }),
    keep: { rows: 0, copyBytes: 0 },
    approvalWaitMs: 0,
    statementBytesMax: 1024,
    kill: () => Promise.resolve(),
    changeUser: () => Promise.reject(new Error("nobody asked")),
  });
  await relay.start();
  return {
    client,
    target,
    waiting,
    texts: (side: Side) => side.got.map((bytes) => bytes.toString("latin1")),
  };
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const query = (text: string) => encodePacket(0, Buffer.from(`\u0003${text}`));
const okAnswer = encodePacket(1, Buffer.from([0, 0, 0, 2, 0, 0, 0]));

test("a statement passes when its frame is kept, and its outcome reaches the client when that is", async () => {
  const { client, target, waiting } = await open();
  client.emit("data", query("select 1"));
  await turn();
  assert.deepEqual([waiting.map(({ what }) => what), target.got], [["query"], []]);
  waiting[0]?.kept();
  await turn();
  assert.deepEqual(target.got, [query("select 1")]);
  target.emit("data", okAnswer);
  await turn();
  assert.deepEqual([waiting.map(({ what }) => what), client.got], [["query", "query.outcome"], []]);
  waiting[1]?.kept();
  await turn();
  assert.deepEqual(client.got, [okAnswer]);
});

for (const lost of ["query", "query.outcome", "db.statement.denied"])
  test(`a denial whose ${lost} is lost is no answer, and what was denied goes nowhere`, async () => {
    const { client, target, waiting, texts } = await open();
    client.emit("data", Buffer.concat([query("drop table t"), query("select 1")]));
    await turn();
    const refusal = waiting.find(({ what }) => what === "query.outcome")?.data;
    assert.equal(refusal && decodeQueryOutcome(refusal).refused, true);
    // A journal keeps frames in their order; what is behind one that is lost is lost.
    const at = waiting.findIndex(({ what }) => what === lost);
    for (const [i, one] of waiting.entries())
      if (i < at || (lost === "db.statement.denied" && i !== at)) one.kept();
    await turn();
    assert.deepEqual(client.got, []);
    waiting[at]?.lost();
    await turn();
    assert.doesNotMatch(texts(target).join(), /drop/);
    // Whoever waits is told why, and not that a rule denied it.
    assert.match(texts(client).join(), new RegExp(`#08S01.*${lost} was lost`));
    assert.doesNotMatch(texts(client).join(), /no-drop/);
  });
