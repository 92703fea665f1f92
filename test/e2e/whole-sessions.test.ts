import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { sshOptions } from "../parts/gateway.ts";
import { run } from "../parts/openssh.ts";
import {
  awaitEvents,
  awaitSession,
  awaitStored,
  eventNames,
  eventually,
  recordedSession,
} from "../parts/sessions.ts";
import { type Stage, startStage } from "../parts/stage.ts";
import { openTerminal } from "../parts/terminal.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));

let stage: Stage;
before(async () => {
  stage = await startStage({
    gateway: { config: { ssh: { listen: "127.0.0.1:0", allowed_env: ["LANG", "GATEHOUSE_*"] } } },
  });
});
after(() => stage.close());

const ssh = (command: string, options: { input?: Uint8Array | string; env?: NodeJS.ProcessEnv } = {}) =>
  stage.ssh([stage.address, command], options);
/** The session of the command that has this in it. */
const recordedOf = (mark: string) =>
  recordedSession(stage.gateway, (session) => session.command?.includes(mark) === true);

test("a shell: what was typed and shown, every size, and what the audit log tells of it", async () => {
  const { gateway } = stage;
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, stage.person), stage.address, "PS1='ready>' exec sh -i"],
    join(gateway.dataDir, "resize"),
  );
  try {
    await terminal.shows(/ready>/);
    const live = await awaitSession(gateway, ({ state, track }) => state === "live" && track === "terminal");
    terminal.resize(120, 40);
    await awaitEvents(gateway, { event: "resize", session: live.id });
    terminal.type("stty size; echo \u00e4\u{1f642}\r");
    await terminal.shows(/40 120[\s\S]*ready>/);
    terminal.type("exit 3\r");
    assert.equal(await terminal.exited, 3);

    const { session, bytes, json, frames } = await recordedSession(gateway, ({ id }) => id === live.id);
    // OpenSSH's client adds the last line itself.
    const shown = terminal
      .shown()
      .toString()
      .replace(/Connection to 127\.0\.0\.1 closed\.\r\n$/, "");
    assert.equal(bytes("output", "notice").toString(), shown);
    assert.equal(bytes("input").toString(), "stty size; echo \u00e4\u{1f642}\rexit 3\r");
    assert.deepEqual(json("resize"), [{ cols: 120, rows: 40 }]);
    assert.deepEqual(
      frames.map(({ seq }) => seq),
      frames.map((_, i) => i),
    );
    assert.deepEqual(
      [session.state, session.track, session.end],
      ["ended", "terminal", { reason: "closed", detail: null, exitStatus: 3, exitSignal: null }],
    );
    assert.deepEqual(
      [session.user.name, session.login, session.target.name],
      ["ann", stage.sshd.user, "web-01"],
    );
    assert.match(session.client ?? "", /^SSH-2\.0-OpenSSH/);
    // The end and the safe arrival in the store are told by two rooms that do not wait for each other.
    assert.deepEqual(
      (await eventNames(gateway, session)).sort(),
      [
        "exec T3002I",
        "resize T2002I",
        "session.end T2004I",
        "session.recording.access T2012I",
        "session.start T2000I",
        "session.upload T2005I",
      ].sort(),
    );
    const [end] = await awaitEvents(gateway, { event: "session.end", session: session.id });
    assert.equal(end?.fields["head_sha256"], session.recording.headSha256);
    assert.deepEqual([end?.fields["reason"], end?.fields["exit_status"]], ["closed", 3]);
    const [login] = await awaitEvents(gateway, { event: "user.login", user: "ann" });
    assert.deepEqual([login?.code, login?.fields["method"]], ["T1000I", "ssh_key"]);
    assert.equal((await gateway.admin.recordings.verify(session.id)).ok, true);
  } finally {
    terminal.kill();
  }
});

test("what is typed unseen at `read -s` stands in no list of commands, and the gate's own words in none either", async () => {
  const { gateway } = stage;
  const command = "PS1='ready>' exec bash --norc --noediting -i";
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, stage.person), stage.address, command],
    join(gateway.dataDir, "resize-unseen"),
  );
  try {
    await terminal.shows(/ready>/);
    const { id } = await awaitSession(
      gateway,
      ({ state, track }) => state === "live" && track === "terminal",
    );
    // The answer comes in the line of the question, as `denied` does after many a password.
    terminal.type("read -rsp 'Secret? ' x; echo taken\r");
    await terminal.shows(/Secret\? /);
    terminal.type("hunter2-quiet\r");
    await terminal.shows(/taken\r\nready>/);
    terminal.type("echo ha");
    await terminal.shows(/echo ha/);
    await gateway.admin.sessions.pause(id, { reason: "drill" });
    await terminal.shows(/paused[^\n]*\n/);
    await gateway.admin.sessions.resume(id, {});
    await terminal.shows(/passes again[^\n]*\n/);
    terminal.type("lf\r");
    await terminal.shows(/half\r\nready>/);
    terminal.type("exit\r");
    await terminal.exited;
    await awaitStored(gateway, (session) => session.id === id);
    await gateway.admin.recordings.makeIndex(id);
    const { index } = await gateway.admin.recordings.overview(id);
    const events = index?.events ?? [];
    assert.deepEqual(
      events.filter(({ kind }) => kind === "command").map(({ text }) => text),
      ["read -rsp 'Secret? ' x; echo taken", "echo half", "exit"],
    );
    assert.ok(!JSON.stringify(events).includes("hunter2"));

    const told = await run(cli, ["sessions", "show", id, "--data-dir", gateway.dataDir]);
    assert.equal(told.code, 0, told.stderr);
    assert.match(told.stdout.toString(), /^allowed by +target-allows-person: The target names them/m);
    assert.match(told.stdout.toString(), /^moderated +0:\d\d \S+ paused the input: drill$/m);
    assert.match(told.stdout.toString(), /^moderated +0:\d\d \S+ let the input pass again$/m);
  } finally {
    terminal.kill();
  }
});

test("a command: three streams and its status, byte for byte from the store", async () => {
  const input = randomBytes(300_000);
  const ran = await ssh("cat; echo plain-exec >&2; exit 7", { input });
  assert.equal(ran.code, 7, ran.stderr);
  assert.ok(ran.stdout.equals(input));
  assert.equal(ran.stderr, "plain-exec\n");
  const { session, bytes, json } = await recordedOf("plain-exec");
  assert.ok(bytes("stdin").equals(input));
  assert.ok(bytes("stdout").equals(input));
  assert.equal(bytes("stderr").toString(), "plain-exec\n");
  assert.deepEqual(json("exit"), [{ status: 7 }]);
  const [exec] = await awaitEvents(stage.gateway, { event: "exec", session: session.id });
  assert.deepEqual(exec?.fields, {
    login: stage.sshd.user,
    command: "cat; echo plain-exec >&2; exit 7",
    exit_code: 7,
  });
});

test("a command that a signal ended says which", async () => {
  const ran = await ssh(": by-signal; kill -TERM $$");
  assert.equal(ran.code, 255);
  const { session, json } = await recordedOf("by-signal");
  assert.equal(session.end?.exitSignal, "TERM");
  assert.deepEqual(
    json("exit").map((exit) => exit["signal"]),
    ["TERM"],
  );
});

test("variables of the allow-list pass, others are named as refused", async () => {
  const ran = await stage.ssh(
    ["-o", "SendEnv=GATEHOUSE_TEST SECRET_TEST", stage.address, "echo env-mark $GATEHOUSE_TEST/$SECRET_TEST"],
    { env: { GATEHOUSE_TEST: "passes", SECRET_TEST: "stays" } },
  );
  assert.equal(ran.stdout.toString(), "env-mark passes/\n");
  const { json, frames } = await recordedOf("env-mark");
  assert.deepEqual(
    json("env").filter(({ name }) => name !== "LANG"),
    [
      { name: "GATEHOUSE_TEST", value: "passes" },
      { name: "SECRET_TEST", refused: true },
    ],
  );
  assert.ok(frames.every(({ data }) => !Buffer.from(data).includes("stays")));
});

test("keys change in the middle of a transfer, and no byte does", async () => {
  const input = randomBytes(6_000_000);
  const ran = await stage.ssh(
    ["-v", "-o", "RekeyLimit=1M", "-o", "LogLevel=DEBUG1", stage.address, "cat #rekey"],
    {
      input,
    },
  );
  assert.equal(ran.code, 0, ran.stderr.slice(-2000));
  assert.ok(ran.stdout.equals(input));
  assert.ok((ran.stderr.match(/SSH2_MSG_KEXINIT received/g) ?? []).length >= 5, "keys changed");
  const { bytes } = await recordedOf("#rekey");
  assert.ok(bytes("stdin").equals(input));
  assert.ok(bytes("stdout").equals(input));
});

test("beyond the limit a running digest is kept of what passed", async () => {
  const input = randomBytes(20_000_000);
  const ran = await ssh("cat > /dev/null #digest", { input });
  assert.equal(ran.code, 0, ran.stderr);
  const { bytes, json } = await recordedOf("#digest");
  assert.ok(bytes("stdin").equals(input.subarray(0, 16 * 1024 * 1024)));
  assert.deepEqual(json("digest").at(-1), {
    of: "stdin",
    bytes: input.length,
    sha256: createHash("sha256").update(input).digest("hex"),
    final: true,
  });
});

test("agent and X11 are refused unless the target allows them, and both answers are audited", async () => {
  const { gateway, targetId } = stage;
  const agentDir = join(gateway.dataDir, "agent.sock");
  const agent = await run("ssh-agent", ["-a", agentDir]);
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(agent.stdout.toString())?.[1]);
  try {
    const ask = () =>
      stage.ssh(["-A", stage.address, "echo agent=${SSH_AUTH_SOCK:+here}"], {
        env: { SSH_AUTH_SOCK: agentDir },
      });
    assert.equal((await ask()).stdout.toString(), "agent=\n");
    const [refused] = await awaitEvents(gateway, { event: "agent-forward" });
    assert.equal(refused?.success, false);
    await gateway.admin.targets.update(targetId, { permits: { agentForward: true } });
    assert.equal((await ask()).stdout.toString(), "agent=here\n");
    const events = await awaitEvents(gateway, { event: "agent-forward" }, 2);
    assert.equal(events.at(-1)?.success, true);
    const x11 = await stage.ssh(["-X", stage.address, "echo display=${DISPLAY:+here}"], {
      env: { DISPLAY: "127.0.0.1:77" },
    });
    assert.equal(x11.stdout.toString(), "display=\n");
    const [noDisplay] = await awaitEvents(gateway, { event: "x11-forward" });
    assert.deepEqual([noDisplay?.code, noDisplay?.success], ["T3008W", false]);
  } finally {
    await gateway.admin.targets.update(targetId, { permits: { agentForward: false } });
    process.kill(pid);
  }
});

test("several sessions over one connection each have a recording of their own", async () => {
  const { gateway } = stage;
  const control = join(gateway.dataDir, "control");
  const shared = (...args: string[]) => stage.ssh(["-o", `ControlPath=${control}`, ...args]);
  const master = shared("-M", "-N", stage.address);
  await eventually("the control socket", () => existsSync(control) || undefined);
  const [one, two] = await Promise.all([
    shared(stage.address, "echo control-one"),
    shared(stage.address, "echo control-two"),
  ]);
  assert.deepEqual([one.stdout.toString(), two.stdout.toString()], ["control-one\n", "control-two\n"]);
  await shared("-O", "exit", stage.address);
  await master;
  const sessions = await Promise.all(
    ["control-one", "control-two"].map(async (mark) => {
      const { session, bytes } = await recordedOf(mark);
      assert.equal(bytes("stdout").toString(), `${mark}\n`);
      return session;
    }),
  );
  assert.equal(sessions[0]?.connectionId, sessions[1]?.connectionId);
  assert.notEqual(sessions[0]?.id, sessions[1]?.id);
});

test("ssh -J is answered with a host certificate that one @cert-authority line trusts", async () => {
  const { gateway, sshd } = stage;
  const trusted = join(gateway.dataDir, "known_hosts");
  writeFileSync(trusted, `@cert-authority * ${await gateway.admin.ca.sshHost()}`);
  const config = join(gateway.dataDir, "ssh_config");
  writeFileSync(
    config,
    [
      "Host *",
      "  BatchMode yes",
      "  IdentitiesOnly yes",
      `  IdentityFile ${stage.person.keyFile}`,
      "  StrictHostKeyChecking yes",
      `  UserKnownHostsFile ${trusted}`,
      "  GlobalKnownHostsFile /dev/null",
    ].join("\n"),
  );
  const ran = await run("ssh", [
    "-F",
    config,
    "-J",
    `127.0.0.1:${gateway.sshPort}`,
    `${sshd.user}@web-01`,
    "echo by-jump",
  ]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.stdout.toString(), "by-jump\n");
  const { session, bytes } = await recordedOf("by-jump");
  assert.equal(bytes("stdout").toString(), "by-jump\n");
  assert.deepEqual([session.target.name, session.login], ["web-01", sshd.user]);
});

test("the command line plays, exports and verifies what was just recorded", async () => {
  const { gateway } = stage;
  const ran = await stage.ssh(["-tt", stage.address, "printf 'played back\\n'; sleep 0.1; echo end"]);
  assert.equal(ran.code, 0, ran.stderr);
  const { session } = await recordedOf("played back");
  const gatehouse = (...args: string[]) => run(cli, [...args, "--data-dir", gateway.dataDir]);
  const played = await gatehouse("play", "--speed", "4x", session.id);
  assert.equal(played.code, 0, played.stderr);
  assert.ok(played.stdout.toString().includes("played back\r\nend\r\n"), played.stdout.toString());
  const text = await gatehouse("play", "--format", "text", session.id);
  assert.match(text.stdout.toString(), /played back\nend\n/);

  const folder = gateway.dataDir;
  const cast = join(folder, "one.cast");
  const exported = await gatehouse("recordings", "export", session.id, "--format", "asciicast", "-o", cast);
  assert.equal(exported.code, 0, exported.stderr);
  const [head, ...lines] = readFileSync(cast, "utf8").trimEnd().split("\n");
  assert.equal((JSON.parse(head ?? "") as { version: number }).version, 2);
  const events = lines.map((line) => JSON.parse(line) as [number, string, string]);
  const output = events.filter(([, kind]) => kind === "o");
  assert.equal(output.map(([, , data]) => data).join(""), "played back\r\nend\r\n");

  const bundle = join(folder, "one.tar");
  const bundled = await gatehouse("recordings", "export", session.id, "--format", "bundle", "-o", bundle);
  assert.equal(bundled.code, 0, bundled.stderr);
  const checked = await gatehouse("recordings", "verify", session.id);
  assert.equal(checked.code, 0, checked.stdout.toString() + checked.stderr);
  // Offline: nothing but the bundle and the key that signs.
  const key = join(folder, "signer.pem");
  writeFileSync(key, await gateway.admin.ca.recordings());
  const offline = await run(cli, ["verify", bundle, "--trusted-key", key]);
  assert.equal(offline.code, 0, offline.stdout.toString() + offline.stderr);
  // And it is found out when one bit of a segment is another. In a tar each content follows the 512 bytes of its name.
  const bytes = readFileSync(bundle);
  let header = 0;
  while (!/\.seg\0/.test(bytes.toString("latin1", header, header + 100))) header += 512;
  const inSegment = header + 512 + 600;
  bytes[inSegment] = (bytes[inSegment] ?? 0) ^ 1;
  writeFileSync(bundle, bytes);
  const damaged = await run(cli, ["verify", bundle, "--trusted-key", key]);
  assert.notEqual(damaged.code, 0, damaged.stdout.toString());
  const watched = await awaitEvents(gateway, { event: "session.recording.access", session: session.id }, 3);
  assert.ok(watched.every(({ code }) => code === watched[0]?.code));
});
