import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { fromUtf8, systemClock } from "@gatehouse/kernel";
import type { RestServer } from "../../../gateway/src/api/rest/mod.ts";
import { type MemoryGate, memoryGate } from "../../../gateway/src/api/rest/testing/memory-doors.ts";
import { Panes, withoutTmux } from "../testing/panes.ts";
import { createWorkshop } from "../testing/run-here.ts";
import { serveHere } from "../testing/serve-here.ts";

const launcher = fileURLToPath(new URL("../../bin/gatehouse", import.meta.url));
const workshop = createWorkshop();
const { folder, run } = workshop;
const panes = new Panes(folder);
let gate: MemoryGate;
let server: RestServer;

beforeEach(async () => {
  await server?.close();
  gate = memoryGate(systemClock);
  server = await serveHere(gate, folder);
});
after(async () => {
  panes.close();
  await server.close();
  workshop.close();
});

const live = () => gate.samples.flatMap(({ session }) => (session.state === "live" ? [session] : []));
const first = () => live()[0] as MemoryGate["samples"][number]["session"];
async function auditedWhen(event: string, count = 1): Promise<void> {
  while (gate.audited.filter((one) => one.event === event).length < count)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

test("the live ones are listed with how it stands with them", async () => {
  const { id } = first();
  assert.equal((await run(["sessions", "pause", id, "--reason", "look"])).code, 0);
  const { stdout, code } = await run(["sessions", "ls", "--live"]);
  assert.equal(code, 0);
  const [header, ...rows] = stdout.trimEnd().split("\n");
  assert.match(header ?? "", /^session +since +idle +person +target +kind +from +state +watched by$/);
  assert.deepEqual(
    rows.map((row) => row.split(" ")[0]).sort(),
    live()
      .map((session) => session.id)
      .sort(),
  );
  assert.match(rows.find((row) => row.startsWith(id)) ?? "", / paused by local administrator +-$/);
  const listed = JSON.parse((await run(["sessions", "ls", "--live", "--json"])).stdout);
  assert.equal(listed.find((one: { id: string }) => one.id === id).live.paused.reason, "look");
  assert.equal((await run(["sessions", "ls", "--live", "--state", "ended"])).code, 2);
});

test("pausing, resuming and ending say what they did, to people and to programs", async () => {
  const { id, user, login, target } = first();
  const name = `the session of ${user.name} \\(${login}@${target.name}\\)`;
  const paused = await run(["sessions", "pause", id, "--reason", "who is this?", "--for", "10m"]);
  assert.equal(paused.code, 0, paused.stderr);
  assert.match(paused.stdout, new RegExp(`^paused ${name}; it goes on at \\d{4}-`));
  assert.match((await run(["sessions", "resume", id])).stdout, new RegExp(`^resumed ${name}$`, "m"));
  const warned = await run([
    "sessions",
    "terminate",
    id,
    "--reason",
    "r",
    "--warning",
    "save",
    "--grace",
    "2m",
  ]);
  assert.match(warned.stdout, new RegExp(`^warned ${name}; it ends at \\d{4}-`));
  const ended = await run(["sessions", "terminate", id, "--reason", "incident 7", "--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  const said = JSON.parse(ended.stdout);
  assert.deepEqual([said.id, said.state, said.end.detail], [id, "ended", "incident 7"]);
});

test("what is wrong ends with the code for it, and changes nothing", async () => {
  const { id } = first();
  const events = gate.audited.length;
  const wrong: [string[], number][] = [
    [["sessions", "terminate", id], 2],
    [["sessions", "pause", id], 2],
    [["sessions", "pause", id, "--reason", "r", "--for", "soon"], 2],
    [["join"], 2],
    [["join", "not-an-id"], 4],
    [["join", id, "--mode", "peer"], 2],
    [["sessions", "pause", "0199c0de-0000-7000-8000-00000000dead", "--reason", "r"], 4],
  ];
  for (const [words, code] of wrong) {
    const outcome = await run(words);
    assert.equal(outcome.code, code, `${words.join(" ")}: ${outcome.stderr}`);
    assert.equal(outcome.stdout, "");
  }
  assert.equal(gate.audited.length, events);
  await run(["login", server.url], { stdin: `${server.url}/sign-in#token=${gate.link("auditor")}\n` });
  for (const words of [
    ["join", id],
    ["sessions", "pause", id, "--reason", "r"],
    ["sessions", "resume", id],
    ["sessions", "terminate", id, "--reason", "r"],
  ]) {
    const refused = await run([...words, "--gateway", server.url]);
    assert.equal(refused.code, 3, `${words.join(" ")}: ${refused.stderr}`);
    assert.match(refused.stderr, /^error: otto\.auditor may not/);
  }
  const over = gate.samples.find(({ session }) => session.state === "ended")?.session.id ?? "";
  assert.equal((await run(["join", over])).code, 1);
});

test("without a terminal it writes what is shown, or every frame, to the session's end", async () => {
  const { id } = first();
  const all = gate.samples.find(({ session }) => session.id === id)?.frames ?? [];
  const shown = run(["join", id]);
  const frames = run(["join", id, "--format", "json"]);
  await auditedWhen("session.join", 2);
  gate.say(id, "just now\r\n");
  await run(["sessions", "terminate", id, "--reason", "enough"]);
  const [text, json] = [await shown, await frames];
  assert.deepEqual([text.code, json.code], [0, 0], text.stderr + json.stderr);
  const expected = Buffer.concat(
    all.filter(({ kind }) => kind === "output" || kind === "notice").map(({ data }) => data),
  );
  assert.equal(text.stdout, expected.toString());
  assert.match(text.stdout, /just now\r\n[\s\S]*has ended this session \(enough\)/);
  const lines = json.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { seq: number; data: string });
  assert.deepEqual(
    lines.map(({ seq, data }) => [seq, data]),
    all.map(({ seq, data }) => [seq, Buffer.from(data).toString("base64")]),
  );
});

test("one that is killed no longer looks on", async () => {
  const { id } = first();
  const child = spawn(launcher, ["join", id, "--data-dir", join(folder, "data")], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(child.stdout, "data");
  await auditedWhen("session.join");
  child.kill("SIGKILL");
  await auditedWhen("session.leave");
  const shown = (await run(["sessions", "show", id])).stdout;
  assert.deepEqual(shown.match(/watched by/g), null);
  assert.match(shown, /^allowed by +\S+: .+\.$/m);
});

test(
  "on a terminal it shows the screen as it stands and as it goes on; what is typed goes nowhere",
  { skip: withoutTmux },
  async () => {
    const { id, user } = first();
    gate.say(id, "\u001b]0;STOLEN TITLE\u0007\u001b[2J\u001b[Hbefore you came\r\n");
    const frames = () => gate.samples.find(({ session }) => session.id === id)?.frames ?? [];
    const pane = panes.open("join", { cols: 130, rows: 40 }, `${launcher} join ${id}`);
    const status = (lines: string[]) => lines.find((line) => line.includes("q quits")) ?? "";
    await pane.until((lines) => lines.includes("before you came"), "the screen as it stands");
    gate.say(id, "and after\r\n");
    const shown = await pane.until((lines) => lines.includes("and after"), "what comes");
    assert.match(
      status(shown),
      new RegExp(`^ live  \\d+:\\d\\d  ${user.name} root@web-02 .*the session goes on\\)`),
    );
    pane.keys("rm -rf /", "Enter");
    const paused = await run(["sessions", "pause", id, "--reason", "look"]);
    assert.equal(paused.code, 0, paused.stderr);
    await pane.until((lines) => status(lines).includes("paused by local administrator"), "the pause");
    assert.ok(frames().every(({ kind, data }) => kind !== "input" || !fromUtf8(data).includes("rm -rf")));
    assert.notEqual(pane.is("#{pane_title}"), "STOLEN TITLE");
    pane.resize(60, 12);
    await pane.until((lines) => lines.every((line) => line.length <= 60), "another size is drawn anew");
    assert.ok(
      !frames()
        .slice(-4)
        .some(({ kind }) => kind === "resize"),
      "and is not the session's",
    );
    pane.keys("q");
    const over = await pane.until((lines) => lines.includes("code 0"), "q quits");
    assert.ok(over.includes("you no longer look on; the session goes on"), over.join("\n"));
    assert.equal(pane.is("#{alternate_on} #{cursor_flag} #{wrap_flag}"), "0 1 1");
    await auditedWhen("session.leave");
    assert.equal(first().id, id, "the session goes on");
  },
);

test("on a terminal the end is told with its reason", { skip: withoutTmux }, async () => {
  const { id } = first();
  const pane = panes.open("end", { cols: 130, rows: 40 }, `${launcher} join ${id}`);
  await auditedWhen("session.join");
  await run(["sessions", "terminate", id, "--reason", "incident 7"]);
  const over = await pane.until((lines) => lines.includes("code 0"), "it ends by itself");
  assert.ok(over.includes("the session has ended (terminated: incident 7)"), over.join("\n"));
  await pane.until(() => panes.sameModes("end"), "the terminal's modes are as they were");
});
