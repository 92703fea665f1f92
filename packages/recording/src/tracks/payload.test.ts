import assert from "node:assert/strict";
import { test } from "node:test";
import { fromUtf8, isGatehouseError, utf8 } from "@gatehouse/kernel";
import {
  decodeEnv,
  decodeExit,
  decodeFileOperation,
  decodeRequest,
  decodeResize,
  decodeSessionStart,
  encodeEnv,
  encodeExit,
  encodeFileOperation,
  encodeForwardOpen,
  encodeRequest,
  encodeResize,
  encodeSessionEnd,
  encodeSessionStart,
  type FileOperation,
  pathFields,
  recordedCount,
} from "../mod.ts";
import { facts } from "../testing/facts.ts";

test("payloads are canonical JSON and come back as they were", () => {
  assert.equal(fromUtf8(encodeResize({ rows: 24, cols: 80 })), '{"cols":80,"rows":24}');
  assert.deepEqual(decodeResize(encodeResize({ cols: 1, rows: 2, widthPx: 3 })), {
    cols: 1,
    rows: 2,
    widthPx: 3,
  });
  assert.equal(
    fromUtf8(encodeSessionEnd({ reason: "client", exitStatus: 0 })),
    '{"exitStatus":0,"reason":"client"}',
  );
  assert.deepEqual(decodeSessionStart(encodeSessionStart(facts)), facts);
  assert.deepEqual(decodeEnv(encodeEnv({ name: "LANG", value: "C" })), { name: "LANG", value: "C" });
  assert.deepEqual(decodeEnv(encodeEnv({ name: "LD_PRELOAD", refused: true })), {
    name: "LD_PRELOAD",
    refused: true,
  });
  assert.deepEqual(decodeExit(encodeExit({ status: 255 })), { status: 255 });
  const killed = { signal: "KILL", coreDumped: false, message: "" };
  assert.deepEqual(decodeExit(encodeExit(killed)), killed);
  const shell = { type: "shell" as const, pty: { term: "xterm", cols: 80, rows: 24, modes: { ECHO: 1 } } };
  assert.deepEqual(decodeRequest(encodeRequest(shell)), shell);
  const operation: FileOperation = {
    op: "close",
    protocol: "sftp",
    ...pathFields(utf8("/srv/data")),
    operation: 3,
    phase: "result",
    ranges: [[0, 4096]],
    rangesExact: true,
    bytesRead: 4096,
    result: { code: 0, message: "" },
  };
  assert.deepEqual(decodeFileOperation(encodeFileOperation(operation)), operation);
});

test("a value outside its limits is refused and its field named", () => {
  const names = (field: string) => (error: unknown) =>
    isGatehouseError(error, "invalid") && error.details["field"] === field;
  assert.throws(() => encodeResize({ cols: 1.5, rows: 2 }), names("cols"));
  assert.throws(() => encodeResize({ cols: 1, rows: -1 }), names("rows"));
  assert.throws(() => decodeResize(utf8('{"cols":1}')), names("rows"));
  assert.throws(() => decodeResize(utf8("[1]")), names("the document"));
  assert.throws(() => encodeSessionEnd({ reason: "\ud800" }), names("reason"));
  assert.throws(
    () => encodeSessionStart({ ...facts, user: { id: "u1", name: "x".repeat(2000) } }),
    names("user.name"),
  );
  assert.throws(
    () => encodeForwardOpen({ direction: "sideways" as "local", host: "h", port: 22 }),
    names("direction"),
  );
  assert.throws(() => decodeResize(utf8("{")), { code: "invalid", message: "not JSON" });
});

test("a field from a later version is dropped", () => {
  assert.deepEqual(decodeResize(utf8('{"cols":1,"rows":2,"depth":3}')), { cols: 1, rows: 2 });
});

test("a path that is not UTF-8 keeps its bytes", () => {
  assert.deepEqual(pathFields(utf8("/é")), { path: "/é" });
  assert.deepEqual(pathFields(Uint8Array.of(0x2f, 0xff)), { path: "/\ufffd", pathBytes: "L/8=" });
});

test("a count beyond what JSON carries is recorded as the largest", () => {
  assert.equal(recordedCount(0xffff_ffff_ffff_ffffn), Number.MAX_SAFE_INTEGER);
  assert.equal(recordedCount(12n), 12);
});
