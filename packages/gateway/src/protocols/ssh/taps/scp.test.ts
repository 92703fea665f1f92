import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { FileOperation } from "@gatehouse/recording";
import { ScpTap, parseScpCommand } from "./scp.ts";

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

test("what scp runs on the far side is recognised", () => {
  const table: [string, ReturnType<typeof parseScpCommand>][] = [
    ["scp -t /tmp/x", { direction: "upload", path: "/tmp/x" }],
    ["scp -v -r -p -d -t -- /srv/my files", { direction: "upload", path: "/srv/my files" }],
    ["/usr/bin/scp -f a", { direction: "download", path: "a" }],
    ["scp -rf a b", { direction: "download", path: "a b" }],
    ["scp a b", undefined],
    ["scp -r a host:b", undefined],
    ["echo scp -t x", undefined],
    ["myscp -t x", undefined],
  ];
  for (const [command, expected] of table) assert.deepEqual(parseScpCommand(command), expected, command);
});

/** Runs OpenSSH's own two ends of the protocol against each other, with the tap between them. */
async function copy(sender: string[], receiver: string[], tap: ScpTap): Promise<FileOperation[]> {
  const from = spawn("scp", ["-f", ...sender], { stdio: ["pipe", "pipe", "ignore"] });
  const to = spawn("scp", ["-t", ...receiver], { stdio: ["pipe", "pipe", "ignore"] });
  const operations: FileOperation[] = [];
  from.stdout.on("data", (bytes: Buffer) => {
    operations.push(...tap.fromClient(bytes));
    to.stdin.write(bytes);
  });
  from.stdout.on("end", () => to.stdin.end());
  to.stdout.on("data", (bytes: Buffer) => {
    operations.push(...tap.fromTarget(bytes));
    from.stdin.write(bytes);
  });
  for (const stdin of [from.stdin, to.stdin]) stdin.on("error", () => {});
  await Promise.all([once(from, "close"), once(to, "close")]);
  operations.push(...tap.end());
  return operations;
}

test("a directory that scp sends is told file by file, with hashes", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "gatehouse-scp-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const big = Buffer.alloc(300_000, "0123456789");
  mkdirSync(join(dir, "tree/sub"), { recursive: true });
  writeFileSync(join(dir, "tree/a"), "hello", { mode: 0o640 });
  writeFileSync(join(dir, "tree/sub/b\n\u0001.bin"), big);
  writeFileSync(join(dir, "tree/empty"), "");
  const tap = new ScpTap({ direction: "upload", path: "/dst" });
  const operations = await copy(["-r", "-p", join(dir, "tree")], ["-r", "-p", join(dir, "dst")], tap);
  assert.equal(readFileSync(join(dir, "dst/a"), "utf8"), "hello");
  assert.ok(operations.every((o) => o.target === "/dst" || o.op === "close"));
  assert.ok(operations.every((o) => o.result === undefined || o.result.code === 0));
  const closed = new Map(operations.filter((o) => o.op === "close").map((o) => [o.path, o]));
  assert.equal(closed.get("tree/a")?.sha256, sha256("hello"));
  assert.equal(closed.get("tree/empty")?.sha256, sha256(""));
  // OpenSSH shows a newline in a name as its escape.
  const odd = [...closed.values()].find((o) => o.path.startsWith("tree/sub/b"));
  assert.deepEqual([odd?.sha256, odd?.bytesWritten, odd?.partial], [sha256(big), 300_000, undefined]);
  const opened = operations.find((o) => o.op === "open" && o.path === "tree/a");
  assert.deepEqual([opened?.phase, opened?.mode, opened?.size], ["request", 0o640, 5]);
  assert.ok(typeof opened?.mtimeS === "number");
  const directories = operations.filter((o) => o.op === "mkdir").map((o) => [o.phase, o.path]);
  assert.deepEqual(
    directories.sort(),
    [
      ["request", "tree"],
      ["request", "tree/sub"],
      ["result", "tree"],
      ["result", "tree/sub"],
    ].sort(),
  );
});

test("refusals on either side are told", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "gatehouse-scp-"));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, "a"), "hello");
  const refused = await copy(
    [join(dir, "a")],
    [join(dir, "no/such/dir/x")],
    new ScpTap({ direction: "upload", path: "x" }),
  );
  const open = refused.filter((o) => o.op === "open");
  assert.deepEqual(
    open.map((o) => o.phase),
    ["request", "result"],
  );
  assert.match(open[1]?.result?.message ?? "", /No such file/);
  const missing = await copy(
    [join(dir, "missing")],
    [dir],
    new ScpTap({ direction: "upload", path: "missing" }),
  );
  assert.match(missing[0]?.result?.message ?? "", /No such file/);
});

test("a file broken off in its middle is told with what passed, noise is told once", () => {
  const tap = new ScpTap({ direction: "download", path: "f" }, { progressBytes: 4 });
  const told = [
    ...tap.fromClient(Buffer.from("\0")),
    ...tap.fromTarget(Buffer.from("C0644 100 f\n")),
    ...tap.fromClient(Buffer.from("\0")),
    ...tap.fromTarget(Buffer.from("abcde")),
    ...tap.fromTarget(Buffer.from("fg")),
    ...tap.end(),
  ];
  assert.deepEqual(
    told.map((o) => [o.phase, o.op, o.bytesRead, o.sha256, o.partial]),
    [
      ["request", "open", undefined, undefined, undefined],
      ["progress", "read", 5, sha256("abcde"), "in progress"],
      ["result", "close", 7, sha256("abcdefg"), "broken off"],
    ],
  );
  const noisy = new ScpTap({ direction: "download", path: "f" });
  assert.deepEqual(
    noisy.fromTarget(Buffer.from("Welcome to web-01\nHave fun\n")).map((o) => [o.op, o.extended]),
    [["extended", "not followed any further: this is not scp's protocol"]],
  );
  assert.deepEqual(noisy.fromTarget(Buffer.from("C0644 100 f\n")), []);
});
