import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import type { FileOperation } from "@gatehouse/recording";
import { SshWriter } from "../transport/wire.ts";
import { sftpType } from "./sftp-packets.ts";
import { SftpTap } from "./sftp.ts";

const packet = (type: number, build: (body: SshWriter) => SshWriter = (w) => w): Uint8Array => {
  const body = build(new SshWriter().byte(type)).done();
  return new SshWriter().string(body).done().slice();
};
const status = (id: number, code: number, message = "") =>
  packet(sftpType.status, (w) => w.uint32(id).uint32(code).string(message).string("en"));
const handle = (id: number, name: string) => packet(sftpType.handle, (w) => w.uint32(id).string(name));
const open = (id: number, path: string | Uint8Array, flags: number) =>
  packet(sftpType.open, (w) => w.uint32(id).string(path).uint32(flags).uint32(0));
const close = (id: number, name: string) => packet(sftpType.close, (w) => w.uint32(id).string(name));
const write = (id: number, name: string, offset: number, data: Uint8Array) =>
  packet(sftpType.write, (w) => w.uint32(id).string(name).uint64(BigInt(offset)).string(data));
const read = (id: number, name: string, offset: number, length: number) =>
  packet(sftpType.read, (w) => w.uint32(id).string(name).uint64(BigInt(offset)).uint32(length));
const data = (id: number, bytes: Uint8Array) => packet(sftpType.data, (w) => w.uint32(id).string(bytes));

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const bytes = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);

test("an upload in order is told before, at its end, and with its hash", () => {
  const tap = new SftpTap();
  const content = bytes(70_000);
  const opening = { op: "open", protocol: "sftp", operation: 1, path: "/etc/x" };
  const flags = ["write", "create", "truncate"];
  assert.deepEqual(tap.fromClient(open(1, "/etc/x", 0x1a)), [{ ...opening, phase: "request", flags }]);
  assert.deepEqual(tap.fromTarget(handle(1, "h\u0000")), [
    { ...opening, phase: "result", flags, result: { code: 0, message: "" } },
  ]);
  assert.deepEqual(tap.fromClient(write(2, "h\u0000", 0, content.subarray(0, 32_768))), []);
  assert.deepEqual(tap.fromClient(write(3, "h\u0000", 32_768, content.subarray(32_768))), []);
  assert.deepEqual(tap.fromTarget(status(2, 0)), []);
  assert.deepEqual(tap.fromTarget(status(3, 0)), []);
  assert.deepEqual(tap.fromClient(close(4, "h\u0000")), []);
  assert.deepEqual(tap.fromTarget(status(4, 0)), [
    {
      op: "close",
      protocol: "sftp",
      operation: 1,
      phase: "result",
      path: "/etc/x",
      bytesWritten: 70_000,
      ranges: [[0, 70_000]],
      rangesExact: true,
      sha256: sha256(content),
      result: { code: 0, message: "" },
    },
  ]);
});

/** Opens for reading, answers these reads, and gives the transfer of the close. */
function download(reads: [offset: number, answer: Uint8Array | "eof" | "failure"][]) {
  const tap = new SftpTap();
  tap.fromClient(open(1, "f", 0x01));
  tap.fromTarget(handle(1, "h"));
  reads.forEach(([offset], i) => tap.fromClient(read(10 + i, "h", offset, 32_768)));
  reads.forEach(([, answer], i) =>
    tap.fromTarget(
      answer === "eof" ? status(10 + i, 1) : answer === "failure" ? status(10 + i, 4) : data(10 + i, answer),
    ),
  );
  tap.fromClient(close(5, "h"));
  const closed = tap.fromTarget(status(5, 0)).at(-1);
  return [closed?.bytesRead, closed?.ranges, closed?.sha256, closed?.partial];
}

test("a download counts as whole only when it went in order to the end", () => {
  const content = bytes(40_000);
  const first = content.subarray(0, 32_768);
  const rest = content.subarray(32_768);
  assert.deepEqual(
    download([
      [0, first],
      [32_768, rest],
      [65_536, "eof"],
      [40_000, "eof"],
    ]),
    [40_000, [[0, 40_000]], sha256(content), undefined],
  );
  assert.deepEqual(
    download([
      [0, first],
      [32_768, rest],
    ]),
    [40_000, [[0, 40_000]], sha256(content), "the end was not read"],
  );
  assert.deepEqual(
    download([
      [32_768, rest],
      [0, first],
      [40_000, "eof"],
    ]),
    [40_000, [[0, 40_000]], undefined, "out of order"],
  );
  assert.deepEqual(
    download([
      [0, first],
      [32_768, "failure"],
    ]),
    [32_768, [[0, 32_768]], undefined, "a read failed"],
  );
  assert.deepEqual(download([[0, "eof"]]), [0, [], sha256(new Uint8Array()), undefined]);
});

test("an upload that leaves an earlier content or fails is partial; a final truncation makes it whole", () => {
  const upload = (flags: number, answer: number, truncateTo?: number) => {
    const tap = new SftpTap();
    tap.fromClient(open(1, "f", flags));
    tap.fromTarget(handle(1, "h"));
    tap.fromClient(write(2, "h", 0, bytes(10)));
    tap.fromTarget(status(2, answer));
    if (truncateTo !== undefined) {
      tap.fromClient(
        packet(sftpType.fsetstat, (w) => w.uint32(3).string("h").uint32(1).uint64(BigInt(truncateTo))),
      );
      tap.fromTarget(status(3, 0));
    }
    tap.fromClient(close(4, "h"));
    return tap.fromTarget(status(4, 0))[0]?.partial;
  };
  assert.equal(upload(0x02, 0), "the file was not truncated");
  assert.equal(upload(0x0a, 0, 10), undefined);
  assert.equal(upload(0x0a, 0, 5), "the file was not truncated");
  assert.equal(upload(0x1a, 4), "a write failed");
  assert.equal(upload(0x1e, 0), "appended");
});

test("changes are told before they are made, questions with their answers", () => {
  const tap = new SftpTap();
  const told: FileOperation[] = [];
  told.push(...tap.fromClient(packet(sftpType.rename, (w) => w.uint32(1).string("a").string("b"))));
  told.push(...tap.fromTarget(status(1, 3, "Permission denied")));
  told.push(...tap.fromClient(packet(sftpType.symlink, (w) => w.uint32(2).string("to").string("link"))));
  told.push(...tap.fromTarget(status(2, 0)));
  told.push(...tap.fromClient(packet(sftpType.stat, (w) => w.uint32(3).string(Uint8Array.of(0x66, 0xff)))));
  told.push(
    ...tap.fromTarget(packet(sftpType.attrs, (w) => w.uint32(3).uint32(5).uint64(7n).uint32(0o100644))),
  );
  const extended = (id: number, name: string) => (w: SshWriter) => w.uint32(id).string(name);
  told.push(
    ...tap.fromClient(
      packet(sftpType.extended, (w) => extended(4, "posix-rename@openssh.com")(w).string("c").string("d")),
    ),
  );
  told.push(...tap.fromClient(packet(sftpType.extended, (w) => extended(5, "new@x")(w).string("?"))));
  assert.deepEqual(
    told.map(({ protocol, ...rest }) => (assert.equal(protocol, "sftp"), rest)),
    [
      { operation: 1, phase: "request", op: "rename", path: "a", target: "b" },
      {
        operation: 1,
        phase: "result",
        op: "rename",
        path: "a",
        target: "b",
        result: { code: 3, message: "Permission denied" },
      },
      { operation: 2, phase: "request", op: "symlink", path: "link", target: "to" },
      {
        operation: 2,
        phase: "result",
        op: "symlink",
        path: "link",
        target: "to",
        result: { code: 0, message: "" },
      },
      {
        operation: 3,
        phase: "result",
        op: "stat",
        path: "f\ufffd",
        pathBytes: "Zv8=",
        size: 7,
        mode: 0o100644,
        result: { code: 0, message: "" },
      },
      {
        operation: 4,
        phase: "request",
        op: "rename",
        path: "c",
        target: "d",
        extended: "posix-rename@openssh.com",
      },
      {
        operation: 5,
        phase: "request",
        op: "extended",
        path: "",
        extended: "new@x",
        target: "\u0000\u0000\u0000\u0001?",
      },
    ],
  );
});

test("a long transfer says where it stands, and an abandoned one what passed", () => {
  const tap = new SftpTap({ progressBytes: 100 });
  const content = bytes(300);
  tap.fromClient(open(1, "f", 0x1a));
  tap.fromTarget(handle(1, "h"));
  assert.deepEqual(tap.fromClient(write(2, "h", 0, content.subarray(0, 150))), []);
  assert.deepEqual(tap.fromClient(write(3, "h", 150, content.subarray(150))), [
    {
      operation: 1,
      phase: "progress",
      op: "write",
      protocol: "sftp",
      path: "f",
      bytesWritten: 150,
      ranges: [[0, 150]],
      rangesExact: true,
      sha256: sha256(content.subarray(0, 150)),
      partial: "in progress",
    },
  ]);
  const [abandoned] = tap.end();
  assert.equal(abandoned?.bytesWritten, 300);
  assert.equal(abandoned?.sha256, sha256(content));
  assert.equal(abandoned?.result, undefined);
});

test("what cannot be followed is refused", () => {
  const refused = (run: (tap: SftpTap) => unknown, code: "protocol" | "too_large" = "protocol") =>
    assert.throws(
      () => run(new SftpTap()),
      (error) => isGatehouseError(error, code),
    );
  refused((tap) => tap.fromTarget(packet(sftpType.version, (w) => w.uint32(6))));
  refused((tap) => tap.fromTarget(status(1, 0)));
  refused((tap) => tap.fromClient(read(1, "nope", 0, 5)));
  refused((tap) => (tap.fromClient(open(1, "f", 1)), tap.fromClient(open(1, "g", 1))));
  refused((tap) => tap.fromTarget(new TextEncoder().encode("Welcome to web-01!\n")), "too_large");
});
