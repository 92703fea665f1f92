/** The whole: somebody works through the gate with their own ssh, and an auditor finds and watches it in a browser. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { shownBy } from "@gatehouse/recording/transcript";
import type * as Asciinema from "asciinema-player";
import type { Page } from "playwright-core";
import { createScreen } from "../../packages/cli/src/player/screen.ts";
import { addPerson, sshOptions } from "../parts/gateway.ts";
import { awaitEvents, awaitSession, awaitStored, recordedSession } from "../parts/sessions.ts";
import { type Stage, startStage } from "../parts/stage.ts";
import { openTerminal } from "../parts/terminal.ts";
import { openBrowser } from "../parts/web.ts";

let stage: Stage;
let browser: Awaited<ReturnType<typeof openBrowser>>;
before(async () => {
  // One after the other: a gateway that does not start must not leave a browser behind.
  browser = await openBrowser();
  stage = await startStage();
});
after(async () => {
  await browser?.close();
  await stage?.close();
});

async function signIn(page: Page, personId: string): Promise<void> {
  const link = await stage.gateway.admin.people.signInLink(personId);
  await page.goto(link.url);
  await page.waitForURL(`${stage.gateway.web}/sessions`);
}

test("a session is live in the list, then stored, then watched: every line as the person saw it, verified, and audited", async () => {
  const { gateway } = stage;
  const auditor = await addPerson(gateway, "otto", ["auditor"]);
  const { page, complaints } = await browser.open();
  await signIn(page, auditor.id);
  await page.getByRole("heading", { name: "No sessions yet" }).waitFor();

  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, stage.person), stage.address, "PS1='ready>' exec sh -i"],
    join(gateway.dataDir, "resize"),
  );
  await terminal.shows(/ready>/);
  const live = await awaitSession(gateway, ({ state }) => state === "live");
  await page.reload();
  const row = page.locator("tbody tr", { hasText: "web-01" });
  await row.getByText("live").waitFor();
  // Nothing is shown before it is in the store, and the page says so instead of failing.
  const watching = await browser.open();
  await signIn(watching.page, auditor.id);
  await watching.page.goto(`${gateway.web}/sessions/${live.id}`);
  await watching.page.getByText("ann is connected now.").waitFor();

  terminal.resize(120, 40);
  await awaitEvents(gateway, { event: "resize", session: live.id });
  for (const line of ["printf '\\033[31mred\\033[0m gr\u00fcn \\360\\237\\231\\202\\n'", "seq 3", "exit 0"]) {
    terminal.type(`${line}\r`);
    if (line !== "exit 0") await terminal.shows(/\n[\s\S]*ready>/);
  }
  assert.equal(await terminal.exited, 0);
  await awaitStored(gateway, ({ id }) => id === live.id);

  await watching.page.locator(".xterm-rows").getByText("ready>").first().waitFor();
  // The list heals by itself; nobody has to ask for it again.
  await row.getByText("stored").waitFor();
  await row.click();
  await page.waitForURL(new RegExp(`/sessions/${live.id}`));
  await page.locator(".xterm-rows").waitFor();
  await page.keyboard.press("End");
  const screen = page.locator(".xterm-rows");
  await screen.getByText("ready>exit 0").waitFor();
  const lines = await screen
    .locator("> div")
    .evaluateAll((rows) => rows.map((one) => one.textContent.replaceAll("\u00a0", " ").trimEnd()));
  const begin = lines.indexOf("ready>seq 3");
  assert.deepEqual(
    lines.slice(begin - 1, begin + 5),
    ["red gr\u00fcn \u{1f642}", "ready>seq 3", "1", "2", "3", "ready>exit 0"],
    lines.join("\n"),
  );
  await page.getByRole("button", { name: /seq 3/ }).waitFor();
  await page.getByText("window 120 \u00d7 40").waitFor();

  await page.getByRole("tab", { name: "Facts" }).click();
  await page.getByText("Whole and unaltered").waitFor();
  await page.getByText("Why allowed").waitFor();
  await page.getByRole("button", { name: "Check in this browser" }).click();
  await page.getByText("It holds, computed here").waitFor();
  await page.getByText(/signed by [0-9a-f]{16}, this gateway's key/).waitFor();
  const watched = await awaitEvents(gateway, {
    event: "session.recording.access",
    session: live.id,
    user: "otto",
  });
  assert.ok(watched.some((event) => event.fields["action"] === "play"));
  assert.deepEqual(complaints, []);
});

test("the person sees their own session and nobody else's; a command's streams are read apart", async () => {
  const { gateway, person } = stage;
  const other = await addPerson(gateway, "mallory");
  const command = await stage.ssh([stage.address, "echo out; echo err >&2; cat"], { input: "typed in\n" });
  assert.equal(command.code, 0);
  const { id } = await awaitStored(gateway, (session) => session.kind === "exec" && session.track === "exec");

  const own = await browser.open();
  await signIn(own.page, person.id);
  await own.page.goto(`${gateway.web}/sessions/${id}`);
  const streams = own.page.getByTestId("streams");
  await streams.getByText("err").waitFor();
  const isTime = (line: string) => /^\d\d:\d\d$/.test(line);
  const read = (await streams.innerText()).split("\n");
  // Each with its time, which leads there. What came of one stream in a row stands under one.
  assert.ok([3, 4].includes(read.filter(isTime).length), read.join(" | "));
  assert.deepEqual(read.filter((line) => !isTime(line)).sort(), ["err", "out", "typed in", "typed in"]);

  const stranger = await browser.open();
  await signIn(stranger.page, other.id);
  await stranger.page.getByRole("heading", { name: "No sessions yet" }).waitFor();
  await stranger.page.goto(`${gateway.web}/sessions/${id}`);
  await stranger.page.getByRole("heading", { name: "There is no such thing here" }).waitFor();
});

test("asciinema's own player shows what this one does, of both versions, at every moment at which the screen stood still", async () => {
  const { gateway } = stage;
  // The screen stands still for a while between what is typed and what comes of it.
  const program = [
    "printf 'gr\\303\\274n \\033[1;31mred\\033[0m \\360\\237\\231\\202 \\346\\274\\242\\n'; read go; sleep 0.03",
    "printf '\\033[?1049h\\033[2J\\033[5;30Hin the middle\\033[8;3H\\033(0lqk\\033(B'; read go; sleep 0.03",
    "printf '\\033[?1049l'; seq 60; printf 'over\\rOV\\n'; read go; sleep 0.03; printf '\\033[2;20r\\033[5;1H\\033[2Mgone\\033[r'",
  ].join("; ");
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, stage.person), stage.address, program],
    join(gateway.dataDir, "resize-cast"),
  );
  await terminal.shows(/red/);
  const { id } = await awaitSession(gateway, ({ command }) => command === program);
  terminal.type("\r");
  await terminal.shows(/middle/);
  terminal.resize(70, 20);
  await awaitEvents(gateway, { event: "resize", session: id });
  terminal.type("\r");
  await terminal.shows(/OV\r\n/);
  terminal.type("\r");
  assert.equal(await terminal.exited, 0);
  const { frames } = await recordedSession(gateway, (session) => session.id === id);

  // Where the next frame is a while away, so that no rounding of a time matters; and the end.
  const changes = frames.filter((frame) => shownBy(frame).what !== "nothing");
  const still = changes.flatMap(({ timeUs }, i) => {
    const untilUs = changes[i + 1]?.timeUs ?? timeUs + 20_000;
    return untilUs - timeUs < 10_000 ? [] : [Math.round((timeUs + untilUs) / 2)];
  });
  assert.ok(still.length >= 4, `${still.length} moments`);
  const { page } = await browser.open();
  await page.goto("about:blank");
  await page.addScriptTag({ path: fileURLToPath(import.meta.resolve(`${player}/asciinema-player.min.js`)) });
  await page.addStyleTag({ path: fileURLToPath(import.meta.resolve(`${player}/asciinema-player.css`)) });
  for (const format of ["asciicast", "asciicast-v3"] as const) {
    const { chunks } = await gateway.admin.recordings.export(id, format);
    const cast = (await Array.fromAsync(chunks, (chunk) => Buffer.from(chunk).toString("latin1"))).join("");
    await page.evaluate((data) => {
      document.body.replaceChildren();
      const theirs = globalThis as unknown as {
        AsciinemaPlayer: typeof Asciinema;
        playing: Asciinema.Player;
      };
      theirs.playing = theirs.AsciinemaPlayer.create({ data }, document.body, {
        preload: true,
        fit: false,
      });
    }, Buffer.from(cast, "latin1").toString());
    const screen = createScreen({ cols: 100, rows: 30 });
    let next = 0;
    for (const momentUs of still) {
      for (; next < frames.length && (frames[next]?.timeUs ?? 0) <= momentUs; next++) {
        const frame = frames[next];
        if (frame?.kind === "resize") await screen.settled();
        if (frame) screen.apply(frame);
      }
      await screen.settled();
      const ours = Array.from({ length: screen.rows }, (_, row) => screen.text(row).trimEnd());
      const theirs = await page.evaluate(async (seconds) => {
        const { playing } = globalThis as unknown as { playing: Asciinema.Player };
        await playing.seek(seconds);
        await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
        const lines = [...document.querySelectorAll(".ap-term-text .ap-line")];
        return lines.map((line) => (line.textContent ?? "").replaceAll("\u00a0", " ").trimEnd());
      }, momentUs / 1_000_000);
      assert.deepEqual(theirs, ours, `${format} at ${momentUs} \u00b5s`);
    }
    screen.dispose();
  }
});

const player = "asciinema-player/dist/bundle";
