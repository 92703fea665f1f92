import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, fromUtf8, utf8 } from "@gatehouse/kernel";
import type { Frame, FrameKind } from "../frame.ts";
import { facts } from "../testing/facts.ts";
import { asciicast, type AsciicastOptions } from "./asciicast.ts";
import { execBytes, execSummaries } from "./exec.ts";
import { encodeFileOperation, type FileOperation } from "./file-operation.ts";
import { filesSummary } from "./files.ts";
import { forwards } from "./forward.ts";
import { encodeForwardClose, encodeForwardOpen } from "./forward-payloads.ts";
import { encodePause, encodeSessionEnd, encodeSessionStart, encodeWatch } from "./session-payloads.ts";
import { encodeDigest, encodeEof, encodeExit, encodeRequest, encodeResize } from "./terminal-payloads.ts";

function session(given: readonly [FrameKind, Uint8Array, number?][]): Frame[] {
  const all: [FrameKind, Uint8Array, number?][] = [["session.start", encodeSessionStart(facts)], ...given];
  all.push(["session.end", encodeSessionEnd({ reason: "client" })]);
  return all.map(([kind, data, stream], seq) => ({
    seq,
    timeUs: seq * 250_000,
    kind,
    stream: stream ?? 0,
    data,
  }));
}

async function castOf(frames: Frame[], options: AsciicastOptions): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const text of asciicast(frames, facts, options)) {
    assert.ok(text.endsWith("\n") && text.indexOf("\n") === text.length - 1, "one line each");
    lines.push(JSON.parse(text));
  }
  return lines;
}

const ada = { id: "u1", name: "ada" };
const pty = { term: "vt100", cols: 100, rows: 30, modes: {} };
const terminal = session([
  ["request", encodeRequest({ type: "shell", pty }), 1],
  ["output", utf8("$ "), 1],
  ["input", utf8("é"), 1],
  ["output", Uint8Array.of(0xc3), 1],
  ["output", Uint8Array.of(0xa9, 0xff), 1],
  ["output", utf8("another channel"), 2],
  ["resize", encodeResize({ cols: 120, rows: 0 }), 1],
  ["join", encodeWatch({ user: ada, mode: "observer" })],
  ["pause", encodePause({ user: ada, reason: "lunch" })],
  ["notice", utf8("paused\r\n")],
  ["output", Uint8Array.of(0xe2, 0x82), 1],
  ["exit", encodeExit({ status: 3 }), 1],
]);

test("a terminal becomes asciicast v2", async () => {
  assert.deepEqual(await castOf(terminal, { version: 2, input: true }), [
    {
      version: 2,
      width: 100,
      height: 30,
      timestamp: 1770733800,
      title: "root@web-01",
      env: { TERM: "vt100" },
    },
    [0.5, "o", "$ "],
    [0.75, "i", "é"],
    [1.25, "o", "é\ufffd"],
    [1.75, "r", "120x30"],
    [2, "m", "join: ada"],
    [2.25, "m", "pause: ada"],
    [2.5, "o", "paused\r\n"],
    [2.5, "o", "\ufffd"],
  ]);
});

test("asciicast v3 counts from event to event and ends with the exit status", async () => {
  assert.deepEqual(await castOf(terminal, { version: 3 }), [
    {
      version: 3,
      term: { cols: 100, rows: 30, type: "vt100" },
      timestamp: 1770733800,
      title: "root@web-01",
    },
    [0.5, "o", "$ "],
    [0.75, "o", "é\ufffd"],
    [0.5, "r", "120x30"],
    [0.25, "m", "join: ada"],
    [0.25, "m", "pause: ada"],
    [0.25, "o", "paused\r\n"],
    [0.5, "x", "3"],
    [0, "o", "\ufffd"],
  ]);
});

test("a session without a terminal is still a cast, of the size in its facts", async () => {
  assert.deepEqual(await castOf(session([]), { version: 2 }), [
    {
      version: 2,
      width: 80,
      height: 24,
      timestamp: 1770733800,
      title: "root@web-01",
      env: { TERM: "xterm-256color" },
    },
  ]);
});

const hash = "ab".repeat(32);

test("an exec's streams are its bytes, and its summary says what was only digested", async () => {
  const frames = session([
    ["request", encodeRequest({ type: "exec", command: "tar c /srv" }), 4],
    ["stdin", utf8("in"), 4],
    ["stdout", utf8("ab"), 4],
    ["stderr", utf8("warn"), 4],
    ["stdout", utf8("cd"), 4],
    ["digest", encodeDigest({ of: "stdout", bytes: 9_000, sha256: hash, final: true }), 4],
    ["eof", encodeEof({ of: "stdout" }), 4],
    ["exit", encodeExit({ signal: "TERM", coreDumped: false, message: "" }), 4],
  ]);
  const parts: Uint8Array[] = [];
  for await (const bytes of execBytes(frames, "stdout", { stream: 4 })) parts.push(bytes);
  assert.equal(fromUtf8(concatBytes(parts)), "abcd");
  assert.deepEqual(await execSummaries(frames), [
    {
      stream: 4,
      command: "tar c /srv",
      directions: {
        stdin: { recordedBytes: 2, totalBytes: 2, ended: false },
        stdout: { recordedBytes: 4, totalBytes: 9_000, sha256: hash, ended: true },
        stderr: { recordedBytes: 4, totalBytes: 4, ended: false },
      },
      exit: { signal: "TERM", coreDumped: false, message: "" },
    },
  ]);
});

test("file operations are summed", async () => {
  const file = (operation: Omit<FileOperation, "protocol">): [FrameKind, Uint8Array] => [
    "file",
    encodeFileOperation({ protocol: "sftp", ...operation }),
  ];
  const ok = { code: 0, message: "" };
  const absent = { code: 2, message: "No such file" };
  const frames = session([
    file({ op: "stat", operation: 1, phase: "result", path: "/nowhere", result: absent }),
    file({ op: "open", operation: 2, phase: "request", path: "/a" }),
    file({ op: "open", operation: 2, phase: "result", path: "/a", result: ok }),
    file({ op: "write", operation: 2, phase: "progress", path: "/a", bytesWritten: 7 }),
    file({
      op: "close",
      operation: 2,
      phase: "result",
      path: "/a",
      bytesWritten: 10,
      sha256: hash,
      result: ok,
    }),
    file({ op: "read", operation: 3, phase: "progress", path: "/b", bytesRead: 4, partial: "in progress" }),
    file({ op: "read", operation: 3, phase: "progress", path: "/b", bytesRead: 5, partial: "in progress" }),
  ]);
  assert.deepEqual(await filesSummary(frames), {
    operations: 3,
    failures: 1,
    bytesRead: 5,
    bytesWritten: 10,
    transfers: [
      { timeUs: 1_250_000, direction: "upload", path: "/a", bytes: 10, sha256: hash },
      { timeUs: 1_750_000, direction: "download", path: "/b", bytes: 5, partial: "in progress" },
    ],
    transfersCount: 2,
  });
});

test("a forward is its opening and its close", async () => {
  const open = { direction: "local" as const, host: "db", port: 5432 };
  const frames = session([
    ["forward.open", encodeForwardOpen(open), 7],
    ["forward.open", encodeForwardOpen({ ...open, direction: "listen" }), 8],
    ["forward.close", encodeForwardClose({ bytesIn: 1, bytesOut: 2 }), 7],
  ]);
  assert.deepEqual(await forwards(frames), [
    { ...open, stream: 7, openedUs: 250_000, closed: { bytesIn: 1, bytesOut: 2, timeUs: 750_000 } },
    { ...open, direction: "listen", stream: 8, openedUs: 500_000 },
  ]);
});
