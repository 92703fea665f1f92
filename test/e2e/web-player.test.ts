/** The players in Chromium: what is on the screen is what was recorded, at any moment, however one got there. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { seededRandom } from "@gatehouse/kernel";
import type { Page } from "playwright-core";
import { createScreen } from "../../packages/cli/src/player/screen.ts";
import type { SampleName } from "../../packages/gateway/src/api/rest/testing/sample-sessions.ts";
import { parseMoment } from "../../packages/web/src/ui/format.ts";
import { type WebStand, webStand } from "../parts/web.ts";

let stand: WebStand;
before(async () => {
  stand = await webStand();
});
after(() => stand.stop());

const idOf = (name: SampleName) => stand.idOf(name);

/** What the terminal shows, line by line. */
function shown(page: Page): Promise<string[]> {
  return page
    .locator(".player-screen .xterm-rows > div")
    .evaluateAll((lines) => lines.map((line) => line.textContent.replaceAll("\u00a0", " ").trimEnd()));
}
async function showsText(page: Page, text: string | RegExp): Promise<void> {
  await page.locator(".player-screen .xterm-rows").getByText(text).first().waitFor();
}
async function openAt(page: Page, name: SampleName, moment?: string): Promise<void> {
  await page.goto(`${stand.url}/sessions/${idOf(name)}${moment === undefined ? "" : `?t=${moment}`}`);
  await page.locator(".player-screen .xterm-rows").waitFor();
  await page.getByRole("slider", { name: "Position" }).waitFor();
}
const positionOf = (page: Page) =>
  page.getByRole("slider", { name: "Position" }).getAttribute("aria-valuenow").then(Number);

test("it plays from the beginning, holds on Space, and goes on", async () => {
  const { page, complaints } = await stand.open();
  await stand.signIn(page, "auditor");
  await openAt(page, "incident");
  await showsText(page, "Last login: Sun Nov 22");
  await page.getByRole("button", { name: "Pause (Space)" }).waitFor();
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Play (Space)" }).waitFor();
  const held = await shown(page);
  const position = await page.getByTestId("position").innerText();
  await page.waitForTimeout(600);
  assert.deepEqual(await shown(page), held);
  assert.equal(await page.getByTestId("position").innerText(), position);
  await page.keyboard.press("Space");
  await showsText(page, "drwxr-xr-x");
  assert.deepEqual(complaints, []);
});

test("the screen at a moment is the same whether one came from before, from after, or by the link", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await openAt(page, "incident", "1m28s");
  await showsText(page, "rm -rf releases/tmp-build");
  const byLink = await shown(page);
  assert.ok(
    byLink.some((line) => line.endsWith("33G     releases/tmp-build")),
    byLink.join("\n"),
  );

  await openAt(page, "incident", "1m40s");
  await showsText(page, "load average");
  assert.ok(
    !(await shown(page)).some((line) => line.includes("rm -rf")),
    "the full-screen program covers the shell",
  );
  await page.evaluate(() => history.state);
  const back = async () => {
    for (let i = 0; i < 20 && (await positionOf(page)) > 88; i++) await page.keyboard.press("ArrowLeft");
  };
  await back();
  // 1m40s less five seconds at a time is 1m25s; the rest by the list.
  await page
    .getByRole("button", { name: /df -h \/srv/ })
    .last()
    .click();
  await showsText(page, "rm -rf releases/tmp-build");
  const fromAfter = await shown(page);
  assert.equal(fromAfter.filter((line) => line.includes("rm -rf")).length, 1);

  await openAt(page, "incident", "2s");
  await page
    .getByRole("button", { name: /df -h \/srv/ })
    .last()
    .click();
  await showsText(page, "rm -rf releases/tmp-build");
  assert.deepEqual(await shown(page), fromAfter);
});

test("seeking by mouse and keys; the address follows where it came to rest", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await openAt(page, "incident", "0s");
  const slider = page.getByRole("slider", { name: "Position" });
  const box = await slider.boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + box.width * 0.8, box.y + box.height / 2);
  const lengthS = Number(await slider.getAttribute("aria-valuemax"));
  assert.ok(Math.abs((await positionOf(page)) - lengthS * 0.8) <= 1);
  await page.waitForURL(/t=1m3/);
  await page.keyboard.press("ArrowRight");
  assert.ok(Math.abs((await positionOf(page)) - (lengthS * 0.8 + 5)) <= 1);
  await page.keyboard.press("Home");
  assert.equal(await positionOf(page), 0);
  await page.keyboard.press(".");
  await page.keyboard.press(".");
  assert.equal(
    await page
      .locator("[aria-current=true]")
      .last()
      .innerText()
      .then((text) => text.includes("tail -n 40")),
    true,
  );
  await page.keyboard.press("End");
  await showsText(page, "logout");
  assert.equal(await positionOf(page), lengthS);
});

test("words are found where they were shown, also in a full-screen program; the transcript follows and leads; the link holds them", async () => {
  const { page, complaints } = await stand.open();
  await stand.signIn(page, "auditor");
  await openAt(page, "incident", "2s");
  await page.getByRole("tab", { name: "Transcript" }).click();
  await page.getByRole("button", { name: /Last login: Sun Nov 22/ }).waitFor();
  await page.getByLabel("Find in this recording").fill("LOAD AVERAGE");
  await page.keyboard.press("Enter");
  await page.waitForURL(/find=LOAD/);
  // The program draws it again with each new time.
  await page.getByText(/^0 of \d+$/).waitFor();
  await page.keyboard.press("Enter");
  const place = await page.getByText(/^1 of \d+$/).innerText();
  await showsText(page, "load average");
  await page.waitForURL(/t=1m3/);
  assert.equal(place, `1 of ${await page.getByTestId("hit").count()}`);

  await page.goto(`${stand.url}/sessions/${idOf("incident")}?t=0s&panel=transcript&find=tmp-build`);
  const lines = page.getByRole("tabpanel").getByRole("button");
  await page.getByRole("slider", { name: "Position" }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll("[role=tabpanel] mark").length > 1);
  for (const text of await lines.allInnerTexts()) assert.ok(text.includes("tmp-build"), text);
  await page.keyboard.press("n");
  await page.getByText(/^[1-9]\d* of /).waitFor();
  await lines.filter({ hasText: "rm -rf" }).click();
  await showsText(page, "rm -rf releases/tmp-build");

  // The picture over the timeline is the screen at that moment, and the screen itself stays where it is.
  const slider = page.getByRole("slider", { name: "Position" });
  const box = await slider.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2);
  await slider.locator(".xterm-rows").getByText("load average").first().waitFor();
  assert.ok(!(await shown(page)).some((line) => line.includes("load average")));
  await page.mouse.move(0, 0);
  await slider.locator(".xterm-rows").waitFor({ state: "detached" });

  await page.keyboard.press("c");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(copied.includes("root@web-01:/srv/shop# rm"), copied);
  assert.deepEqual(complaints, []);
});

/** What the terminal of the person showed at a moment: the recording played from its start. */
async function playedTo(name: SampleName, momentUs: number): Promise<string[]> {
  const sample = stand.gate.samples.find((one) => one.name === name);
  assert.ok(sample);
  const screen = createScreen({ cols: 120, rows: 32 });
  for (const frame of sample.frames) {
    if (frame.timeUs > momentUs) break;
    if (frame.kind === "resize") await screen.settled();
    screen.apply(frame);
    if (screen.pendingBytes > 100_000) await screen.settled();
  }
  await screen.settled();
  const lines = Array.from({ length: screen.rows }, (_, row) => screen.text(row).trimEnd());
  screen.dispose();
  return lines;
}

async function showsAll(page: Page, lines: readonly string[], where: string): Promise<void> {
  await page
    .waitForFunction(
      (wanted) => {
        const rows = [...document.querySelectorAll(".player-screen .xterm-rows > div")];
        const text = rows.map((row) => (row.textContent ?? "").replaceAll("\u00a0", " ").trimEnd());
        return JSON.stringify(text) === JSON.stringify(wanted);
      },
      lines,
      { timeout: 10_000 },
    )
    .catch(async () => assert.deepEqual(await shown(page), lines, where));
}

test("of a long recording only what is looked at is fetched; any moment, from before or after, is what was played to", async () => {
  const { page, complaints } = await stand.open();
  await stand.signIn(page, "auditor");
  let fetched = 0;
  page.on("requestfinished", (request) => {
    if (!request.url().includes("/recordings/")) return;
    void request.sizes().then(({ responseBodySize }) => (fetched += responseBodySize));
  });
  const sample = stand.gate.samples.find((one) => one.name === "long");
  assert.ok(sample);
  const whole = sample.frames.reduce((sum, { data }) => sum + data.length, 0);
  const lengthS = Math.floor((sample.frames.at(-1)?.timeUs ?? 0) / 1_000_000);
  const seed = Number(process.env["SEED"] ?? Date.now() % 100_000);
  const random = seededRandom(seed);
  const share = () => ((random.bytes(1)[0] ?? 0) * 256 + (random.bytes(1)[0] ?? 0)) / 65_536;

  await openAt(page, "long", "0s");
  await showsText(page, "ci@build-01");
  assert.ok(fetched < whole / 5, `${fetched} of ${whole} bytes to open`);
  const slider = page.getByRole("slider", { name: "Position" });
  const box = await slider.boundingBox();
  assert.ok(box);
  // Forwards and backwards, by the mouse and by the link: the address says which moment it came to be.
  for (let i = 0; i < 4; i++) {
    const before = fetched;
    await page.mouse.click(box.x + 2 + (box.width - 4) * share(), box.y + box.height / 2);
    const at = await momentOf(page);
    await showsAll(page, await playedTo("long", at), `seed ${seed}, at ${at}`);
    assert.ok(fetched - before < whole / 4, `${fetched - before} of ${whole} bytes for one moment`);
  }
  await page.keyboard.press("ArrowLeft");
  const back = await momentOf(page);
  await showsAll(page, await playedTo("long", back), `seed ${seed}, five seconds back, at ${back}`);
  await slider.focus();
  await page.keyboard.press("PageUp");
  const on = await momentOf(page);
  assert.ok(Math.abs(on - back - 60_000_000) < 1000, "a minute on");
  await showsAll(page, await playedTo("long", on), `seed ${seed}, a minute on, at ${on}`);
  const linkS = Math.floor(lengthS * share());
  await openAt(page, "long", `${linkS}s`);
  await showsAll(page, await playedTo("long", linkS * 1_000_000), `seed ${seed}, by the link at ${linkS} s`);

  // Played over the end of what is here, at every speed, it goes on.
  await page.getByLabel("Speed").selectOption("4");
  await page.getByRole("button", { name: "Play (Space)" }).click();
  await page.waitForFunction(
    (from) => Number(document.querySelector("[role=slider]")?.getAttribute("aria-valuenow") ?? 0) > from + 3,
    linkS,
  );
  await page.keyboard.press("Space");
  const rested = await momentOf(page);
  await showsAll(page, await playedTo("long", rested), `seed ${seed}, after playing, at ${rested}`);
  assert.deepEqual(complaints, []);
});

/** The moment in the address, once it came to rest. */
async function momentOf(page: Page): Promise<number> {
  const place = await page.getByRole("slider", { name: "Position" }).getAttribute("aria-valuenow");
  await page.waitForURL(
    (url) => Math.abs((parseMoment(url.searchParams.get("t") ?? "") ?? 0) / 1_000_000 - Number(place)) <= 1,
  );
  return parseMoment(new URL(page.url()).searchParams.get("t") ?? "") ?? 0;
}

test("the index's timeline has marks and pictures, its text is read where it is looked at, and words are found by the gateway", async () => {
  const { page, complaints } = await stand.open();
  await stand.signIn(page, "auditor");
  const blocks = new Set<string>();
  page.on("request", (request) => {
    const block = /\/text\?block=(\d+)/.exec(request.url())?.[1];
    if (block !== undefined) blocks.add(block);
  });
  await page.goto(`${stand.url}/sessions/${idOf("long")}?t=0s&panel=transcript&q=part-60/unit-7\\.`);
  await page.getByText("not found", { exact: true }).waitFor();
  await page.getByLabel("Find in this recording").fill("/part-6[01]/unit-7\\.[co] -o/");
  await page.keyboard.press("Enter");
  await page.getByText("0 of 2").waitFor();
  await page.getByRole("tabpanel").locator("mark", { hasText: "part-61/unit-7.c -o" }).waitFor();
  assert.equal(await page.getByTestId("hit").count(), 2);
  assert.equal(blocks.size, 0);
  await page.keyboard.press("Enter");
  await page.getByText("1 of 2").waitFor();
  await showsText(page, "part-60/unit-7.c");
  await page.getByLabel("Find in this recording").fill("");
  const row = page.getByRole("tabpanel").getByRole("button", { name: /part-60\/unit-12\.c/ });
  await row.waitFor();
  assert.ok(blocks.size <= 2, `${blocks.size} blocks of text`);
  await row.click();
  await showsText(page, "part-60/unit-12.c");

  const slider = page.getByRole("slider", { name: "Position" });
  const box = await slider.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
  const picture = slider.getByTestId("picture");
  await picture.waitFor();
  const colours = await picture.evaluate((canvas) => {
    if (!(canvas instanceof HTMLCanvasElement)) return 0;
    const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    const seen = new Set<number>();
    for (let i = 0; i < pixels.length; i += 4)
      seen.add(((pixels[i] ?? 0) << 16) | ((pixels[i + 1] ?? 0) << 8) | (pixels[i + 2] ?? 0));
    return seen.size;
  });
  assert.ok(colours >= 5, `${colours} colours in the picture`);
  await page.getByRole("tab", { name: "Moments" }).click();
  await page.getByRole("button", { name: "make part-37" }).click();
  await page.waitForFunction(() =>
    document.querySelector("[role=slider]")?.getAttribute("aria-valuetext")?.includes("after make part-37"),
  );
  await page.keyboard.press(".");
  await page.waitForFunction(() =>
    document.querySelector("[role=slider]")?.getAttribute("aria-valuetext")?.includes("after make part-38"),
  );
  assert.ok((await page.getByTestId("mark").count()) > 70);
  assert.deepEqual(complaints, []);
});

test("a recording without an index says so and is read whole; one is made when it is asked for", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await openAt(page, "plain", "1m28s");
  await showsText(page, "rm -rf releases/tmp-build");
  await page.getByText("This recording has no index yet").waitFor();
  await page.getByRole("button", { name: "Make the index" }).click();
  await page.getByText("This recording has no index yet").waitFor({ state: "detached" });
  await showsText(page, "rm -rf releases/tmp-build");
  await page.getByTitle("Taken from what stood beside the cursor when Enter was pressed").first().waitFor();
});

test("speeds are kept to, and idle time is passed over", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await openAt(page, "incident", "23s");
  const speed = page.getByLabel("Speed");
  assert.deepEqual(await speed.locator("option").allInnerTexts(), [
    "0.5×",
    "0.75×",
    "1×",
    "1.5×",
    "2×",
    "4×",
  ]);
  await page.keyboard.press(">");
  assert.equal(await speed.inputValue(), "1.5");
  await page.keyboard.press("<");
  await page.keyboard.press("<");
  assert.equal(await speed.inputValue(), "0.75");
  await speed.selectOption("4");
  // Every second that is shown on the way is kept.
  await page.evaluate(() => {
    const seen = new Set<string>();
    Object.assign(globalThis, { seen });
    const position = document.querySelector("[data-testid=position]");
    if (position)
      new MutationObserver(() => seen.add(position.textContent)).observe(position, {
        characterData: true,
        subtree: true,
        childList: true,
      });
  });
  await page.getByRole("button", { name: "Play (Space)" }).click();
  await showsText(page, "du -sh releases");
  const seen = await page.evaluate(() => [...(globalThis as unknown as { seen: Set<string> }).seen]);
  // Nothing was shown or typed from 00:26 to 01:12.
  const idle = seen.filter((time) => time > "00:28" && time < "01:11");
  assert.deepEqual(idle, []);
  assert.ok(
    seen.some((time) => time >= "01:11"),
    seen.join(),
  );

  await page.getByRole("button", { name: "Pause (Space)" }).click();
  await page.getByRole("button", { name: "Skip idle" }).click();
  assert.equal(await page.getByRole("button", { name: "Skip idle" }).getAttribute("aria-pressed"), "false");
});

test("fit grows with the room, natural does not", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await openAt(page, "incident", "1m40s");
  const width = () =>
    page.locator(".xterm-screen").evaluate((screen) => screen.getBoundingClientRect().width);
  const room = () => page.locator(".player-screen").evaluate((stage) => stage.clientWidth);
  await page.waitForFunction(() => {
    const screen = document.querySelector(".xterm-screen")?.getBoundingClientRect().width ?? 0;
    const stage = document.querySelector(".player-screen")?.clientWidth ?? 1;
    return screen > stage * 0.9 && screen <= stage;
  });
  const fitted = await width();
  await page.getByRole("button", { name: "Natural size" }).click();
  await page.waitForFunction(
    (before) => document.querySelector(".xterm-screen")?.getBoundingClientRect().width !== before,
    fitted,
  );
  await page.setViewportSize({ width: 700, height: 900 });
  await page.getByRole("button", { name: "Fit to the room" }).click();
  await page.waitForFunction(() => {
    const screen = document.querySelector(".xterm-screen")?.getBoundingClientRect().width ?? 0;
    const stage = document.querySelector(".player-screen")?.clientWidth ?? 1;
    return screen > stage * 0.85 && screen <= stage;
  });
  assert.ok((await width()) <= (await room()));
});

test("a recording whose bytes do not verify shows what could be read, and says where it broke off", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await openAt(page, "corrupt", "5s");
  await page.getByRole("alert").getByText("segment 2 does not carry the hash of segment 1").waitFor();
  await page.getByText(/What stands here is what could be read/).waitFor();
  await showsText(page, "total 48");
  await page.getByRole("tab", { name: "Facts" }).click();
  await page.getByText("Does not verify: segment 2").waitFor();
});

test("a session that may not be seen is not there, in words", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "jane");
  await page.goto(`${stand.url}/sessions/${idOf("dump")}`);
  await page.getByRole("heading", { name: "There is no such thing here" }).waitFor();
});

test("a command's streams are told apart, and what was left out is said", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await page.goto(`${stand.url}/sessions/${idOf("dump")}`);
  const streams = page.getByTestId("streams");
  await streams.getByText("INSERT INTO orders VALUES (100439").waitFor();
  await streams.getByText("pg_dump: error: could not open large object").waitFor();
  await page.getByText(/Of stdout only the beginning was kept: 33.3 MB in all/).waitFor();
  await page.getByRole("button", { name: /stdout/ }).click();
  assert.equal(await streams.getByText("INSERT INTO").count(), 0);
  assert.equal(await streams.getByText("SELECT pg_backup_start('nightly');").count(), 1);
});

test("file operations and forwards are tables, refusals among them, and are gone through one by one", async () => {
  const { page, complaints } = await stand.open();
  await stand.signIn(page, "auditor");
  await page.goto(`${stand.url}/sessions/${idOf("transfer")}`);
  await page
    .getByRole("row", { name: /wrote \/srv\/shop\/releases\/20261122\/app-6\.tar\.gz ↑ 8\.5 MB/ })
    .waitFor();
  await page.getByRole("row", { name: /remove \/etc\/shadow refused: Permission denied/ }).waitFor();
  await page.getByRole("row", { name: /symlink \/srv\/shop\/current → releases\/20261122/ }).waitFor();
  const current = page.locator("tr[aria-current]");
  await page.keyboard.press(".");
  const first = await current.innerText();
  await page.keyboard.press(".");
  await page.waitForFunction(
    (text) => document.querySelector("tr[aria-current]")?.textContent !== text,
    first,
  );
  await page.getByRole("row", { name: /remove \/etc\/shadow/ }).click();
  await page.waitForURL(/t=/);
  assert.match(await current.innerText(), /\/etc\/shadow/);
  const place = await page.getByTestId("position").innerText();
  await page.reload();
  await page.locator("tr[aria-current]", { hasText: "/etc/shadow" }).waitFor();
  assert.equal(await page.getByTestId("position").innerText(), place);
  await page.keyboard.press(",");
  assert.doesNotMatch(await current.innerText(), /\/etc\/shadow/);

  await page.goto(`${stand.url}/sessions/${idOf("forward")}`);
  await page
    .getByRole("row", { name: /to db-01\.internal:5432 127\.0\.0\.1:50101 2m 49s ↑ 86\.0 KB ↓ 13\.5 MB/ })
    .waitFor();
  const refused = page.getByRole("row", { name: /10\.9\.0\.77:8443 ?connect ECONNREFUSED/ });
  await refused.getByRole("button", { name: /^\d\d:\d\d$/ }).click();
  await page.locator("tr[aria-current]", { hasText: "ECONNREFUSED" }).waitFor();
  assert.deepEqual(complaints, []);
});

test("statements stand with their values in place; words and outcomes narrow them, and a link leads to one", async () => {
  const { page, complaints } = await stand.open();
  await stand.signIn(page, "auditor");
  await page.goto(`${stand.url}/sessions/${idOf("queries")}`);
  const row = (name: RegExp) => page.getByRole("row", { name });
  await row(/where email ilike '%@example\.org'\s+limit '50' 50 14 ms SELECT 50/).waitFor();
  await page.getByText("8 statements").waitFor();
  await page.getByRole("button", { name: "Failed" }).click();
  await row(/payment_cards .* ERROR 42501 permission denied for table payment_cards/).waitFor();
  await page.getByText("1 of 8").waitFor();
  await page.getByRole("button", { name: "All" }).click();
  await page.getByLabel("Text, value or outcome").fill("cancelled");
  await page.keyboard.press("Enter");
  await page.waitForURL(/find=cancelled/);
  await page.getByText("1 of 8").waitFor();
  await row(/update orders set status = 'cancelled' where customer_id = '4411'/)
    .getByRole("button")
    .click();
  await page.waitForURL(/t=2m31/);
  await page.reload();
  await page.locator("tr[aria-current]", { hasText: "update orders" }).waitFor();
  await page.goto(`${stand.url}/sessions/${idOf("queries")}?only=failed`);
  await page.getByText("1 of 8").waitFor();
  await page.getByRole("button", { name: "All" }).click();

  // One statement after the other by the keyboard; the one that is shown stands whole, with the rows that were kept.
  await page.getByText("8 statements").waitFor();
  for (let i = 0; i < 2; i++) await page.keyboard.press(".");
  const detail = page.getByRole("region", { name: "Statement", exact: true });
  await detail.getByText("the first 2 of 50 rows were kept").waitFor();
  const kept = await detail
    .locator("tr")
    .evaluateAll((lines) => lines.map((line) => [...line.children].map((cell) => cell.textContent)));
  assert.deepEqual(kept, [
    ["id", "email", "created_at"],
    ["4411", "mara@example.org", "2026-03-02"],
    ["4412", "jonas@example.org", "NULL"],
  ]);
  // Played as it went, over the idle time.
  await page.getByLabel("Speed").selectOption("4");
  await page.getByRole("button", { name: "Play (Space)" }).click();
  await page.locator("tr[aria-current]", { hasText: "date_trunc" }).waitFor();
  await page.getByRole("button", { name: "Pause (Space)" }).click();
  await page.waitForURL((url) => (parseMoment(url.searchParams.get("t") ?? "") ?? 0) >= 39_000_000);
  assert.deepEqual(complaints, []);
});

test("what the audit log has of a session stands beside it, leads the player, and each event leads to the log and back", async () => {
  const { page, complaints } = await stand.open();
  await stand.signIn(page, "auditor");
  await openAt(page, "incident", "2s");
  await page.getByRole("tab", { name: "Audit" }).click();
  await page.waitForURL(/panel=audit/);
  const panel = page.getByRole("tabpanel");
  assert.deepEqual(await panel.getByRole("heading").allInnerTexts(), ["While it went on", "After it ended"]);
  assert.ok((await page.getByTestId("noted").count()) >= 3);
  await panel.getByRole("button", { name: /sam began to watch/ }).click();
  await page.waitForURL(/t=1m15s/);
  assert.equal(await positionOf(page), 75);
  await panel.locator("[aria-current]", { hasText: "sam began to watch" }).waitFor();
  assert.equal(await panel.getByRole("button", { name: /otto opened the recording/ }).count(), 0);

  await panel.getByRole("link", { name: "session.leave in the audit log" }).click();
  await page.waitForURL(/\/audit\?session=.*open=/);
  const opened = page.locator("tr", { hasText: "session.leave" });
  await opened.getByRole("button", { expanded: true }).waitFor();
  await opened.getByRole("link", { name: /^The session of session\.leave/ }).click();
  await page.waitForURL(/\/sessions\/.*at=/);
  await page.getByRole("slider", { name: "Position" }).waitFor();
  assert.equal(await positionOf(page), 93);
  await page.getByRole("tab", { name: "Facts" }).click();
  await panel.getByText("The target names them, or a role of theirs").waitFor();
  await panel.getByText(/^sam watched 01:15 – 01:33$/).waitFor();

  // The person does not learn who watched it later, nor gets links that lead nowhere.
  const { page: own } = await stand.open();
  await stand.signIn(own, "jane");
  await own.goto(`${stand.url}/sessions/${idOf("incident")}?t=2s&panel=audit`);
  await own.getByRole("button", { name: /sam began to watch/ }).waitFor();
  assert.equal(await own.getByText(/opened the recording/).count(), 0);
  assert.equal(await own.getByRole("link", { name: /in the audit log/ }).count(), 0);
  assert.deepEqual(complaints, []);
});

test("an export is a download with a name", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await openAt(page, "incident", "1s");
  await page.getByText("Export", { exact: true }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: /asciicast 2/ }).click(),
  ]);
  assert.equal(download.suggestedFilename(), `${idOf("incident")}.asciicast`);
});
