/** The whole: somebody works through the gate with their own ssh, and an auditor finds and watches it in a browser. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { addPerson, sshOptions } from "../parts/gateway.ts";
import { awaitEvents, awaitSession, awaitStored } from "../parts/sessions.ts";
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
  const read = (await streams.innerText()).split("\n").sort();
  assert.deepEqual(read, ["err", "out", "typed in", "typed in"]);

  const stranger = await browser.open();
  await signIn(stranger.page, other.id);
  await stranger.page.getByRole("heading", { name: "No sessions yet" }).waitFor();
  await stranger.page.goto(`${gateway.web}/sessions/${id}`);
  await stranger.page.getByRole("heading", { name: "There is no such thing here" }).waitFor();
});
