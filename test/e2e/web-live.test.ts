/** Looking on, pausing and ending in a browser: what the person at the other end sees, what runs, and what is on record. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { addPerson, addTarget, sshOptions } from "../parts/gateway.ts";
import { awaitEvents, awaitSession, awaitStored, eventually, recorded } from "../parts/sessions.ts";
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

async function open(personId: string): Promise<{ page: Page; complaints: string[] }> {
  const opened = await browser.open();
  const link = await stage.gateway.admin.people.signInLink(personId);
  await opened.page.goto(link.url);
  await opened.page.getByRole("navigation", { name: "Places" }).waitFor();
  return opened;
}

test("an analyst finds a live session, looks on, pauses it, lets it go on and ends it with a reason", async () => {
  const { gateway, person } = stage;
  const analyst = await addPerson(gateway, "eve", ["security-analyst"]);
  const [web] = (await gateway.admin.targets.list({})).items;
  await gateway.admin.targets.update(web?.id ?? "", { access: { watermark: true } });
  const marker = (name: string) => join(gateway.dataDir, name);
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, person), stage.address, "PS1='ready>' exec sh -i"],
    marker("resize"),
  );
  await terminal.shows(/ready>/);
  terminal.type("echo early-$((1+1))\r");
  await terminal.shows(/early-2/);
  const { id } = await awaitSession(gateway, ({ state }) => state === "live");

  const { page, complaints } = await open(analyst.id);
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.waitForURL(`${gateway.web}/live`);
  await page.getByText("1 session, 1 person, 1 target").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${gateway.web}/sessions/${id}?watch=live`);

  // Whoever comes late sees the screen as it stands, and then what happens, as it happens.
  const screen = page.locator(".xterm-rows");
  await screen.getByText("early-2", { exact: true }).waitFor();
  await terminal.shows(/gatehouse: eve .*\r\n/);
  terminal.type("echo seen-$((2+2))\r");
  await screen.getByText("seen-4", { exact: true }).waitFor();
  const bar = page.getByRole("region", { name: "This session is live" });
  await bar.getByText("Watching: eve").waitFor();
  const newest = page.getByRole("button", { name: "Now" });
  assert.equal(await newest.getAttribute("aria-pressed"), "true");

  // Her name stands over what she sees, in full screen too, and in the way of nothing.
  const watermark = page.getByRole("region", { name: "Player" }).getByTestId("watermark");
  assert.match(
    await watermark.evaluate((one) => one.textContent),
    /^(eve · \d{4}-\d\d-\d\d \d\d:\d\d UTC)+$/,
  );
  await page.keyboard.press("f");
  await page.getByRole("button", { name: "Leave full screen (f)" }).waitFor();
  assert.ok(await watermark.isVisible());
  await page.keyboard.press("f");
  await page.getByRole("button", { name: "Full screen (f)" }).waitFor();
  // It was demanded when the session was made.
  await gateway.admin.targets.update(web?.id ?? "", { access: {} });

  // Back in it, and to the newest again, while it goes on.
  await page.keyboard.press("Home");
  assert.equal(await newest.getAttribute("aria-pressed"), "false");
  assert.equal(await screen.getByText("seen-4", { exact: true }).count(), 0);
  await page.keyboard.press("End");
  await screen.getByText("seen-4", { exact: true }).waitFor();

  await bar.getByRole("button", { name: "Pause input" }).click();
  const pausing = page.getByRole("dialog", { name: "Pause input" });
  await pausing.getByLabel(/Reason/).fill("is this you?");
  await page.keyboard.press("Enter");
  await bar.getByText("Input paused by eve: is this you?").waitFor();
  await terminal.shows(/gatehouse: eve has paused your input \(is this you\?\)/);
  const typed = `touch ${marker("during")}\r`;
  terminal.type(typed);
  await eventually("it was dropped", async () => {
    const { live } = await gateway.admin.sessions.get(id);
    return live?.paused?.discardedBytes === typed.length ? live : undefined;
  });

  await bar.getByRole("button", { name: "Resume input" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Resume input" }).click();
  await bar.getByRole("button", { name: "Pause input" }).waitFor();
  terminal.type(`touch ${marker("after")}; echo done-$((3+3))\r`);
  await screen.getByText("done-6", { exact: true }).waitFor();
  assert.deepEqual([existsSync(marker("during")), existsSync(marker("after"))], [false, true]);

  await bar.getByRole("button", { name: "Terminate" }).click();
  const ending = page.getByRole("dialog", { name: "Terminate" });
  await ending.getByRole("button", { name: "Go on" }).click();
  assert.equal(await ending.getByText("This cannot be taken back").count(), 0, "not without a reason");
  await ending.getByLabel(/^Reason/).fill("host is being taken over");
  await ending.getByRole("button", { name: "Go on" }).click();
  await ending.getByText(`End the session of ann as ${stage.sshd.user} on web-01 now?`).waitFor();
  await ending.getByRole("button", { name: "End the session" }).click();
  await terminal.shows(/host is being taken over/);
  assert.notEqual(await terminal.exited, 0);

  // When it is in the store the same page plays it from there, and the address no longer says live.
  const session = await awaitStored(gateway, (one) => one.id === id);
  assert.deepEqual(
    [session.end?.reason, session.end?.detail?.includes("host is being taken over")],
    ["terminated", true],
  );
  await page.waitForURL((url) => url.searchParams.get("watch") === null);
  await page.getByRole("button", { name: "paused by eve" }).waitFor();
  await page.keyboard.press("End");
  await screen.getByText("host is being taken over").first().waitFor();
  await page.mouse.move(0, 0);
  await page.getByRole("slider", { name: "Position" }).hover();
  await watermark.nth(1).waitFor();
  const [opened] = await awaitEvents(gateway, {
    event: "session.recording.access",
    session: id,
    user: "eve",
  });
  assert.equal(opened?.fields["watermark"], true);
  await page.getByRole("tab", { name: "Facts" }).click();
  await page.getByText(/^eve watched \d\d:\d\d – \d\d:\d\d/).waitFor();
  await page.getByText(/\d\d:\d\d paused the input: is this you\?/).waitFor();
  await page.getByText(/\d\d:\d\d ended it: host is being taken over/).waitFor();
  const { bytes } = await recorded(gateway, session);
  assert.ok(!bytes("input").includes("during"));

  const reasons: Record<string, string | undefined> = {
    "session.join": undefined,
    "session.pause": "is this you?",
    "session.resume": undefined,
    "session.terminate": "host is being taken over",
    "session.leave": undefined,
  };
  for (const [event, reason] of Object.entries(reasons)) {
    const [noted] = await awaitEvents(gateway, { event, session: id, user: "eve" });
    assert.ok(noted, event);
    if (reason !== undefined) assert.equal(noted.fields["reason"], reason);
  }
  assert.deepEqual(complaints, []);
});

test("whoever may not moderate sees their own session live, and nothing to stop it with", async () => {
  const { gateway, person } = stage;
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, person), stage.address, "PS1='ready>' exec sh -i"],
    join(gateway.dataDir, "resize-own"),
  );
  await terminal.shows(/ready>/);
  const { page } = await open(person.id);
  await page.goto(`${gateway.web}/live`);
  await page.getByRole("link", { name: /ann to .* on web-01/ }).waitFor();
  for (const name of ["Pause input", "Terminate"])
    assert.equal(await page.getByRole("button", { name }).count(), 0, name);
  assert.equal(await page.getByRole("link", { name: /^Watch/ }).count(), 0);
  terminal.type("exit\r");
  await terminal.exited;
  await page.getByRole("heading", { name: "Nobody is connected" }).waitFor();
});

test("access that is asked for on a target's page is approved with a comment, used by ssh, and its time is seen to run", async () => {
  const { gateway, person } = stage;
  const { admin } = gateway;
  const zoe = await addPerson(gateway, "zoe", ["platform-admin"]);
  const target = await addTarget(gateway, stage.sshd, {
    name: "db-01",
    allowRoles: [],
    access: { requests: { minutesMax: 120 } },
  });
  const ssh = () => stage.ssh([stage.address.replace("web-01", "db-01"), "echo let in"]);
  assert.equal((await ssh()).code, 255);

  const { page: hers, complaints } = await open(person.id);
  await hers.goto(`${gateway.web}/targets/${target.id}`);
  await hers.getByRole("button", { name: "Ask for access" }).click();
  const form = hers.getByRole("dialog", { name: "Ask for db-01" });
  await form.getByText("anybody with the role platform-admin").waitFor();
  assert.deepEqual(await form.getByLabel("For").locator("option").allInnerTexts(), [
    "15 minutes",
    "30 minutes",
    "1 hour",
    "2 hours, the most",
  ]);
  await form.getByLabel("Reason").fill("INC-42: slow queries");
  await hers.keyboard.press("Enter");
  await hers.waitForURL(/\/requests\/[0-9a-f-]{36}$/);
  await hers.getByText("one must approve").waitFor();
  assert.equal(await hers.getByRole("button", { name: /^Approve/ }).count(), 0, "not one's own");

  // By keys alone: what waits is counted in the rail, opened, and answered.
  const { page: theirs } = await open(zoe.id);
  await theirs.getByTitle("1 to review").waitFor();
  await theirs.keyboard.press("g");
  await theirs.keyboard.press("r");
  await theirs.getByRole("list", { name: "To review" }).getByText("INC-42: slow queries").waitFor();
  await theirs.keyboard.press("j");
  await theirs.keyboard.press("Enter");
  await theirs.getByLabel(/^Comment/).fill("read only, please");
  await theirs.getByRole("button", { name: "Approve for 1 hour" }).click();
  await theirs.getByText("read only, please").waitFor();
  await theirs.getByTitle("1 to review").waitFor({ state: "detached" });

  await hers.getByText("It is open to you now:").waitFor({ timeout: 15_000 });
  await hers.getByText("read only, please").waitFor();
  const left = hers.getByText(/^(59m [0-9]{2}s|1h 00m) left$/);
  const before = await left.innerText();
  const through = await ssh();
  assert.deepEqual([through.code, through.stdout.toString()], [0, "let in\n"]);
  await hers.waitForFunction((was) => !document.body.innerText.includes(was), before);
  await left.waitFor();
  const [reviewed] = await awaitEvents(gateway, { event: "access_request.review", user: "zoe" });
  assert.equal(reviewed?.fields["comment"], "read only, please");

  await hers.getByRole("button", { name: "Take it back" }).click();
  await hers.getByRole("dialog").getByRole("button", { name: "Take it back" }).click();
  await hers.getByText("taken back").waitFor();
  assert.equal((await ssh()).code, 255);
  assert.deepEqual(complaints, []);

  // A recording under four eyes is closed to its own person too, and asked for where it would be shown.
  await admin.targets.update(target.id, { allowUsers: ["ann"], access: { playback: { minutesMax: 30 } } });
  assert.equal((await ssh()).code, 0);
  const { id } = await awaitStored(gateway, (one) => one.target.name === "db-01");
  await hers.goto(`${gateway.web}/sessions/${id}`);
  await hers.getByRole("heading", { name: "A second person must approve that this is opened" }).waitFor();
  await hers.getByLabel("Reason").fill("post mortem");
  await hers.getByRole("button", { name: "Ask", exact: true }).click();
  await hers.waitForURL(/\/requests\//);
  const requestId = hers.url().split("/").at(-1) ?? "";
  await theirs.goto(`${gateway.web}/requests/${requestId}`);
  await theirs.getByRole("button", { name: "Approve for 30 minutes" }).click();
  await theirs.getByText(/left$/).waitFor();
  await hers.getByRole("link", { name: "Open the recording" }).click({ timeout: 15_000 });
  await hers.getByTestId("streams").getByText("let in").waitFor();

  // A role for a time is asked for where requests are.
  await admin.roles.setRequests("auditor", { minutesMax: 30 });
  await hers.goto(`${gateway.web}/requests`);
  await hers.getByRole("button", { name: "Ask for a role" }).click();
  const asks = hers.getByRole("dialog", { name: "Ask for a role" });
  assert.deepEqual(await asks.getByLabel("Role").locator("option").allInnerTexts(), ["auditor"]);
  await asks.getByLabel("Reason").fill("the yearly audit");
  await asks.getByRole("button", { name: "Ask", exact: true }).click();
  await hers.waitForURL(/\/requests\/[0-9a-f-]{36}$/);
  await theirs.goto(hers.url());
  await theirs.getByRole("button", { name: "Approve for 30 minutes" }).click();
  await theirs.getByText(/left$/).waitFor();
  // What the role allows is there now: the audit log.
  await hers.goto(`${gateway.web}/audit`);
  await hers.getByText("access_request.review").first().waitFor();
});

test("an analyst shuts somebody out from wherever they are, told what ends by it, and lifts it on the person's page", async () => {
  const { gateway, person } = stage;
  const analyst = await addPerson(gateway, "nia", ["security-analyst"]);
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, person), stage.address, "PS1='ready>' exec sh -i"],
    join(gateway.dataDir, "resize-lock"),
  );
  await terminal.shows(/ready>/);
  const { page, complaints } = await open(analyst.id);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("lock an");
  await page.getByRole("option", { name: "Lock ann shut the person out", selected: true }).waitFor();
  await page.keyboard.press("Enter");
  const form = page.getByRole("dialog", { name: "Lock ann" });
  await form.getByText("ann is shut out").waitFor();
  await form.getByText("1 live session ends at once.").waitFor();
  await page.keyboard.type("INC-7: lost laptop");
  await page.keyboard.press("Enter");
  await form.getByText("1 live session ended.").waitFor();
  await terminal.shows(/user ann is locked: INC-7: lost laptop/);
  assert.notEqual(await terminal.exited, 0);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${gateway.web}/locks`);
  await page.getByRole("list", { name: "Locks" }).getByText("INC-7: lost laptop").waitFor();
  const refused = await stage.ssh([stage.address, "true"]);
  assert.match(refused.stderr, /you are locked out: INC-7/);

  // What would shut nobody is said before it is set.
  await page.getByRole("button", { name: "Lock", exact: true }).click();
  await page.getByLabel("Name", { exact: true }).fill("nia");
  await page.getByText("It cannot be set: you would lock yourself out.").waitFor();
  await page.keyboard.press("Escape");

  await page.goto(`${gateway.web}/people/${person.id}`);
  await page.getByText("Locked by nia").waitFor();
  await page.getByRole("button", { name: "Lift the lock on ann" }).click();
  await page.getByRole("button", { name: "Lift it" }).click();
  await page.getByText("Locked by nia").waitFor({ state: "detached" });
  assert.equal((await stage.ssh([stage.address, "true"])).code, 0);
  assert.deepEqual(complaints, []);
});

test("an administrator makes a team and a role, gives the role, and both take effect", async () => {
  const { gateway, person } = stage;
  const boss = await addPerson(gateway, "ida", ["platform-admin"]);
  await addPerson(gateway, "lea", ["team-lead"]);
  const { page, complaints } = await open(boss.id);
  await page.goto(`${gateway.web}/teams`);
  await page.getByRole("button", { name: "Make a team" }).click();
  await page.getByLabel("Name", { exact: true }).fill("web");
  for (const name of ["lea", "ann"]) {
    await page.getByLabel("Add a person").fill(name);
    await page.getByRole("button", { name, exact: true }).click();
  }
  await page.getByLabel("lea leads").check();
  await page.getByRole("dialog").getByRole("button", { name: "Make the team" }).click();
  await page.getByRole("list", { name: "Teams" }).getByText("lea leads").waitFor();
  const [team] = (await gateway.admin.teams.list()).items;
  assert.deepEqual(team?.members.map(({ name, leads }) => [name, leads]).toSorted(), [
    ["ann", false],
    ["lea", true],
  ]);

  await page.getByRole("navigation", { name: "About people" }).getByRole("link", { name: "Roles" }).click();
  await page.getByText("Looks on at live sessions of these teams").waitFor();
  await page.getByRole("button", { name: "Make a role" }).click();
  await page.getByLabel("Name", { exact: true }).fill("log-reader");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${gateway.web}/roles/log-reader`);
  await page.getByRole("button", { name: "Allow something" }).click();
  await page.getByLabel("read the audit log").check();
  await page.getByLabel("play and search").check();
  await page.getByLabel("targets with these labels").check();
  await page.getByLabel("Labels", { exact: true }).fill("tier");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await page.getByText("“tier” is no label with its values").waitFor();
  await page.getByLabel("Labels", { exact: true }).fill("tier=db, cache");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await page.getByText("on targets with tier=db, cache").waitFor();
  assert.deepEqual((await gateway.admin.roles.get("log-reader")).statements, [
    { actions: ["recording.play"], targets: { tier: ["db", "cache"] } },
    { actions: ["audit.read"] },
  ]);

  await page.goto(`${gateway.web}/people/${person.id}`);
  await page.getByLabel(/^log-reader/).check();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Save" }).and(page.locator(":disabled")).waitFor();
  const theirs = await open(person.id);
  await theirs.page
    .getByRole("navigation", { name: "Places" })
    .getByRole("link", { name: "Audit" })
    .waitFor();

  await page.goto(`${gateway.web}/roles/log-reader`);
  await page.getByRole("button", { name: "Remove log-reader" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove log-reader" }).click();
  await page.getByText("ann has the role log-reader").waitFor();
  assert.deepEqual(
    complaints.filter((one) => !one.includes("409")),
    [],
  );
});

test("a token that was made on one's own page is shown once, works with fetch for what it names, and ends when it is revoked", async () => {
  const { gateway, person } = stage;
  const { page, complaints } = await open(person.id);
  await page.goto(`${gateway.web}/people/${person.id}`);
  await page.getByRole("button", { name: "Make a token" }).click();
  const dialog = page.getByRole("dialog", { name: "Make a token" });
  await dialog.getByLabel("What it is for").fill("dashboard");
  await dialog.getByLabel("Ends in").selectOption("7");
  await dialog.getByLabel("see the list of sessions").check();
  await dialog.getByRole("button", { name: "Make it" }).click();
  await dialog.getByText("it is not shown again").waitFor();
  await dialog.getByRole("button", { name: "Copy the token" }).click();
  const token = await page.evaluate(() => navigator.clipboard.readText());
  const answers = async (path: string) => {
    const response = await fetch(`${gateway.web}/api/v1${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return response.status;
  };
  assert.deepEqual([await answers("/sessions"), await answers("/requests")], [200, 403]);
  await dialog.getByRole("button", { name: "I have it" }).click();
  assert.ok(!(await page.content()).includes(token));

  // An administrator sees everybody's, and ends one.
  const boss = await addPerson(gateway, "tom", ["platform-admin"]);
  const theirs = await open(boss.id);
  await theirs.page.goto(`${gateway.web}/tokens`);
  await theirs.page.getByRole("list", { name: "API tokens" }).getByText("dashboard").waitFor();
  assert.ok(!(await theirs.page.content()).includes(token));
  await theirs.page.getByRole("button", { name: "Revoke dashboard" }).click();
  await theirs.page.getByRole("dialog").getByRole("button", { name: "Revoke dashboard" }).click();
  await theirs.page.getByRole("heading", { name: "No program has a token" }).waitFor();
  assert.equal(await answers("/sessions"), 401);
  const [made] = await awaitEvents(gateway, { event: "api_token.create", user: "ann" });
  assert.deepEqual(made?.fields["scopes"], ["session.list"]);
  assert.deepEqual([...complaints, ...theirs.complaints], []);
});

test("a target's policy is set on its page, takes effect, and is explained there", async () => {
  const { gateway } = stage;
  const target = await addTarget(gateway, stage.sshd, { name: "app-01" });
  const ssh = () => stage.ssh([stage.address.replace("web-01", "app-01"), "true"]);
  assert.equal((await ssh()).code, 0);
  const boss = await addPerson(gateway, "uma", ["platform-admin"]);
  const { page, complaints } = await open(boss.id);
  await page.goto(`${gateway.web}/targets/${target.id}`);
  await page.getByLabel("Can be asked for by those who may not use it").check();
  await page.getByLabel("People who decide").fill("uma");
  await page.getByLabel("For at most, minutes").fill("90");
  await page.getByLabel("Open to these networks only").check();
  await page.getByLabel("Networks", { exact: true }).fill("10.1.0.0/16, 10.2.0.0/16");
  await page.getByLabel("Open at these hours only").check();
  await page.getByLabel("Time zone").fill("UTC");
  await page.getByRole("group", { name: "Window 1" }).getByLabel("sat").check();
  await page.getByLabel("From", { exact: true }).fill("00:00");
  await page.getByLabel("To", { exact: true }).fill("24:00");
  await page.getByRole("button", { name: "Save the policy" }).click();
  await page.getByText("Saved").waitFor();
  const set = (await gateway.admin.targets.get(target.id)).access;
  assert.deepEqual(set, {
    hours: {
      zone: "UTC",
      windows: [{ days: ["mon", "tue", "wed", "thu", "fri", "sat"], from: "00:00", to: "24:00" }],
    },
    networks: ["10.1.0.0/16", "10.2.0.0/16"],
    requests: {
      askers: { roles: ["user"], users: [] },
      reviewers: { roles: ["platform-admin"], users: ["uma"], teamLeads: false },
      approvals: 1,
      minutesMax: 90,
      atExpiry: "end",
    },
  });
  assert.match((await ssh()).stderr, /not open to where you come from|other hours/);

  await page.getByLabel("Person", { exact: true }).fill("ann");
  await page.getByLabel("From address").fill("10.9.0.1");
  await page.getByRole("button", { name: "Why?" }).click();
  await page.getByText("may not", { exact: true }).waitFor();
  await page.getByText("Else: The target names them, or a role of theirs").waitFor();

  for (const limit of ["Open to these networks only", "Open at these hours only"])
    await page.getByLabel(limit).uncheck();
  await page.getByRole("button", { name: "Save the policy" }).click();
  await page.getByText("Saved").waitFor();
  await page.getByRole("button", { name: "Why?" }).click();
  await page.getByText("may", { exact: true }).waitFor();
  assert.equal((await ssh()).code, 0);
  assert.deepEqual(complaints, []);
});
