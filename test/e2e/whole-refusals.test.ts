/**
 * What is refused: each time one clear line on the person's screen, exit 255, an event, and a target that saw nothing; and
 * meanwhile somebody else works on, undisturbed.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { systemRandom } from "@gatehouse/kernel";
import {
  generateKey,
  publicKeyLine,
  writePrivateKey,
} from "../../packages/gateway/src/protocols/ssh/keys/mod.ts";
import { sshOptions } from "../parts/gateway.ts";
import { type Ran, run } from "../parts/openssh.ts";
import { awaitEvents, eventually } from "../parts/sessions.ts";
import { type Stage, startStage } from "../parts/stage.ts";

let stage: Stage;
let neighbour: Echo;
before(async () => {
  stage = await startStage();
  neighbour = await openEcho(stage);
});
after(async () => {
  neighbour.end();
  await stage.close();
});

/** Somebody else's session: it echoes what it is sent. */
type Echo = { echoes(): Promise<void>; end(): void };

async function openEcho(on: Stage): Promise<Echo> {
  const child = spawn("ssh", [...sshOptions(on.gateway, on.person), on.address, "cat #neighbour"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let got = "";
  child.stdout.on("data", (chunk: Buffer) => (got += chunk.toString()));
  const echoes = async () => {
    const word = `${randomBytes(8).toString("hex")}\n`;
    child.stdin.write(word);
    await eventually("the neighbour's echo", () => got.includes(word) || undefined);
  };
  await echoes();
  return { echoes, end: () => child.kill() };
}

const connections = (on: Stage) => (on.sshd.log().match(/^Connection from/gm) ?? []).length;
const ask = () => stage.ssh([stage.address, "echo this must not run"]);

/** One line, 255, nothing ran, nothing was dialled, and the neighbour's session goes on. */
async function assertRefused(ran: Ran, says: RegExp, connectionsBefore: number): Promise<void> {
  assert.match(ran.stderr, says);
  assert.equal(ran.stderr.trimEnd().split(/\r?\n/).length, 1, ran.stderr);
  assert.equal(ran.code, 255);
  assert.equal(ran.stdout.toString(), "");
  assert.equal(connections(stage), connectionsBefore, "the target saw a connection");
  await neighbour.echoes();
}

/** A master connection whose person is known already, so that what is refused is a session. */
async function openMaster(): Promise<{ ask(): Promise<Ran>; close(): Promise<unknown> }> {
  const control = ["-o", `ControlPath=${join(stage.gateway.dataDir, "control")}`];
  const logins = async () => (await stage.gateway.admin.audit.list({ event: "user.login" })).items.length;
  const loginsBefore = await logins();
  const master = stage.ssh([...control, "-M", "-N", stage.address]);
  await eventually(
    "the control socket",
    () => existsSync(join(stage.gateway.dataDir, "control")) || undefined,
  );
  // The client believes itself in before the gate has written that down.
  await eventually("the master's login", async () => (await logins()) > loginsBefore || undefined);
  return {
    ask: () => stage.ssh([...control, stage.address, "echo this must not run"]),
    close: async () => {
      await stage.ssh([...control, "-O", "exit", stage.address]);
      await master;
    },
  };
}

test("a locked database: neither a person nor a session is let in, and the operational log says so", async () => {
  const { gateway } = stage;
  const before = connections(stage);
  const master = await openMaster();
  const other = new DatabaseSync(join(gateway.dataDir, "gatehouse.db"), { timeout: 10_000 });
  other.exec("begin immediate");
  try {
    await assertRefused(await master.ask(), /recording cannot be guaranteed.*nothing was opened/, before);
    assert.match(gateway.output(), /"session\.rejected"/);
    await assertRefused(
      await ask(),
      /audit log cannot be written|Authentication is not possible now/,
      before,
    );
  } finally {
    other.exec("rollback");
    other.close();
    await master.close();
  }
  // The login's refusal went to whichever log could take it.
  await eventually("the refused login in a log", async () => {
    const { items } = await gateway.admin.audit.list({ event: "auth" });
    return items.length > 0 || /could not be (?:decided or )?audited/.test(gateway.output()) || undefined;
  });
  const again = await stage.ssh([stage.address, "echo works again"]);
  assert.equal(again.stdout.toString(), "works again\n");
});

test("a database whose file was taken away", async () => {
  const { gateway } = stage;
  const before = connections(stage);
  const master = await openMaster();
  const files = ["gatehouse.db", "gatehouse.db-wal", "gatehouse.db-shm"].map((name) =>
    join(gateway.dataDir, name),
  );
  for (const file of files) renameSync(file, `${file}.away`);
  try {
    await assertRefused(await master.ask(), /recording cannot be guaranteed.*nothing was opened/, before);
    await assertRefused(await ask(), /the audit log cannot be written, so nobody is let in now/, before);
  } finally {
    for (const file of files) renameSync(`${file}.away`, file);
    await master.close();
  }
  const again = await stage.ssh([stage.address, "echo works again"]);
  assert.equal(again.stdout.toString(), "works again\n");
});

test("a store that cannot be written", async () => {
  const { gateway } = stage;
  const store = join(gateway.dataDir, "recordings");
  renameSync(store, `${store}.away`);
  // Nobody can make a directory below a file, not even root.
  writeFileSync(store, "");
  try {
    // Until the first shipment fails, the store is what it was when it was asked last; what passes is in the journal.
    await stage.ssh([stage.address, "true"]);
    await eventually("the failure of the store", async () => {
      const { store: seen } = await gateway.admin.health();
      return seen.reachable ? undefined : true;
    });
    const before = connections(stage);
    await assertRefused(await ask(), /recording cannot be guaranteed.*store.*nothing was opened/, before);
    const rejected = (await awaitEvents(gateway, { event: "session.rejected" })).at(-1);
    assert.deepEqual(
      [rejected?.code, rejected?.success, rejected?.fields["reason"], rejected?.fields["server_hostname"]],
      ["T1006W", false, "recording_unavailable", "web-01"],
    );
  } finally {
    rmSync(store);
    renameSync(`${store}.away`, store);
  }
  const again = await stage.ssh([stage.address, "echo works again"]);
  assert.equal(again.stdout.toString(), "works again\n");
  // What the outage left waiting has arrived.
  await eventually("an empty spool", async () => {
    const { items } = await gateway.admin.sessions.list({ limit: 100 });
    return (
      items.every(({ state, recording }) => state === "live" || recording.state === "stored") || undefined
    );
  });
});

test("a journal without room for another session", async () => {
  const full = await startStage({
    gateway: { config: { recording: { journal: { capacity: "4 MiB", reserve: "2 MiB" } } } },
  });
  try {
    const first = await openEcho(full);
    const before = connections(full);
    const ran = await full.ssh([full.address, "echo this must not run"]);
    assert.equal(ran.code, 255);
    assert.match(
      ran.stderr,
      /^gatehouse: recording cannot be guaranteed \(.*no room.*\); nothing was opened\.\r?\n$/,
    );
    assert.equal(connections(full), before);
    await awaitEvents(full.gateway, { event: "session.rejected" });
    await first.echoes();
    first.end();
    await eventually("room", async () => {
      const next = await full.ssh([full.address, "echo works again"]);
      return next.stdout.toString() === "works again\n" || undefined;
    });
  } finally {
    await full.close();
  }
});

test("a key that nobody registered", async () => {
  const { gateway, person } = stage;
  const before = connections(stage);
  const key = generateKey("ed25519");
  const keyFile = join(gateway.dataDir, "mallory.key");
  writeFileSync(keyFile, writePrivateKey(key, { random: systemRandom }), { mode: 0o600 });
  const options = sshOptions(gateway, { ...person, keyFile });

  await assertRefused(
    await run("ssh", [...options, stage.address, "echo this must not run"]),
    /Permission denied \(publickey\)/,
    before,
  );
  const refused = (await awaitEvents(gateway, { event: "auth" })).at(-1);
  assert.deepEqual(
    [refused?.code, refused?.success, refused?.fields["login"]],
    ["T3007W", false, `${stage.sshd.user}+web-01`],
  );
});

test("a target that does not exist, and one that does not answer", async () => {
  const { gateway, sshd } = stage;
  const before = connections(stage);
  const nobody = stage.address.replace("web-01", "web-99");
  await assertRefused(await stage.ssh([nobody, "true"]), /^gatehouse: .*web-99/, before);
  const rejected = await awaitEvents(gateway, { event: "session.rejected" });
  assert.deepEqual(
    [rejected.at(-1)?.fields["reason"], rejected.at(-1)?.fields["server_hostname"]],
    ["not_found", "web-99"],
  );
  const created = await gateway.admin.targets.create({
    name: "web-02",
    host: "127.0.0.1",
    port: 9,
    logins: [sshd.user],
    allowRoles: ["user"],
  });
  await gateway.admin.targets.trustHostKeys(created.id, {
    kind: "pinned",
    keys: sshd.hostKeyBlobs.map((blob) => publicKeyLine(blob)),
  });
  await assertRefused(
    await stage.ssh([stage.address.replace("web-01", "web-02"), "true"]),
    /^gatehouse: .*(web-02|127\.0\.0\.1:9)/,
    before,
  );
  await eventually("the end of the session that came to nothing", async () => {
    const [end] = (await gateway.admin.audit.list({ event: "session.end", limit: 1 })).items;
    return (end?.fields["server_hostname"] === "web-02" && end.fields["reason"] === "failed") || undefined;
  });
});

test("a target whose host key has changed gets nothing, and the change is told", async () => {
  const { gateway, targetId, sshd } = stage;
  await gateway.admin.targets.trustHostKeys(targetId, {
    kind: "pinned",
    keys: [publicKeyLine(generateKey("ed25519").public.blob)],
  });
  try {
    const ran = await ask();
    assert.equal(ran.code, 255);
    assert.equal(ran.stdout.toString(), "");
    assert.match(ran.stderr, /^gatehouse: .*host key.*\r?\n$/i);
    const [told] = await awaitEvents(gateway, { event: "target.host_key.rejected" });
    assert.deepEqual([told?.code, told?.success], ["GH4005W", false]);
    await neighbour.echoes();
  } finally {
    await gateway.admin.targets.trustHostKeys(targetId, {
      kind: "pinned",
      keys: sshd.hostKeyBlobs.map((blob) => publicKeyLine(blob)),
    });
  }
});

test("bytes that are no SSH, and packets of any size, end their own connection only", async () => {
  const { gateway } = stage;
  const banner = "SSH-2.0-test\r\n";
  const packet = (lengthField: number, rest: Uint8Array = randomBytes(64)) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(lengthField);
    return Buffer.concat([Buffer.from(banner), head, rest]);
  };
  const malicious: [string, Uint8Array][] = [
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: gate\r\n\r\n")],
    ["noise", randomBytes(100_000)],
    ["SSH 1", Buffer.from("SSH-1.5-old\r\n")],
    ["a banner without an end", Buffer.alloc(100_000, "S")],
    ["a packet of 4 GiB", packet(0xffff_ffff)],
    ["a packet of 1 MiB", packet(1024 * 1024, randomBytes(1024 * 1024))],
    ["a packet of nothing", packet(0)],
    ["noise after the banner", Buffer.concat([Buffer.from(banner), randomBytes(50_000)])],
  ];
  for (const [what, bytes] of malicious) await cutOff(gateway.sshPort, bytes, what);
  // Not a word to a port scan; what broke the protocol is told.
  const events = await awaitEvents(gateway, { event: "auth" }, 4);
  assert.ok(events.some(({ fields }) => ["protocol", "too_large"].includes(String(fields["error"]))));
  await neighbour.echoes();
  const again = await stage.ssh([stage.address, "echo works again"]);
  assert.equal(again.stdout.toString(), "works again\n");
});

/** Sends these and resolves when the gate has closed the connection. */
function cutOff(port: number, bytes: Uint8Array, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => void socket.write(bytes));
    socket.setTimeout(25_000, () => reject(new Error(`${what}: the gate did not close`)));
    socket.on("error", () => undefined); // a reset is a close too
    socket.on("close", () => resolve());
    socket.resume();
  });
}
