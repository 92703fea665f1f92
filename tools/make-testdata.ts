/**
 * Makes the golden recordings of format v1: `node tools/make-testdata.ts <empty folder>`. `testdata/v1` was made by this
 * once and is frozen: every later version must read it as it is, so never make it again in place. Randomness is
 * seeded; only the zstd library's version may change a byte.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { concatBytes, seededRandom, toBase64, toHex, utf8 } from "@gatehouse/kernel";
import {
  ageWrapper,
  type BuiltSegment,
  buildRawSegment,
  encodeDigest,
  encodeEof,
  encodeExit,
  encodeForwardClose,
  encodeForwardOpen,
  encodeRecord,
  encodeRequest,
  encodeResize,
  encodeSessionEnd,
  encodeSessionStart,
  type Frame,
  type FrameKind,
  LaneSealer,
  laneOf,
  lanes,
  manifestName,
  memorySource,
  publicKeyPem,
  sealSegment,
  type SegmentPlace,
  type SessionFacts,
  signManifest,
  wrapKeys,
  writeBundle,
} from "@gatehouse/recording";
import { nodeSealCrypto, nodeSignerFromSeed } from "@gatehouse/recording/node";

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write("usage: node tools/make-testdata.ts <empty folder>\n");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
if (readdirSync(folder).length > 0) {
  process.stderr.write(`${folder} is not empty\n`);
  process.exit(2);
}

const random = seededRandom(20_260_210);
// age takes its randomness from the platform, and this program is the only one here.
crypto.getRandomValues = (array) => {
  if (array)
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(random.bytes(array.byteLength));
  return array;
};
const seeded = { ...nodeSealCrypto, random: (length: number) => random.bytes(length) };
const signer = nodeSignerFromSeed(random.bytes(32));
/** Known to everybody, so good for nothing else. */
const identities = {
  everything: "AGE-SECRET-KEY-1T2ESZ9AWCXNRAEF5FQCSGTUSPDDHT0HKTVTMX8MGR968C9VT5XMSXTZYQV",
  output: "AGE-SECRET-KEY-1LJMTYXD4HKXXGTSJ7GD2G2YZNL7KDYXWXA2PYTAMHC8QS5Y39WZQ3V2VNR",
};
const everything = "age10z47aytwkarxpl9gmntnls56lav3crlghtgjzjp4dp68sxgsl58sqkxsad";
const output = "age1rkxxa07d0d75ej3es0wfwckafhrfqwzppcrj85y6ny3yfwypfgaqzh7mxt";

function factsOf(
  last: string,
  about: Pick<SessionFacts, "kind" | "track"> & Partial<SessionFacts>,
): SessionFacts {
  return {
    sessionId: `019c47e6-8b00-7000-8000-0000000000${last}`,
    startedAt: "2026-02-10T14:30:00.000Z",
    protocol: "ssh",
    user: { id: "019c47e6-0000-7000-8000-000000000001", name: "ada" },
    login: "root",
    target: { id: "019c47e6-0000-7000-8000-000000000002", name: "web-01", address: "10.0.0.5:22" },
    remoteAddress: "192.0.2.7:50022",
    connectionId: "019c47e6-0000-7000-8000-000000000003",
    client: "SSH-2.0-OpenSSH_9.2",
    gatewayId: "gate-1",
    ...about,
  };
}

function expectedLine({ seq, timeUs, kind, stream, data }: Frame): string {
  return `  ${JSON.stringify({ seq, timeUs, kind, stream, data: toBase64(data) })}`;
}

type Step = [kind: FrameKind, data: Uint8Array, stream?: number];

async function record(
  name: string,
  facts: SessionFacts,
  steps: readonly Step[],
  options: { perSegment: number; rawFrom?: number; interrupted?: boolean },
): Promise<Map<string, Uint8Array>> {
  const all: Step[] = [["session.start", encodeSessionStart(facts)], ...steps];
  if (!options.interrupted) all.push(["session.end", encodeSessionEnd({ reason: "client" })]);
  const frames: Frame[] = all.map(([kind, data, stream], seq) => ({
    seq,
    timeUs: seq === 0 ? 0 : seq * seq * 31_003,
    kind,
    stream: stream ?? 0,
    data,
  }));
  const recordingId = facts.sessionId;
  const keys = { main: random.bytes(32), input: random.bytes(32) };
  const sealer = (lane: "main" | "input") =>
    new LaneSealer({ recordingId, lane, key: keys[lane], crypto: seeded });
  const sealers = { main: sealer("main"), input: sealer("input") };
  const wrapped = await wrapKeys(recordingId, keys, {
    main: [ageWrapper([everything, output])],
    input: [ageWrapper([everything])],
  });
  const segments: BuiltSegment[] = [];
  for (let at = 0; at < frames.length; at += options.perSegment) {
    const own = frames.slice(at, at + options.perSegment);
    const n = segments.length;
    const previousSha256 = segments.at(-1)?.sha256;
    const place: SegmentPlace =
      previousSha256 === undefined
        ? { recordingId, n: 0, opening: { facts, keys: wrapped } }
        : { recordingId, n, previousSha256 };
    if (n >= (options.rawFrom ?? Number.POSITIVE_INFINITY)) {
      const records = lanes.flatMap((lane) => {
        const inLane = own.filter((frame) => laneOf(frame.kind) === lane);
        const half = Math.ceil(inLane.length / 2);
        return [inLane.slice(0, half), inLane.slice(half)]
          .filter((group) => group.length > 0)
          .map((group) => encodeRecord(sealers[lane], group));
      });
      segments.push(await buildRawSegment({ place, records, signer, crypto: seeded }));
    } else segments.push(await sealSegment({ place, frames: own, sealers, signer, crypto: seeded }));
  }
  const { bytes } = await signManifest(
    {
      facts,
      state: options.interrupted ? "interrupted" : "complete",
      end: {
        reason: options.interrupted ? "interrupted" : "client",
        at: "2026-02-10T14:31:00.000Z",
        lastTimeUs: frames.at(-1)?.timeUs ?? 0,
      },
      keys: wrapped,
      segments: segments.map((segment) => segment.entry),
    },
    signer,
  );
  const objects = new Map(segments.map((segment) => [segment.entry.name, segment.bytes]));
  objects.set(manifestName, bytes);
  mkdirSync(join(folder as string, name));
  for (const [object, content] of objects) writeFileSync(join(folder as string, name, object), content);
  writeFileSync(
    join(folder as string, `${name}.expected.json`),
    `[\n${frames.map(expectedLine).join(",\n")}\n]\n`,
  );
  return objects;
}

const pty = { term: "xterm-256color", cols: 80, rows: 24, modes: { ECHO: 1, VINTR: 3 } };
const listing = "drwxr-xr-x 2 root root 4096 Feb 10 14:30 \u001b[01;34mbin\u001b[0m\r\n".repeat(40);
const terminal = await record(
  "terminal",
  factsOf("01", { kind: "shell", track: "terminal", size: { cols: 80, rows: 24 } }),
  [
    ["request", encodeRequest({ type: "shell", pty })],
    ["notice", utf8("This session is recorded.\r\n")],
    ["output", utf8("root@web-01:~# ")],
    ["input", utf8("ls -l\r")],
    ["output", utf8("ls -l\r\n")],
    ["output", utf8(listing)],
    ["resize", encodeResize({ cols: 120, rows: 40 })],
    ["output", Uint8Array.of(0xe2, 0x82)],
    ["output", Uint8Array.of(0xac, 0x0d, 0x0a, 0xff)],
    ["input", utf8("exit\r")],
    ["exit", encodeExit({ status: 0 })],
  ],
  { perSegment: 5 },
);
const bundle: Uint8Array[] = [];
for await (const part of writeBundle({ source: memorySource(terminal) })) bundle.push(part);
writeFileSync(join(folder, "terminal.tar"), concatBytes(bundle));

const command = "tar -c /srv";
await record(
  "exec",
  factsOf("02", { kind: "exec", track: "exec", command }),
  [
    ["request", encodeRequest({ type: "exec", command })],
    ["stdin", Uint8Array.of(0, 1, 2, 255)],
    ["eof", encodeEof({ of: "stdin" })],
    ["stdout", random.bytes(3_000)],
    ["stderr", utf8("tar: Removing leading `/' from member names\n")],
    ["digest", encodeDigest({ of: "stdout", bytes: 20_000_000, sha256: "5a".repeat(32), final: true })],
    ["exit", encodeExit({ signal: "TERM", coreDumped: false, message: "" })],
  ],
  { perSegment: 100 },
);

await record(
  "interrupted",
  factsOf("03", { kind: "shell", track: "terminal", size: { cols: 80, rows: 24 } }),
  [
    ["request", encodeRequest({ type: "shell", pty }), 1],
    ["input", utf8("sleep 100\r"), 1],
    ["output", utf8("sleep 100\r\n"), 1],
    ["forward.open", encodeForwardOpen({ direction: "local", host: "db", port: 5432 }), 2],
    ["forward.close", encodeForwardClose({ bytesIn: 10, bytesOut: 20 }), 2],
    ["input", utf8("\u0003"), 1],
    ["output", utf8("^C\r\n"), 1],
    ["output", utf8("root@web-01:~# "), 1],
  ],
  { perSegment: 3, rawFrom: 1, interrupted: true },
);

writeFileSync(join(folder, "identity-everything.txt"), `${identities.everything}\n`);
writeFileSync(join(folder, "identity-output-only.txt"), `${identities.output}\n`);
writeFileSync(join(folder, "signer.pem"), publicKeyPem(signer.publicKey));
writeFileSync(join(folder, "signer.hex"), `${toHex(signer.publicKey)}\n`);
