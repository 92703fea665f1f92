import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes, isGatehouseError } from "@gatehouse/kernel";
import { type FileOperation, encodeFileOperation } from "@gatehouse/recording";
import { SshWriter } from "../transport/wire.ts";
import { SftpTap } from "./sftp.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);

/** Packets that are near enough to real ones to get past the length and into the fields. */
const body = fc.array(
  fc.oneof(
    fc.nat(255).map((n) => new SshWriter().byte(n).done()),
    fc.nat(8).map((n) => new SshWriter().uint32(n).done()),
    fc.nat(300_000).map((n) => new SshWriter().uint64(BigInt(n)).done()),
    fc.uint8Array({ maxLength: 40 }).map((b) => new SshWriter().string(b).done()),
    fc
      .constantFrom("h", "posix-rename@openssh.com", "copy-data")
      .map((b) => new SshWriter().string(b).done()),
  ),
  { maxLength: 6 },
);
const types = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 101, max: 105 }), fc.nat(255));
const packets = fc
  .tuple(types, body)
  .map(([type, fields]) => new SshWriter().string(concatBytes([Uint8Array.of(type), ...fields])).done());
const stream = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.array(packets, { maxLength: 12 }).map(concatBytes),
);
const script = fc.array(fc.tuple(fc.boolean(), stream), { maxLength: 20 });

function run(steps: readonly (readonly [boolean, Uint8Array])[], portion: number) {
  const tap = new SftpTap({ progressBytes: 50 });
  const operations: FileOperation[] = [];
  try {
    for (const [fromClient, bytes] of steps)
      for (let at = 0; at < bytes.length; at += portion) {
        const view = bytes.slice(at, at + portion);
        operations.push(...(fromClient ? tap.fromClient(view) : tap.fromTarget(view)));
        // What was handed in is the caller's again.
        view.fill(0xaa);
      }
    operations.push(...tap.end());
    return { operations, failed: undefined };
  } catch (error) {
    assert.ok(isGatehouseError(error, "protocol") || isGatehouseError(error, "too_large"), String(error));
    return { operations, failed: error.message };
  }
}

test("any bytes give operations or a typed refusal, the same in whatever portions they come", () => {
  fc.assert(
    fc.property(script, fc.integer({ min: 1, max: 64 }), (steps, portion) => {
      const whole = run(steps, 1 << 20);
      const portioned = run(steps, portion);
      assert.equal(portioned.failed, whole.failed);
      // Whatever was told can be recorded.
      for (const operation of portioned.operations) encodeFileOperation(operation);
      // A push that throws gives none of its operations, so only what was told can be compared.
      assert.deepEqual(portioned.operations.slice(0, whole.operations.length), whole.operations);
      if (whole.failed === undefined) assert.equal(portioned.operations.length, whole.operations.length);
    }),
    { numRuns },
  );
});
