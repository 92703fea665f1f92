/** The pages in Chromium, over sample recordings: signing in, finding, every place, both designs, three widths. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { samplePeople, sampleTargets } from "../../packages/gateway/src/api/rest/testing/sample-sessions.ts";
import { sampleRequestId } from "../../packages/gateway/src/api/rest/testing/memory-requests.ts";
import { samplePassword } from "../../packages/gateway/src/api/rest/testing/memory-accounts.ts";
import type { SampleName } from "../../packages/gateway/src/api/rest/testing/sample-sessions.ts";
import { type WebStand, webStand } from "../parts/web.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let stand: WebStand;
before(async () => {
  stand = await webStand();
});
after(() => stand.stop());

const idOf = (name: SampleName) => stand.idOf(name);
const rows = (page: Page) => page.locator("tbody tr[data-row]");

test("a name and a password sign in by the keyboard alone; the account page sets another", async () => {
  const { page } = await stand.open();
  await page.goto(`${stand.url}/sign-in`);
  const name = page.getByLabel("Name");
  await name.waitFor();
  await page.keyboard.type(samplePeople.jane.name);
  await page.keyboard.press("Tab");
  await page.keyboard.type("not the password");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("wrong name or password").waitFor();
  await page.getByLabel("Password").fill(samplePassword);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${stand.url}/sessions`);

  await page.goto(`${stand.url}/people/${samplePeople.jane.id}`);
  await page.getByLabel("Current password").fill(samplePassword);
  await page.getByLabel("New password").fill("another gate at the sea");
  await page.getByRole("button", { name: "Change it" }).click();
  await page.getByText("Your password is set.").waitFor();
  await page.getByLabel("Current password").fill("another gate at the sea");
  await page.getByLabel("New password").fill(samplePassword);
  await page.getByRole("button", { name: "Change it" }).click();
  await page.getByText("Your password is set.").waitFor();
});

test("a one-time link signs in, leaves the address bar at once, and is explained when it is spent", async () => {
  const { page, complaints } = await stand.open();
  const token = stand.gate.link("auditor");
  const addresses: string[] = [];
  page.on("request", (request) => addresses.push(request.url()));
  await page.goto(`${stand.url}/sign-in#token=${token}`);
  await page.waitForURL(`${stand.url}/sessions`);
  await page.getByRole("heading", { name: "Sessions" }).waitFor();
  assert.ok(!addresses.some((address) => address.includes(token)), "the token was in no request's address");
  assert.ok(!page.url().includes(token));
  assert.equal(await page.evaluate(() => document.cookie), "", "no script can read the cookie");

  const other = await stand.open();
  await other.page.goto(`${stand.url}/sign-in#token=${token}`);
  await other.page.getByRole("heading", { name: "This link does not work any more" }).waitFor();
  assert.equal(await other.page.locator("code").innerText(), "gatehouse users link <name>");
  assert.deepEqual(complaints, []);
});

test("a link to a page leads there after signing in", async () => {
  const { page } = await stand.open();
  await page.goto(`${stand.url}/sessions/${idOf("incident")}?t=30s`);
  await page.waitForURL(/\/sign-in/);
  // The link is opened in the same tab: only the fragment changes.
  await page.evaluate((token) => {
    location.hash = `token=${token}`;
  }, stand.gate.link("auditor"));
  await page.waitForURL(`${stand.url}/sessions/${idOf("incident")}?t=30s`);
});

test("signing out ends the session here and at the gateway", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "jane");
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.waitForURL(/\/sign-in/);
  await page.goto(`${stand.url}/sessions`);
  await page.waitForURL(/\/sign-in/);
});

test("yesterday's rm -rf on web-01 is found: filter, open, and the moment is there in words", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await page.getByLabel("Target").fill("web-01");
  await page.keyboard.press("Enter");
  await page.waitForURL(/target=web-01/);
  await page.getByLabel("Any kind").selectOption("shell");
  await page.waitForURL(/kind=shell/);
  await page.waitForFunction(
    () => ![...document.querySelectorAll("tbody tr")].some((row) => !row.textContent.includes("web-01")),
  );
  await rows(page).first().click();
  await page.getByRole("button", { name: /rm -rf releases\/tmp-build/ }).click();
  await page.getByText("root@web-01:/srv/shop# rm").first().waitFor();
  await page.waitForURL(/t=1m21/);
});

test("the address holds the filters, so a link is a handover", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await page.goto(`${stand.url}/sessions?user=sam.ops&state=ended&recording=corrupt`);
  await rows(page).first().waitFor();
  assert.equal(await rows(page).count(), 1);
  assert.equal(await page.getByLabel("Any recording").inputValue(), "corrupt");
  await page.getByRole("button", { name: "Clear" }).click();
  await page.waitForURL(`${stand.url}/sessions`);
});

test("keys: search, move, open, go, help", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await rows(page).first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("j");
  assert.equal(await page.locator("tr[data-chosen]").getAttribute("data-row"), "1");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${stand.url}/sessions/${idOf("live")}*`);
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await page.keyboard.type("pg_dump");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/sessions\?q=pg_dump/);
  await page.getByText("pg_dump --column-inserts shop").first().waitFor();
  assert.equal(await rows(page).count(), 1);
  await page.keyboard.press("g");
  await page.keyboard.press("h");
  await page.waitForURL(/\/health/);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("jane");
  await page.getByRole("option", { name: "Sessions of jane.doe" }).waitFor();
  await page.keyboard.press("ArrowUp");
  assert.match(await page.getByRole("option", { selected: true }).innerText(), /Search sessions for “jane”/);
  await page.keyboard.press("ArrowDown");
  assert.match(await page.getByRole("option", { selected: true }).innerText(), /Sessions of jane.doe/);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${stand.url}/sessions?user=jane.doe`);
});

test("the list streams in by cursor to its end", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await rows(page).first().waitFor();
  for (;;) {
    if (await page.getByText("That is all.").isVisible()) break;
    // Counted before it is scrolled: the next page may be there before anything else is asked.
    const shown = await rows(page).count();
    await page.locator("#main").evaluate((main) => main.scrollTo(0, main.scrollHeight));
    await page.waitForFunction(
      (before) =>
        document.querySelectorAll("tbody tr").length > before ||
        document.body.innerText.includes("That is all."),
      shown,
    );
  }
  assert.equal(await rows(page).count(), stand.gate.samples.length);
});

test("a person without a role sees their own sessions, their own keys, and no places that would refuse them", async () => {
  const { page, complaints } = await stand.open();
  await stand.signIn(page, "jane");
  await rows(page).first().waitFor();
  const places = await page.getByRole("navigation", { name: "Places" }).getByRole("listitem").allInnerTexts();
  assert.deepEqual(
    places.map((place) => place.trim().split("\n")[0]),
    ["Live", "Sessions", "Search", "Requests", "Targets"],
  );
  assert.deepEqual(
    [...new Set(await page.locator("tbody td:nth-child(4)").allInnerTexts())].map((cell) =>
      cell.split("\n")[0]?.trim(),
    ),
    ["jane.doe"],
  );
  await page.getByTitle("jane.doe: your account and keys").click();
  await page.getByRole("link", { name: "Keys, certificates and roles" }).click();
  await page.getByLabel("Add a public key").fill("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb9 jane@tablet");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("jane@tablet").waitFor();
  await page.goto(`${stand.url}/audit`);
  await page.getByRole("heading", { name: "You may not see this" }).waitFor();
  assert.deepEqual(
    complaints.filter((one) => !one.includes("403")),
    [],
  );
});

test("an administrator adds a target, trusts its key after comparing, and sets a secret that is not shown again", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "admin");
  await page.goto(`${stand.url}/targets`);
  await page.getByRole("button", { name: "Add a target" }).click();
  await page.getByLabel("Name", { exact: true }).fill("mail-01");
  await page.getByLabel("Host", { exact: true }).fill("10.0.7.1");
  await page.getByLabel("Logins").fill("root, postfix");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("heading", { name: "mail-01" }).waitFor();
  await page.getByText("Nobody is let through to it.").waitFor();
  await page.getByRole("button", { name: "See what it shows now" }).click();
  await page.getByRole("button", { name: /I compared them/ }).click();
  await page.getByText("pinned").waitFor();
  await page.getByRole("button", { name: "Change" }).first().click();
  await page.getByLabel("Proof").selectOption("password");
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await page.getByText("a stored password").waitFor();
  assert.ok(!(await page.content()).includes("correct horse"));
});

test("an administrator adds a person and makes their link", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "admin");
  await page.goto(`${stand.url}/people`);
  await page.getByRole("button", { name: "Add a person" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a person" });
  await dialog.getByLabel("Name", { exact: true }).fill("not a name");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText(/letters, digits, dot, dash/).waitFor();
  await dialog.getByLabel("Name", { exact: true }).fill("nora.new");
  await page.getByLabel(/^auditor/).check();
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("heading", { name: "nora.new" }).waitFor();
  await page.getByRole("button", { name: "One-time link" }).click();
  await page.getByText(/\/sign-in#token=/).waitFor();
});

test("a gateway that stops answering is said quietly, and what is shown stays", async () => {
  const { page } = await stand.open();
  await stand.signIn(page, "auditor");
  await rows(page).first().waitFor();
  await page.route("**/api/v1/sessions*", (route) => route.abort());
  // Looking back at the page renews it.
  await page.evaluate(() => {
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.getByText(/The gateway does not answer\. This is as of/).waitFor({ timeout: 60_000 });
  assert.ok((await rows(page).count()) > 10);
});

test("the API's reference can be browsed without any other host", async () => {
  const { page, complaints } = await stand.open();
  const hosts = new Set<string>();
  page.on("request", (request) => {
    if (request.url().startsWith("http")) hosts.add(new URL(request.url()).origin);
  });
  await page.goto(`${stand.url}/api/docs/`);
  await page.getByText("Exchange a one-time link for a web session").first().waitFor();
  assert.deepEqual([...hosts], [stand.url]);
  assert.deepEqual(complaints, []);
});

/** Each colour once and each width once: the colours are the same at every width. */
const looks = [
  { width: 1440, height: 900, scheme: "light" },
  { width: 390, height: 844, scheme: "dark" },
] as const;

for (const look of looks)
  test(`every place holds at ${look.width} px, ${look.scheme}: nothing serious for those who cannot see or point, nothing wider than the screen`, async () => {
    const { page, complaints } = await stand.open(look);
    const faults: string[] = [];
    await page.goto(`${stand.url}/sign-in`);
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await page.getByText("No password yet, or forgotten?").click();
    faults.push(...(await faultsOf(page, "sign-in", look)));
    await stand.signIn(page, "admin");
    const places: [string, string, string][] = [
      ["sessions", "/sessions", "tbody tr"],
      ["search", "/search?text=root", "mark"],
      ["nothing", "/sessions?q=nothing-like-this", "text=No session fits these filters"],
      ["terminal", `/sessions/${idOf("incident")}?t=1m40s`, "text=load average"],
      ["facts", `/sessions/${idOf("incident")}?t=25s&panel=facts`, "text=Whole and unaltered"],
      [
        "transcript",
        `/sessions/${idOf("incident")}?t=1m28s&panel=transcript&find=releases`,
        "text=/^[0-9]+ of [0-9]+$/",
      ],
      ["events", `/sessions/${idOf("incident")}?t=1m28s&panel=audit`, "text=sam began to watch"],
      ["corrupt", `/sessions/${idOf("corrupt")}?t=3s&panel=facts`, "text=Does not verify"],
      ["live", "/live", "text=waits for an approval"],
      ["live-unwatched", `/sessions/${idOf("live")}?t=9s`, "text=is connected now"],
      ["live-watched", `/sessions/${idOf("live")}?watch=live`, "text=Stop watching"],
      ["exec", `/sessions/${idOf("dump")}`, "text=permission denied"],
      ["files", `/sessions/${idOf("transfer")}`, "text=app-6.tar.gz"],
      ["forwards", `/sessions/${idOf("forward")}`, "text=db-01.internal:5432"],
      ["queries", `/sessions/${idOf("queries")}?t=9s`, "text=mara@example.org"],
      ["audit", "/audit", "tbody tr"],
      ["requests", "/requests", "text=INC-4711"],
      ["requests-all", "/requests?of=everybody", "text=Have a look around"],
      ["request", `/requests/${sampleRequestId}`, "text=Your word"],
      ["targets", "/targets", "tbody tr"],
      ["target", `/targets/${sampleTargets[0].id}`, "text=Host keys"],
      ["people", "/people", "tbody tr"],
      ["person", `/people/${samplePeople.jane.id}`, "text=Add a public key"],
      ["teams", "/teams", "text=The shop, and what it runs on"],
      ["roles", "/roles", "text=db-reader"],
      ["role", "/roles/db-reader", "text=go through the gate to a target"],
      ["tokens", "/tokens", "text=deploy pipeline"],
      ["locks", "/locks", "text=oracle"],
      ["lock", "/locks?on=user&name=jane.doe", "text=2 live sessions end at once"],
      ["health", "/health", "text=Journal"],
      ["missing", "/nowhere", "text=There is no such page"],
    ];
    for (const [name, path, ready] of places) {
      // As a link does it: the pages are loaded once.
      await page.evaluate((to) => history.pushState(null, "", to), path);
      await page.locator(ready).first().waitFor();
      faults.push(...(await faultsOf(page, name, look)));
    }
    assert.deepEqual(faults, []);
    assert.deepEqual([...new Set(complaints)], []);
  });

test("a recording is held and let go of on its page, and damage is told on every page until somebody acknowledges it", async () => {
  const faults: string[] = [];
  const { page, complaints } = await stand.open();
  await stand.signIn(page, "auditor");
  stand.gate.raise(idOf("corrupt"));
  await page.goto(`${stand.url}/sessions/${idOf("incident")}?t=25s&panel=facts`);
  const head = page.locator("header").filter({ has: page.getByRole("heading", { level: 1 }) });
  await head.getByText(/^Kept until .*, then removed\.$/).waitFor();
  await head.getByRole("button", { name: "Hold" }).click();
  const dialog = page.getByRole("dialog", { name: "Hold this recording" });
  await dialog.getByLabel(/^Reason/).fill("case 2026-114: who changed the release");
  await dialog.getByLabel("Who answers for it").fill("legal department");
  faults.push(...(await faultsOf(page, "hold-dialog", looks[0])));
  await dialog.getByRole("button", { name: "Hold it" }).click();
  await head
    .getByText(/by otto\.auditor for legal department: case 2026-114: who changed the release/)
    .waitFor();
  await head.getByText("on hold", { exact: true }).waitFor();
  for (const look of looks) {
    await page.setViewportSize(look);
    await page.emulateMedia({ colorScheme: look.scheme });
    faults.push(...(await faultsOf(page, "held", look)));
  }
  await head.getByRole("button", { name: "Lift the hold" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("the case is closed");
  faults.push(...(await faultsOf(page, "lift-dialog", looks[1])));
  await page.getByRole("dialog").getByRole("button", { name: "Lift the hold" }).click();
  await head.getByText(/^Kept until/).waitFor();

  const banner = page.getByRole("region", { name: "Damaged recordings" });
  await banner.getByRole("link", { name: "sam.ops on build-01: the recording was found damaged" }).waitFor();
  await page.goto(`${stand.url}/targets`);
  await banner.getByText(/segment 2 does not carry the hash/).waitFor();
  await banner.getByRole("button", { name: "Acknowledge" }).click();
  await page.getByLabel("What was found out, or is done about it").fill("restored from the second site");
  faults.push(...(await faultsOf(page, "acknowledge", looks[1])));
  await page.getByRole("button", { name: "Acknowledge it" }).click();
  await banner.waitFor({ state: "detached" });
  assert.deepEqual(
    stand.gate.audited
      .filter(({ event }) => event === "session.recording.acknowledge")
      .map(({ user, sessionId }) => [user, sessionId]),
    [["otto.auditor", idOf("corrupt")]],
  );
  assert.deepEqual(faults, []);
  assert.deepEqual(complaints, []);

  const other = await stand.open();
  stand.gate.raise(idOf("corrupt"));
  await stand.signIn(other.page, "jane");
  await other.page.goto(`${stand.url}/sessions/${idOf("incident")}?t=25s`);
  await other.page.getByText(/^Kept until/).waitFor();
  assert.equal(await other.page.getByRole("button", { name: "Hold" }).count(), 0);
  assert.equal(await other.page.getByRole("region", { name: "Damaged recordings" }).count(), 0);
});

/** What a width and a scheme change: colours, what fits, and the controls that are there at one width alone. */
const rulesOfLooks = [
  "aria-hidden-focus",
  "button-name",
  "color-contrast",
  "label",
  "link-in-text-block",
  "link-name",
  "scrollable-region-focusable",
  "target-size",
];

/** Takes the picture where somebody wants it, and says what is wrong with the page; all of it in the first look alone. */
async function faultsOf(page: Page, name: string, look: (typeof looks)[number]): Promise<string[]> {
  await page.waitForFunction(() => document.getAnimations().every((one) => !(one instanceof CSSTransition)));
  await stand.shoot(page, `${name}-${look.width}-${look.scheme}`);
  const where = `${name} at ${look.width} ${look.scheme}`;
  const excess = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll("#main")].map(
      (room) => room.scrollWidth - room.clientWidth,
    ),
  );
  const tooWide = excess.filter((px) => px > 0).map((px) => `${where}: ${px} px too wide`);
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const { violations } = await page.evaluate(
    async (rules) => {
      const { axe: loaded } = globalThis as unknown as {
        axe: { run(context: object, options: object): Promise<AxeResults> };
      };
      // What a terminal shows is the recorded program's own choice of colours.
      return loaded.run(
        { exclude: [".xterm"] },
        { resultTypes: ["violations"], preload: false, runOnly: rules },
      );
    },
    look === looks[0]
      ? ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
      : rulesOfLooks,
  );
  return [
    ...tooWide,
    ...violations
      .filter((violation) => violation.impact === "serious" || violation.impact === "critical")
      .map(
        ({ id, nodes }) =>
          `${where}: ${id}: ${nodes
            .slice(0, 3)
            .map((node) => node.html.slice(0, 160))
            .join(" | ")}`,
      ),
  ];
}
