import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { IdentificationReader } from "./identification.ts";

function read(peer: "server" | "client", text: string, sizes: readonly number[] = [text.length]) {
  const reader = new IdentificationReader(peer);
  const bytes = Buffer.from(text, "latin1");
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number;
    const found = reader.push(bytes.subarray(at, at + size));
    at += size;
    if (found !== undefined)
      return { line: found.line, rest: found.rest.toString("latin1") + bytes.toString("latin1", at) };
  }
  return undefined;
}

test("the line is found, whatever the chunks, and what follows is kept", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }), (sizes) => {
      const text = "Welcome\r\nSSH but not quite\r\nSSH\nSSH-2.0-Thing_1 and words\r\nbinary\u0000\n";
      assert.deepEqual(read("server", text, sizes), {
        line: "SSH-2.0-Thing_1 and words",
        rest: "binary\u0000\n",
      });
    }),
  );
});

describe("lines", () => {
  test("may end with LF alone, and be of 1.99", () => {
    assert.deepEqual(read("client", "SSH-1.99-x\nrest"), { line: "SSH-1.99-x", rest: "rest" });
  });
  test("of 255 bytes are taken, longer ones not", () => {
    const line = `SSH-2.0-${"x".repeat(255 - 8 - 2)}`;
    assert.equal(read("client", `${line}\r\n`)?.line, line);
    assert.throws(() => read("client", `${line}xx\r\n`), { code: "protocol", message: /too long/ });
  });
  test("of a client come first", () => {
    assert.throws(() => read("client", "Welcome\r\nSSH-2.0-x\r\n"), { code: "protocol" });
  });
  test("of a server may be preceded by some text, not by any amount", () => {
    const text = `${"x".repeat(1000)}\r\n`;
    assert.equal(read("server", `${text.repeat(10)}SSH-2.0-x\r\n`)?.line, "SSH-2.0-x");
    assert.throws(() => read("server", text.repeat(20)), { code: "protocol", message: /too/ });
    assert.throws(() => read("server", "x".repeat(20_000), [1]), { code: "protocol", message: /too/ });
  });
  for (const [line, message] of [
    ["SSH-2.0-", /version 2/],
    ["SSH-1.5-x", /version 2/],
    ["SSH-3.0-x", /version 2/],
    ["SSH-2.0-\u001b[31m", /printable/],
    ["SSH-2.0-caf\u00e9", /printable/],
  ] as const)
    test(`${JSON.stringify(line)} is refused`, () => {
      assert.throws(() => read("server", `${line}\r\n`), { code: "protocol", message });
    });
});
