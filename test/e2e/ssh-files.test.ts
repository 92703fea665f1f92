import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { GatehouseError } from "@gatehouse/kernel";
import type { FileOperation } from "@gatehouse/recording";
import { type KeptSession, type TestGate, address, clientOptions, startGate } from "../parts/gate.ts";
import { run } from "../parts/openssh.ts";

let gate: TestGate;
before(async () => {
  gate = await startGate();
});
after(() => gate.close());

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const path = (name: string) => join(gate.directory, name);
function last(): KeptSession {
  const session = gate.sessions.at(-1);
  assert.ok(session);
  return session;
}
function closeOf(session: KeptSession, file: string): FileOperation | undefined {
  return session.files().find((operation) => operation.op === "close" && operation.path.endsWith(file));
}
/** `ssh` for programs that start it themselves. */
const sshCommand = () => ["ssh", ...clientOptions(gate)].join(" ");

for (const [name, options] of [
  ["the old protocol", ["-O"]],
  ["SFTP", ["-s"]],
] as const)
  test(`scp over ${name} copies both ways, and each file is told with its hash`, async () => {
    const content = randomBytes(3_000_000);
    const [up, far, down] = [path(`up${options[0]}`), path(`far${options[0]}`), path(`down${options[0]}`)];
    writeFileSync(up, content);
    const upload = await run("scp", [...options, ...clientOptions(gate), up, `${address(gate)}:${far}`]);
    assert.equal(upload.code, 0, upload.stderr);
    assert.ok(readFileSync(far).equals(content));
    const uploaded = closeOf(last(), options[0] === "-O" ? `up${options[0]}` : far);
    assert.deepEqual(
      [uploaded?.bytesWritten, uploaded?.sha256, uploaded?.partial, uploaded?.result?.code],
      [content.length, sha256(content), undefined, 0],
    );
    const audited = last().events.find(({ fields }) => fields["sha256"] !== undefined);
    assert.deepEqual(
      [audited?.event, audited?.fields["sha256"]],
      [options[0] === "-O" ? "scp" : "sftp", sha256(content)],
    );

    const download = await run("scp", [...options, ...clientOptions(gate), `${address(gate)}:${far}`, down]);
    assert.equal(download.code, 0, download.stderr);
    assert.ok(readFileSync(down).equals(content));
    const session = last();
    assert.equal((await session.ended).reason, "closed");
    assert.equal(session.facts.kind, options[0] === "-O" ? "scp" : "sftp");
    const downloaded = closeOf(session, `far${options[0]}`);
    assert.deepEqual(
      [downloaded?.bytesRead, downloaded?.sha256, downloaded?.partial],
      [content.length, sha256(content), undefined],
    );
    if (options[0] === "-O") assert.ok(session.bytes("stdout").includes(content.subarray(0, 1000)));
    else assert.equal(session.bytes("stdin", "stdout").length, 0, "contents of SFTP are hashed, not kept");
  });

test("an sftp batch is told operation by operation, before and after", async () => {
  const content = randomBytes(100_000);
  writeFileSync(path("local"), content);
  const remote = path("tree");
  const batch = [
    `mkdir ${remote}`,
    `put ${path("local")} ${remote}/a`,
    `chmod 600 ${remote}/a`,
    `rename ${remote}/a ${remote}/b`,
    `ln -s ${remote}/b ${remote}/link`,
    `ls ${remote}`,
    `get ${remote}/b ${path("back")}`,
    `rm ${remote}/b`,
    `-rm ${remote}/missing`,
    `-get ${remote}/missing`,
  ].join("\n");
  const ran = await run("sftp", [...clientOptions(gate), "-b", "-", address(gate)], { input: batch });
  assert.equal(ran.code, 0, ran.stderr);
  assert.ok(readFileSync(path("back")).equals(content));
  const told = last()
    .files()
    .filter(({ op }) => !["stat", "realpath", "extended", "readlink"].includes(op))
    .map(({ op, phase, path: name, target, result }) =>
      [phase, op, name.replace(remote, ""), target?.replace(remote, ""), result?.code]
        .filter((word) => word !== undefined)
        .join(" "),
    );
  assert.deepEqual(told, [
    "request mkdir ",
    "result mkdir  0",
    "request open /a",
    "result open /a 0",
    "result close /a 0",
    "request setstat /a",
    "result setstat /a 0",
    "request rename /a /b",
    "result rename /a /b 0",
    "request symlink /link /b",
    "result symlink /link /b 0",
    "request opendir /",
    "result opendir / 0",
    "result close / 0",
    "request open /b",
    "result open /b 0",
    "result close /b 0",
    "request remove /b",
    "result remove /b 0",
    "request remove /missing",
    "result remove /missing 2",
  ]);
});

test("rsync and git work as they do directly", async () => {
  const tree = path("rsync");
  mkdirSync(join(tree, "sub"), { recursive: true });
  const content = randomBytes(500_000);
  writeFileSync(join(tree, "sub/a"), content);
  const pushed = await run("rsync", [
    "-a",
    "-e",
    sshCommand(),
    `${tree}/`,
    `${address(gate)}:${path("copied")}/`,
  ]);
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.ok(readFileSync(path("copied/sub/a")).equals(content));
  assert.match(last().facts.command ?? "", /^rsync --server/);

  const env = {
    GIT_SSH_COMMAND: sshCommand(),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@example.org",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@example.org",
  };
  const git = async (...args: string[]) => {
    const ran = await run("git", args, { env });
    assert.equal(ran.code, 0, `git ${args.join(" ")}: ${ran.stderr}`);
    return ran;
  };
  const bare = path("repo.git");
  const url = `ssh://${address(gate)}:${gate.port}${bare}`;
  await git("init", "-q", "--bare", "-b", "main", bare);
  await git("-c", "protocol.version=2", "clone", "-q", url, path("clone"));
  writeFileSync(path("clone/file"), content);
  await git("-C", path("clone"), "checkout", "-q", "-b", "main");
  await git("-C", path("clone"), "add", "file");
  await git("-C", path("clone"), "commit", "-q", "-m", "one");
  await git("-C", path("clone"), "push", "-q", "origin", "main");
  await git("clone", "-q", url, path("again"));
  assert.ok(readFileSync(path("again/file")).equals(content));
  assert.match(last().facts.command ?? "", /^git-upload-pack/);
});

test("scp, sftp, rsync and git show why they were refused", async () => {
  gate.refuse = new GatehouseError({
    code: "recording_unavailable",
    op: "test",
    message: "recording cannot be guaranteed (no space); nothing was opened",
  });
  const logBefore = gate.sshd.log();
  try {
    const far = `${address(gate)}:${path("refused")}`;
    const tools: [string, string[]][] = [
      ["ssh", [...clientOptions(gate), address(gate), "true"]],
      ["scp", ["-O", ...clientOptions(gate), path("local"), far]],
      ["scp", ["-s", ...clientOptions(gate), path("local"), far]],
      ["sftp", [...clientOptions(gate), "-b", "/dev/null", address(gate)]],
      ["rsync", ["-e", sshCommand(), path("local"), far]],
    ];
    for (const [program, args] of tools) {
      const ran = await run(program, args);
      assert.notEqual(ran.code, 0, program);
      const said = ran.stderr.split("\n").filter((row) => row.startsWith("gatehouse:"));
      assert.deepEqual(
        said,
        ["gatehouse: recording cannot be guaranteed (no space); nothing was opened."],
        `${program}: ${ran.stderr}`,
      );
    }
    assert.equal((await run("ssh", [...clientOptions(gate), address(gate), "true"])).code, 255);
    assert.equal(gate.sshd.log(), logBefore, "the target saw no connection");
    assert.ok(!existsSync(path("refused")));
  } finally {
    gate.refuse = undefined;
  }
});
