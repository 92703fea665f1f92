import assert from "node:assert/strict";
import { test } from "node:test";
import type { WireFrame } from "@gatehouse/contracts/rest";
import { utf8 } from "@gatehouse/kernel";
import { encodeFileOperation, type FileOperation } from "@gatehouse/recording";
import { fileRowsOf } from "./file-rows.ts";

const ok = { code: 0, message: "" };
let seq = 0;
const frame = (operation: Omit<FileOperation, "protocol">): WireFrame => ({
  seq: seq++,
  timeUs: seq * 1000,
  kind: "file",
  stream: 0,
  data: encodeFileOperation({ protocol: "sftp", ...operation }),
});

test("an open file is one row, from the request to its close", () => {
  const [row, ...others] = fileRowsOf([
    frame({ op: "open", operation: 1, phase: "request", path: "/a", flags: ["write", "create"] }),
    frame({ op: "open", operation: 1, phase: "result", path: "/a", result: ok }),
    frame({ op: "close", operation: 1, phase: "progress", path: "/a", bytesWritten: 10 }),
    frame({
      op: "close",
      operation: 1,
      phase: "result",
      path: "/a",
      bytesWritten: 89,
      sha256: "ab".repeat(32),
      result: ok,
    }),
  ]);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [row?.did, row?.path, row?.bytesWritten, row?.sha256, row?.outcome],
    ["wrote", "/a", 89, "ab".repeat(32), { is: "done" }],
  );
});

test("what was refused, what was never answered and what was left open are told apart", () => {
  const rows = fileRowsOf([
    frame({ op: "remove", operation: 1, phase: "request", path: "/etc/shadow" }),
    frame({
      op: "remove",
      operation: 1,
      phase: "result",
      path: "/etc/shadow",
      result: { code: 3, message: "Permission denied" },
    }),
    frame({ op: "mkdir", operation: 2, phase: "request", path: "/lost" }),
    frame({ op: "open", operation: 3, phase: "request", path: "/live" }),
    frame({ op: "open", operation: 3, phase: "result", path: "/live", result: ok }),
    frame({ op: "stat", operation: 4, phase: "result", path: "/x", result: { code: 2, message: "" } }),
  ]);
  assert.deepEqual(
    rows.map((row) => [row.path, row.outcome, row.isLookup]),
    [
      ["/etc/shadow", { is: "refused", why: "Permission denied" }, false],
      ["/lost", { is: "unanswered" }, false],
      ["/live", { is: "open" }, false],
      ["/x", { is: "refused", why: "code 2" }, true],
    ],
  );
});

test("a frame that is not to be read is a row of its own, and no failure", () => {
  const rows = fileRowsOf([{ seq: 7, timeUs: 1, kind: "file", stream: 0, data: utf8("nonsense") }]);
  assert.equal(rows.length, 1);
});
