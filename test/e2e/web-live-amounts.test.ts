/** Sessions that have shown a lot while they are live, or nothing: what their pages hold, and say. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { addPerson, sshOptions } from "../parts/gateway.ts";
import { awaitSession, awaitStored, eventually } from "../parts/sessions.ts";
import { type Stage, startStage } from "../parts/stage.ts";
import { openTerminal } from "../parts/terminal.ts";
import { openBrowser } from "../parts/web.ts";

const lines = 3_000_000;
/** Far less than the 25 MB that the lines are. */
const heldBytesMax = 10 * 1024 * 1024;

let stage: Stage;
let browser: Awaited<ReturnType<typeof openBrowser>>;
before(async () => {
  browser = await openBrowser();
  stage = await startStage({
    gateway: { config: { recording: { journal: { capacity: "256 MiB" }, segment: { age: "500ms" } } } },
  });
});
after(async () => {
  await browser?.close();
  await stage?.close();
});

async function open(personId: string): Promise<{ page: Page; complaints: string[] }> {
  const opened = await browser.open();
  await opened.page.goto((await stage.gateway.admin.people.signInLink(personId)).url);
  await opened.page.getByRole("navigation", { name: "Places" }).waitFor();
  return opened;
}

/** Of all buffers that the page still reaches. */
async function heldBytes(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("HeapProfiler.collectGarbage");
  const usage = await devtools.send("Runtime.getHeapUsage");
  await devtools.detach();
  return (usage as { backingStorageSize?: number }).backingStorageSize ?? Number.POSITIVE_INFINITY;
}

test("the page of a session that has shown millions of lines holds the newest, and reads what lies before", async (t) => {
  const { gateway, person } = stage;
  const analyst = await addPerson(gateway, "eve", ["security-analyst"]);
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, person), stage.address, "PS1='ready>' exec sh -i"],
    join(gateway.dataDir, "resize"),
  );
  await terminal.shows(/ready>/);
  const { id } = await awaitSession(gateway, ({ state }) => state === "live");
  const { page, complaints } = await open(analyst.id);
  await page.goto(`${gateway.web}/sessions/${id}?watch=live&panel=transcript`);
  const screen = page.locator(".xterm-rows");
  terminal.type("echo begin-$((1+1))\r");
  await screen.getByText("begin-2", { exact: true }).waitFor();

  terminal.type(`seq 1 ${lines / 2}; echo middle-$((1+4)); read x; seq 1 ${lines / 2}; echo end-$((2+2))\r`);
  await terminal.shows(/middle-5/, 60_000);
  terminal.type("\r");
  await screen.getByText("end-4", { exact: true }).waitFor({ timeout: 120_000 });
  let held = 0;
  await eventually(
    "the page to let go of what the gateway has",
    async () => {
      held = await heldBytes(page);
      return held < heldBytesMax || undefined;
    },
    90_000,
  ).catch((error: unknown) => assert.fail(`${String(error)}: it holds ${held} bytes`));
  t.diagnostic(`${held} bytes are held`);

  // What it let go of is found, and shown as it stood there.
  await page.getByRole("searchbox", { name: "Find in this recording" }).fill("middle-5");
  await page.keyboard.press("Enter");
  await page.getByRole("tabpanel").getByRole("button", { name: "middle-5" }).first().click();
  await screen.getByText("middle-5", { exact: true }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Now" }).getAttribute("aria-pressed"), "false");

  // And it goes on where it is.
  await page.getByRole("button", { name: "Now" }).click();
  await screen.getByText("end-4", { exact: true }).waitFor();
  terminal.type("echo more-$((3+3))\r");
  await screen.getByText("more-6", { exact: true }).waitFor();
  assert.ok((await heldBytes(page)) < 2 * heldBytesMax);
  terminal.type("exit\r");
  assert.equal(await terminal.exited, 0);
  await page.waitForURL((url) => url.searchParams.get("watch") === null);
  assert.deepEqual(complaints, []);
});

test("a session that ended before any output says so, and a link beyond its end stands at its end", async () => {
  const { gateway } = stage;
  const auditor = await addPerson(gateway, "otto", ["auditor"]);
  assert.equal((await stage.ssh(["-tt", stage.address, "true"])).code, 0);
  const { id } = await awaitStored(gateway, ({ command }) => command === "true");
  const { page, complaints } = await open(auditor.id);
  await page.goto(`${gateway.web}/sessions/${id}?t=10m`);
  const player = page.getByRole("region", { name: "Player" });
  await player.getByText("Nothing was shown in this session").waitFor();
  // However long it took.
  await player.getByText(/^(\d\d:\d\d) \/ \1$/).waitFor();
  assert.deepEqual(complaints, []);
});
