import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sshOptions } from "../parts/gateway.ts";
import { run } from "../parts/openssh.ts";
import { awaitEvents, recordedSession } from "../parts/sessions.ts";
import { type Stage, startStage } from "../parts/stage.ts";

let stage: Stage;
let folder: string;
const content = randomBytes(700_000);
const sha256 = createHash("sha256").update(content).digest("hex");
before(async () => {
  stage = await startStage({ target: { permits: { localForward: true } } });
  folder = mkdtempSync(join(tmpdir(), "gatehouse-tools-"));
  writeFileSync(join(folder, "local"), content);
});
after(async () => {
  await stage.close();
  rmSync(folder, { recursive: true });
});
const options = () => sshOptions(stage.gateway, stage.person);
const remote = (name: string) => `${stage.address}:${join(folder, name)}`;
const copied = (name: string) => readFileSync(join(folder, name)).equals(content);

test("scp by its own protocol: the file, its digest and the audited copy are the same, both ways", async () => {
  const up = await run("scp", ["-O", ...options(), join(folder, "local"), remote("scp-up")]);
  assert.equal(up.code, 0, up.stderr);
  assert.ok(copied("scp-up"));
  const down = await run("scp", ["-O", ...options(), remote("scp-up"), join(folder, "scp-down")]);
  assert.equal(down.code, 0, down.stderr);
  assert.ok(copied("scp-down"));
  const events = await awaitEvents(stage.gateway, { event: "scp" }, 2);
  assert.deepEqual(
    events.map(({ code, fields }) => [code, fields["action"], fields["len"], fields["sha256"]]),
    [
      ["T3005I", "upload", content.length, sha256],
      ["T3004I", "download", content.length, sha256],
    ],
  );
});

test("scp by SFTP: each file's operations are recorded and audited with its digest", async () => {
  const up = await run("scp", [...options(), join(folder, "local"), remote("sftp-up")]);
  assert.equal(up.code, 0, up.stderr);
  assert.ok(copied("sftp-up"));
  const { session, json } = await recordedSession(stage.gateway, ({ kind }) => kind === "sftp");
  const closes = json("file").filter(({ op, phase }) => op === "close" && phase === "result");
  assert.ok(closes.some((close) => close["sha256"] === sha256 && close["bytesWritten"] === content.length));
  const events = await awaitEvents(stage.gateway, { event: "sftp", session: session.id });
  const closed = events.find(({ fields }) => fields["action"] === "close");
  assert.deepEqual(
    [closed?.code, closed?.fields["path"], closed?.fields["bytes_written"], closed?.fields["sha256"]],
    ["TS002I", join(folder, "sftp-up"), content.length, sha256],
  );

  // A download that broke off goes on with curl, and is the same file, though it is in the audit log meanwhile.
  const [bundle, head] = [join(folder, "bundle.tar"), join(folder, "head")];
  const socket = ["--unix-socket", join(stage.gateway.dataDir, "admin.sock")];
  const url = `http://admin/api/v1/recordings/${session.id}/export?format=bundle`;
  const curl = (...args: string[]) => run("curl", ["-sf", ...socket, "-o", bundle, "-D", head, ...args, url]);
  assert.equal((await curl()).code, 0);
  const whole = readFileSync(bundle);
  const etag = /^etag: (.*)\r$/im.exec(readFileSync(head, "utf8"))?.[1];
  truncateSync(bundle, 1000);
  assert.notEqual((await curl("-C", "-")).code, 0, "of which bundle is not said");
  assert.equal(readFileSync(bundle).length, 1000);
  const resumed = await curl("-C", "-", "-H", `If-Range: ${etag}`);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.match(
    readFileSync(head, "utf8"),
    new RegExp(`^HTTP/1.1 206 [^]*bytes 1000-${whole.length - 1}/${whole.length}\\r$`, "m"),
  );
  assert.ok(readFileSync(bundle).equals(whole));
  const taken = await awaitEvents(
    stage.gateway,
    { event: "session.recording.access", session: session.id },
    3,
  );
  assert.equal(taken.filter(({ fields }) => fields["action"] === "download").length, 3);
});

test("rsync and git work as they do directly, and are recorded as the commands they run", async () => {
  const shell = ["ssh", ...options()].join(" ");
  const synced = await run("rsync", ["-e", shell, join(folder, "local"), remote("rsync-up")]);
  assert.equal(synced.code, 0, synced.stderr);
  assert.ok(copied("rsync-up"));
  const { session } = await recordedSession(
    stage.gateway,
    ({ command }) => command?.startsWith("rsync --server") === true,
  );
  assert.equal(session.end?.exitStatus, 0);

  const source = join(folder, "repository");
  mkdirSync(source);
  const git = (...args: string[]) =>
    run("git", ["-C", source, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args]);
  await git("init", "-q");
  writeFileSync(join(source, "file"), content);
  await git("add", "file");
  await git("commit", "-qm", "one");
  const cloned = await run("git", ["clone", "-q", remote("repository"), join(folder, "cloned")], {
    env: { GIT_SSH_COMMAND: shell },
  });
  assert.equal(cloned.code, 0, cloned.stderr);
  assert.ok(copied("cloned/file"));
});

test("a forwarded port is audited with what passed each way", async () => {
  const server = createServer((socket) => socket.once("data", () => socket.end("five!")));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const bound = server.address();
  const port = typeof bound === "object" && bound ? bound.port : 0;
  try {
    const ran = await stage.ssh(["-W", `127.0.0.1:${port}`, stage.address], { input: "hello gate" });
    assert.equal(ran.stdout.toString(), "five!", ran.stderr);
    const events = await awaitEvents(stage.gateway, { event: "port" }, 2);
    assert.deepEqual(
      events.map(({ code, fields }) => [
        code,
        fields["direction"],
        fields["addr"],
        fields["bytes_in"],
        fields["bytes_out"],
      ]),
      [
        ["T3003I", "local", `127.0.0.1:${port}`, undefined, undefined],
        ["T3003S", "local", `127.0.0.1:${port}`, 10, 5],
      ],
    );
  } finally {
    server.close();
  }
});
