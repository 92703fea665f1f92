/**
 * What no driver sends, through a whole gateway before real databases: messages cut at every byte, lengths that lie, claims
 * of gigabytes, halves, the wrong order, noise. Each connection ends or goes on in order, alone, and the gateway serves the next.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type Socket, connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { Client } from "@gatehouse/contracts/client";
import type { Target } from "@gatehouse/contracts/rest";
import fc from "fast-check";
import { type Databases, openMariadb, openPostgres, startDatabases } from "../parts/databases.ts";
import { eventually, recordedStatements } from "../parts/sessions.ts";

/** `FUZZ_RUNS=500 npm test -- test/e2e/databases-malformed.test.ts` for a long one. */
const runs = Number(process.env["FUZZ_RUNS"] ?? 12);
const seed = Number(process.env["FUZZ_SEED"] ?? randomInt(2 ** 31));
/** What a connection may make the gateway hold, and the gateway itself, by far. */
const residentMiBMax = 700;

type Side = {
  name: "postgres" | "mariadb";
  target: Target;
  /** A connection that is signed in, as its bytes. */
  open(): Promise<Duplex>;
  /** One exchange whose answer is the same each time. */
  ask: Buffer;
  /** Whether these bytes are its whole answer. */
  isWhole(answer: Buffer): boolean;
  messages: readonly Buffer[];
  /** A header that claims so many bytes. */
  claim(bytes: number): Buffer;
  /** What the database itself wrote down of what it ran: a line for each text, which is the first group. */
  log(): string;
  ran: RegExp;
  /** What comes before that: who asks for TLS by these bytes, behind a greeting or before the answer, and then signs in. */
  entrance: { port: number; isGreeted: boolean; askTls: Buffer; signIn: readonly Buffer[] };
};

let stand: Databases;
const sides: Side[] = [];
before(async () => {
  stand = await startDatabases({
    sessions: { ending_grace: "1s" },
  });
  const jane = await stand.person("jane");
  sides.push(await postgresSide(jane), await mariadbSide(jane));
});
after(() => stand?.close());

const typed = (type: string, body: Buffer | string = ""): Buffer => {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(type, 0);
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
};
async function postgresSide(jane: Client): Promise<Side> {
  const target = await stand.addTarget("postgres");
  const zeros = (count: number) => Buffer.alloc(count);
  const parse = typed("P", Buffer.concat([Buffer.from("\0select $1::text || 'x'\0"), zeros(2)]));
  const bind = typed("B", Buffer.concat([zeros(4), Buffer.from([0, 1, 0, 0, 0, 1, 0x79]), zeros(2)]));
  const execute = typed("E", zeros(5));
  const sync = typed("S");
  const query = typed("Q", "select 1; select 'two'\0");
  const { port, user } = await jane.targets.openConnection(target.id, "postgres");
  return {
    name: "postgres",
    target,
    open: async () =>
      raw((await openPostgres(jane, target)) as unknown as { connection: { stream: Socket } }),
    ask: Buffer.concat([parse, bind, typed("D", "P\0"), execute, sync]),
    isWhole: (answer) => answer.length > 6 && answer.subarray(-6, -1).equals(Buffer.from([0x5a, 0, 0, 0, 5])),
    messages: [
      parse,
      bind,
      execute,
      sync,
      query,
      typed("d", "1\t2\n"),
      typed("c"),
      typed("f", "no\0"),
      typed("C", "S\0"),
      typed("H"),
      typed("F", zeros(8)),
      typed("p", "secret\0"),
      typed("Q", "copy (select 1) to stdout\0"),
      typed("Q", "begin\0"),
    ],
    claim: (bytes) => {
      const head = typed("Q");
      head.writeUInt32BE(bytes, 1);
      return head;
    },
    log: stand.postgres.log,
    ran: / LOG: {2}(?:statement|execute [^:]+): (.*)$/gm,
    // §55.7: messages that open a connection have a length and a number in the place of a type.
    entrance: {
      port,
      isGreeted: false,
      askTls: opening(80877103),
      signIn: [
        opening(0x3_0000, `user\0${user}\0database\0postgres\0\0`),
        opening(80877102, "12345678"),
        opening(80877104),
        typed("p", "guessed\0"),
        typed("p", "SCRAM-SHA-256\0\0\0\0\u0009n,,n=,r=x"),
      ],
    },
  };
}
function opening(number: number, body = ""): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length);
  head.writeInt32BE(number, 4);
  return Buffer.concat([head, Buffer.from(body)]);
}
async function mariadbSide(jane: Client): Promise<Side> {
  // No superuser: a byte that is bent into COM_SHUTDOWN would end the server.
  const target = await stand.addTarget("mariadb", { logins: ["mysql_native_password"] });
  const packet = (body: Buffer | string, sequence = 0): Buffer => {
    const bytes = Buffer.from(body);
    const head = Buffer.alloc(4);
    head.writeUIntLE(bytes.length, 0, 3);
    head[3] = sequence;
    return Buffer.concat([head, bytes]);
  };
  const query = packet("\u0003select 1 as one");
  const { port, user } = await jane.targets.openConnection(target.id, "mysql_native_password");
  // Protocol 4.1 with TLS, a password by a plugin and its attributes; 16 MiB; utf8mb4.
  const hello = Buffer.alloc(32);
  hello.writeUInt32LE(0x00_3a_8a_08);
  hello.writeUInt32LE(0x0100_0000, 4);
  hello[8] = 45;
  return {
    name: "mariadb",
    target,
    open: async () => raw((await openMariadb(jane, target)) as unknown as { connection: { stream: Socket } }),
    ask: query,
    isWhole: (answer) =>
      answer.includes(Buffer.from("one")) &&
      answer.length > 4 &&
      [5, 7].includes(answer.length - answer.lastIndexOf(Buffer.from([0xfe, 0, 0]))),
    messages: [
      query,
      packet("\u000e"),
      packet("\u0016select ?"),
      packet(Buffer.from([0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0])),
      packet(Buffer.from([0x19, 9, 0, 0, 0])),
      packet("\u0003select 1", 7),
      packet(""),
      packet("\u0012"),
      packet(Buffer.from([0x1c, 1, 0, 0, 0, 1, 0, 0, 0])),
      packet("\u0002nowhere"),
      packet("\u0008"),
    ],
    claim: (bytes) => {
      const head = Buffer.alloc(5);
      head.writeUIntLE(Math.min(bytes, 0xff_ffff), 0, 3);
      head[4] = 3;
      return head;
    },
    log: stand.mariadb.log,
    ran: / (?:Query|Prepare)\t(.*)$/gm,
    entrance: {
      port,
      isGreeted: true,
      askTls: packet(hello, 1),
      signIn: [
        packet(
          Buffer.concat([
            hello,
            Buffer.from(`${user}\0\u0007guessed\0mysql_clear_password\0\u0004\u0001a\u0001b`),
          ]),
          2,
        ),
        packet("guessed\0", 4),
        packet("", 6),
        query,
      ],
    },
  };
}
/** The driver has signed in; from here on its stream is ours. */
function raw({ connection: { stream } }: { connection: { stream: Socket } }): Duplex {
  for (const event of ["data", "end", "close", "error"]) stream.removeAllListeners(event);
  stream.on("error", () => undefined);
  stream.setNoDelay(true);
  // Each answer is awaited by listeners of its own.
  stream.setMaxListeners(0);
  return stream;
}

/** What comes until it is whole, or until the other side has ended. */
function answerOf(stream: Duplex, isWhole: (answer: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve) => {
    let answer: Buffer = Buffer.alloc(0);
    const done = () => resolve(answer);
    stream.on("data", (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (isWhole(answer)) done();
    });
    stream.once("end", done);
    stream.once("close", done);
    stream.resume();
  });
}
const written = (stream: Duplex, bytes: Uint8Array) =>
  new Promise<void>((resolve) => void stream.write(bytes, () => resolve()));
const never = () => false;

function residentMiB(): number {
  const status = readFileSync(`/proc/${stand.gateway.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}
async function goesOn({ open, ask, isWhole }: Side): Promise<void> {
  const stream = await open();
  const answer = answerOf(stream, isWhole);
  await written(stream, ask);
  assert.ok(isWhole(await answer), "the next connection is served");
  stream.destroy();
}

/** The messages in any order, some whole, some bent or cut, and noise between them. */
function malformed(messages: readonly Buffer[]): fc.Arbitrary<Buffer[]> {
  const noise = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
  const message = fc.constantFrom(...messages);
  const bent = fc
    .tuple(message, fc.nat(), fc.integer({ min: 0, max: 255 }))
    .map(([bytes, at, value]) => Object.assign(Buffer.from(bytes), { [at % bytes.length]: value }));
  const half = fc.tuple(message, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % bytes.length));
  return fc.array(fc.oneof({ weight: 4, arbitrary: message }, bent, half, noise), { maxLength: 8 });
}
/** The first line of each text that was asked for in the sessions since then, which are all closed and stored. */
async function recordedSince(from: string, target: Target): Promise<Set<string>> {
  const { sessions } = stand.gateway.admin;
  const texts = new Set<string>();
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await eventually("every session to be stored", async () => {
      const asked = { target: target.id, from, limit: 100, ...(cursor && { cursor }) };
      const found = await sessions.list(asked);
      return found.items.every(({ recording }) => recording.state === "stored") ? found : undefined;
    });
    for (const session of page.items)
      for (const { text } of await recordedStatements(stand.gateway, session))
        texts.add(/^.*/.exec(text)?.[0] ?? "");
    cursor = page.next;
  }
  return texts;
}
function isSound(): void {
  assert.ok(residentMiB() < residentMiBMax, `${residentMiB()} MiB`);
  assert.doesNotMatch(stand.gateway.output(), /uncaught|unhandled|"level":"fatal"|"level":60/i);
}

for (const name of ["postgres", "mariadb"] as const) {
  const of = () => sides.find((side) => side.name === name) as Side;

  test(`${name}: a message cut at every byte is the same message`, async () => {
    const { open, ask, isWhole } = of();
    const stream = await open();
    const whole = answerOf(stream, isWhole);
    await written(stream, ask);
    const expected = (await whole).toString("hex");
    for (let at = 1; at < ask.length; at++) {
      stream.removeAllListeners("data");
      const answer = answerOf(stream, isWhole);
      await written(stream, ask.subarray(0, at));
      await written(stream, ask.subarray(at));
      assert.equal((await answer).toString("hex"), expected, `cut at ${at}`);
    }
    stream.destroy();
  });

  test(`${name}: a claim that lies, or of gigabytes, costs nothing and ends that connection at most`, async () => {
    const side = of();
    for (const bytes of [0, 3, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      const stream = await side.open();
      const ended = answerOf(stream, never);
      await written(stream, Buffer.concat([side.claim(bytes), Buffer.alloc(100)]));
      stream.end();
      await ended;
      stream.destroy();
    }
    await goesOn(side);
    assert.ok(residentMiB() < residentMiBMax, `${residentMiB()} MiB`);
  });

  test(`${name}: halves, the wrong order and noise end in order (FUZZ_SEED=${seed})`, async () => {
    const side = of();
    const before = side.log().length;
    const began = new Date().toISOString();
    await fc.assert(
      fc.asyncProperty(malformed(side.messages), async (parts) => {
        const stream = await side.open();
        const ended = answerOf(stream, never);
        for (const part of parts) await written(stream, part);
        stream.end();
        await ended;
        stream.destroy();
      }),
      { numRuns: runs, seed },
    );
    await goesOn(side);
    const ran = await eventually("the database's own log", () => {
      const texts = [...side.log().slice(before).matchAll(side.ran)].map(([, text]) => text ?? "");
      return texts.length > 0 ? new Set(texts) : undefined;
    });
    // Nothing of them is left over, and nothing was run that is not recorded.
    const recorded = await recordedSince(began, side.target);
    assert.deepEqual(
      [...ran].filter((text) => /^[ -~]*$/.test(text) && !recorded.has(text)),
      [],
    );
    isSound();
  });

  test(`${name}: who has not signed in and sends no sign-in is let go (FUZZ_SEED=${seed})`, async () => {
    const side = of();
    const { port, isGreeted, askTls, signIn } = side.entrance;
    const sent = fc.tuple(fc.boolean(), fc.nat(2), malformed([askTls, ...signIn]));
    await fc.assert(
      fc.asyncProperty(sent, async ([isInside, begun, parts]) => {
        const plain = connectTcp(port, "127.0.0.1");
        plain.on("error", () => undefined);
        if (isGreeted) await once(plain, "data");
        if (isInside) {
          plain.write(askTls);
          if (!isGreeted) await once(plain, "data");
        }
        const stream = isInside ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain;
        stream.on("error", () => undefined);
        if (isInside) await once(stream, "secureConnect");
        const ended = answerOf(stream, never);
        for (const part of [...signIn.slice(0, begun), ...parts]) await written(stream, part);
        stream.end();
        await ended;
        plain.destroy();
      }),
      { numRuns: runs, seed },
    );
    await goesOn(side);
    isSound();
  });
}
