import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Panes, withoutTmux } from "../testing/panes.ts";

const launcher = fileURLToPath(new URL("../../bin/gatehouse", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "gatehouse-player-"));
const panes = new Panes(folder);
const skip = withoutTmux;

before(() => {
  // A counter each half second, a full-screen program in the middle, and sequences that would steer a terminal.
  const events: unknown[] = [[0, "o", "\u001b]0;STOLEN TITLE\u0007\u001b[c\u001b[6n"]];
  for (let i = 0; i < 40; i++) events.push([i * 0.5, "o", `tick ${i}\r\n`]);
  events.push([20, "o", "\u001b[?1049h\u001b[2J\u001b[3;5H\u001b[7mFULL SCREEN\u001b[0m\u001b[?25l"]);
  events.push([30, "o", "\u001b[?1049l\u001b[?25hback"], [31, "r", "30x6"], [32, "o", "\r\nthe end\r\n"]);
  const lines = [{ version: 2, width: 40, height: 10, title: "test" }, ...events];
  writeFileSync(join(folder, "t.cast"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
});
after(() => {
  panes.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A terminal of its own, with the player in it. */
const open = (name: string, size: { cols: number; rows: number }, words: string) =>
  panes.open(name, size, `${launcher} play ${words}`);
const sameModes = (name: string) => panes.sameModes(name);

const statusIn = (lines: string[]) => lines.find((line) => /^ (playing|paused|ended)/.test(line)) ?? "";
const secondOf = (lines: string[]) => {
  const [, minutes, seconds] = /(\d+):(\d\d) \//.exec(statusIn(lines)) ?? [];
  return minutes === undefined ? -1 : Number(minutes) * 60 + Number(seconds);
};
/** The screen at that moment of the counter, by the cast alone: the last nine ticks, and the line of the cursor. */
function ticksAt(second: number): string[] {
  const last = second * 2;
  return Array.from({ length: Math.min(9, last + 1) }, (_, i) => `tick ${Math.max(0, last - 8) + i}`);
}

test(
  "pausing and seeking show the screen of exactly that moment, and the terminal is given back",
  { skip },
  async () => {
    const pane = open("seek", { cols: 90, rows: 20 }, "t.cast");
    await pane.until((lines) => lines.some((line) => line === "tick 1"), "it begins to play");
    pane.keys("Space");
    const paused = await pane.until((lines) => statusIn(lines).startsWith(" paused"), "space pauses");
    assert.equal(paused.filter((line) => statusIn([line]) !== "").length, 1);
    assert.equal(paused.length - 1, 20);
    assert.ok(statusIn([paused[19] as string]) !== "", "the status is on the last row, below the recording");
    const atPause = secondOf(paused);

    pane.keys("Right");
    const forward = await pane.until(
      (lines) => secondOf(lines) === atPause + 5,
      "right goes five seconds on",
    );
    const shown = forward.filter((line) => line.startsWith("tick "));
    // The pause fell between two ticks of a second, so one of two screens is right.
    const late = ticksAt(atPause + 5);
    assert.ok([late.join(), ticksAt(atPause + 5.5).join()].includes(shown.join()), shown.join());

    pane.keys("0");
    const start = await pane.until((lines) => secondOf(lines) === 0, "0 goes to the start");
    assert.deepEqual(start.slice(0, 10), ["tick 0", "", "", "", "", "", "", "", "", ""]);
    pane.keys(".", ".");
    const stepped = await pane.until((lines) => secondOf(lines) === 1, ". steps to what was shown next");
    assert.deepEqual(stepped.slice(0, 4), ["tick 0", "tick 1", "tick 2", ""]);
    pane.keys(",");
    const back = await pane.until((lines) => secondOf(lines) === 0, ", steps back");
    assert.deepEqual(back.slice(0, 3), ["tick 0", "tick 1", ""]);

    pane.keys("]");
    const inside = await pane.until((lines) => secondOf(lines) === 30, "] goes thirty seconds on");
    assert.equal(inside[0], "tick 31");
    assert.ok(inside.includes("back"), "the full-screen program has been left");
    pane.keys("Left");
    const full = await pane.until((lines) => secondOf(lines) === 25, "left goes back into it");
    assert.deepEqual(full.slice(0, 4), ["", "", "    FULL SCREEN", ""]);
    assert.equal(pane.is("#{cursor_flag}"), "0", "the recorded program hid its cursor");

    // What was recorded must not reach the person's terminal: neither its title nor an answer typed into the player.
    assert.notEqual(pane.is("#{pane_title}"), "STOLEN TITLE");
    pane.keys("q");
    const ended = await pane.until((lines) => lines.includes("code 0"), "q quits");
    assert.ok(ended.includes("stopped at 0:25"));
    assert.ok(ended.includes("    FULL SCREEN"), "what was seen last stays");
    assert.equal(pane.is("#{alternate_on} #{cursor_flag} #{wrap_flag}"), "0 1 1");
    await pane.until(() => sameModes("seek"), "the terminal's modes are as they were");
  },
);

test("it plays to the end by itself, fast and without the silence", { skip }, async () => {
  const pane = open("end", { cols: 90, rows: 20 }, "t.cast --speed 8x --skip-idle-time");
  const ended = await pane.until((lines) => lines.includes("code 0"), "it ends");
  assert.ok(ended.includes("the end"), ended.join("\n"));
  assert.ok(sameModes("end") || (await pane.until(() => sameModes("end"), "modes")).length > 0);
});

test(
  "a terminal that is too small shows the part with the cursor, and another size is drawn anew",
  { skip },
  async () => {
    const pane = open("small", { cols: 30, rows: 6 }, "t.cast");
    pane.keys("Space");
    await pane.until((lines) => statusIn(lines).startsWith(" paused"), "it pauses");
    pane.keys("Right");
    const lines = await pane.until(
      (rows) => rows.some((line) => line === "tick 10"),
      "the last ticks are seen",
    );
    assert.match(lines[5] ?? "", /^ paused/, "paused, the status stands over the last row");
    assert.ok(lines.every((line) => line.length <= 30));
    pane.resize(110, 20);
    const wide = await pane.until((rows) => /^ paused .*quit\)/.test(rows[19] ?? ""), "it is drawn anew");
    assert.ok(wide.includes("tick 3"));
  },
);

test("a signal gives the terminal back, too", { skip }, async () => {
  const pane = open("signal", { cols: 60, rows: 12 }, "t.cast");
  await pane.until((lines) => lines.some((line) => line === "tick 1"), "it begins to play");
  const shell = pane.is("#{pane_pid}");
  const [player] = execFileSync("ps", ["-o", "pid=", "--ppid", shell], { encoding: "utf8" })
    .trim()
    .split("\n");
  process.kill(Number(player), "SIGTERM");
  await pane.until(
    (lines) => lines.some((line) => /^code 1\d\d$/.test(line)),
    "it ends with the signal's code",
  );
  assert.equal(pane.is("#{alternate_on} #{cursor_flag} #{wrap_flag}"), "0 1 1");
  await pane.until(() => sameModes("signal"), "the terminal's modes are as they were");
});

test("without a terminal on either side it plays, and a reader who goes ends it quietly", async () => {
  const child = spawn(launcher, ["play", join(folder, "t.cast"), "--speed", "8x"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const first = await new Promise<Buffer>((resolve) => child.stdout.once("data", resolve));
  assert.match(first.toString("latin1"), /STOLEN TITLE/, "to a file the bytes go as they were");
  child.stdout.destroy();
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.deepEqual([code, stderr], [0, ""]);
});
