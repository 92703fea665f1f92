/** Signing the command line in with a browser: the real command, the real pages in Chromium, and what is refused. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createClient } from "@gatehouse/contracts/client";
import { isGatehouseError } from "@gatehouse/kernel";
import type { Page } from "playwright-core";
import { exchangeLink } from "../../packages/cli/src/connection/mod.ts";
import { type Gateway, startGateway } from "../parts/gateway.ts";
import { run } from "../parts/openssh.ts";
import { awaitEvents } from "../parts/sessions.ts";
import { openBrowser } from "../parts/web.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));

let gateway: Gateway;
let browser: Awaited<ReturnType<typeof openBrowser>>;
let ann: string;

before(async () => {
  browser = await openBrowser();
  gateway = await startGateway();
  ann = (await gateway.admin.people.create({ name: "ann", roles: ["auditor"] })).id;
});
after(async () => {
  await browser?.close();
  await gateway?.close();
});

const link = async () => (await gateway.admin.people.signInLink(ann)).url;
async function signedIn(): Promise<Page> {
  const { page } = await browser.open();
  await page.goto(await link());
  await page.waitForURL(`${gateway.web}/sessions`);
  return page;
}

/** The command as a process, with a profile folder of its own; `browser` is what it opens. */
function login(name: string, words: string[], env: Record<string, string> = {}) {
  const child = spawn(cli, ["login", gateway.web, "--json", ...words], {
    env: {
      ...process.env,
      XDG_CONFIG_HOME: join(gateway.dataDir, name),
      SSH_AUTH_SOCK: "",
      DISPLAY: "",
      WAYLAND_DISPLAY: "",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  let told: (() => void) | undefined;
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    told?.();
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, stdout, stderr })),
  );
  return {
    ended,
    async says(pattern: RegExp): Promise<string> {
      for (;;) {
        const found = pattern.exec(stderr);
        if (found) return found[1] ?? found[0];
        const more = new Promise<void>((resolve) => (told = resolve));
        await Promise.race([
          more,
          ended.then(({ code }) => Promise.reject(new Error(`it ended with ${code}: ${stderr}`))),
        ]);
      }
    },
  };
}
const status = (name: string) =>
  run(cli, ["status", "--gateway", gateway.web], { env: { XDG_CONFIG_HOME: join(gateway.dataDir, name) } });

/** A browser that only writes down where it was sent. */
function noting(name: string): { program: string; url(): Promise<string> } {
  const program = join(gateway.dataDir, `${name}.sh`);
  const file = join(gateway.dataDir, `${name}.url`);
  writeFileSync(program, `#!/bin/sh\nprintf %s "$1" > ${file}.new && mv ${file}.new ${file}\n`, {
    mode: 0o755,
  });
  const seen = new Promise<void>((resolve) => {
    const watcher = watch(gateway.dataDir, () => {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    });
  });
  return { program, url: async () => (await seen, readFileSync(file, "utf8")) };
}

test("the browser asks the person, after they signed in, and the answer comes back to the command's own port", async () => {
  const opened = noting("first");
  const command = login("first", ["--browser"], { BROWSER: opened.program });
  const url = await opened.url();
  assert.match(url, new RegExp(`^${gateway.web}/approve\\?request=[0-9a-f-]{36}$`));
  const { page } = await browser.open();
  await page.goto(url);
  await page.waitForURL(/\/sign-in/);
  const secret = new URL(await link()).hash;
  await page.evaluate((hash) => {
    location.hash = hash;
  }, secret);
  await page.waitForURL(url);
  await page.getByText("asks to act as ann").waitFor();
  await page.getByText("127.0.0.1").waitFor();
  await page.getByRole("button", { name: "Sign it in" }).click();
  await page.getByText("Done. Go back to your terminal").waitFor();
  assert.match(page.url(), /^http:\/\/127\.0\.0\.1:\d+\/signed-in\?state=/);
  const { code, stdout, stderr } = await command.ended;
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as { name: string }).name, "ann");
  assert.match((await status("first")).stdout.toString(), /^signed in as +ann \(auditor/m);
  const event = (await awaitEvents(gateway, { event: "user.login", user: "ann" })).at(-1);
  assert.deepEqual(
    [event?.success, event?.fields["method"], event?.fields["approved_from"]],
    [true, "browser", "127.0.0.1"],
  );
});

test("a browser that is refused, or that cannot open, ends as it should", async () => {
  const page = await signedIn();
  const opened = noting("refused");
  const command = login("refused", ["--browser"], { BROWSER: opened.program });
  await page.goto(await opened.url());
  await page.getByRole("button", { name: "Refuse" }).click();
  await page.getByText("Done. Go back").waitFor();
  const { code, stderr } = await command.ended;
  assert.equal(code, 3, stderr);
  assert.match(stderr, /refused in the browser/);
  const event = (await awaitEvents(gateway, { event: "user.login", user: "ann" })).at(-1);
  assert.deepEqual([event?.success, event?.fields["error"]], [false, "refused by the person"]);

  const fallback = login("fallback", ["--browser"], { BROWSER: "/bin/false" });
  await page.goto(await fallback.says(/(http\S+\/approve)\n/));
  await page.getByLabel("The code that your terminal shows").fill(await fallback.says(/([A-Z]{4}-[A-Z]{4})/));
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Sign it in" }).click();
  assert.equal((await fallback.ended).code, 0);
});

test("without a browser a short code is typed, and the page says who asks and from where", async () => {
  const page = await signedIn();
  const command = login("device", ["--device"]);
  await page.goto(await command.says(/(http\S+\/approve)\n/));
  const code = await command.says(/([A-Z]{4}-[A-Z]{4})/);
  const field = page.getByLabel("The code that your terminal shows");
  await field.fill("BBBB-BBBB");
  await field.press("Enter");
  await page.getByText("no command line waits for this").waitFor();
  await page.getByRole("button", { name: "Type another code" }).click();
  await field.fill(code.toLowerCase().replace("-", " "));
  await field.press("Enter");
  await page.getByText("Was it you?").waitFor();
  await page.getByRole("button", { name: "Sign it in" }).click();
  await page.getByText("Signed in. Go back to your terminal").waitFor();
  const { code: exit, stderr } = await command.ended;
  assert.equal(exit, 0, stderr);
  assert.match((await status("device")).stdout.toString(), /^signed in as +ann/m);
  const event = (await awaitEvents(gateway, { event: "user.login", user: "ann" })).at(-1);
  assert.equal(event?.fields["method"], "device_code");
  assert.ok(!JSON.stringify(event).includes(code));
});

test("what is stolen, guessed, early or late opens nothing", async () => {
  const anyone = createClient({ baseUrl: gateway.web });
  const page = await signedIn();
  /** From the page, as its scripts would: with the cookie. */
  const fromPage = (body: object) =>
    page.evaluate(
      async (text) =>
        (
          await fetch("/api/v1/command-sign-in/answer", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: text,
          })
        ).status,
      JSON.stringify(body),
    );
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const is = (code: "unauthenticated" | "denied" | "not_found") => (error: unknown) =>
    isGatehouseError(error, code);

  const byCode = await anyone.commandSignIn.ask({ challenge, client: "box" });
  const ask = { id: byCode.id, verifier };
  assert.equal((await anyone.commandSignIn.fetch(ask)).status, "pending");
  const early = await anyone.commandSignIn.fetch(ask);
  assert.equal(early.status, "slow_down");
  assert.equal("intervalMs" in early && early.intervalMs, byCode.intervalMs + 5_000);
  await assert.rejects(
    anyone.commandSignIn.fetch({ ...ask, verifier: randomBytes(32).toString("base64url") }),
    is("unauthenticated"),
  );
  await assert.rejects(anyone.commandSignIn.get({ userCode: byCode.userCode ?? "" }), is("unauthenticated"));
  const bearer = createClient({
    baseUrl: gateway.web,
    token: (await exchangeLink(gateway.web, new URL(await link()).hash.replace("#token=", ""))).token,
  });
  // A link that names it is not enough, and another command line cannot approve.
  await assert.rejects(bearer.commandSignIn.get({ id: byCode.id }), is("not_found"));
  assert.equal(await fromPage({ id: byCode.id, approve: true }), 404);
  const named = { userCode: byCode.userCode ?? "", approve: true };
  await assert.rejects(bearer.commandSignIn.answer(named), is("denied"));
  assert.equal(await fromPage(named), 200);
  assert.equal(await fromPage(named), 404, "once");
  const done = await anyone.commandSignIn.fetch(ask);
  assert.equal(done.status, "done");
  await assert.rejects(anyone.commandSignIn.fetch(ask), is("unauthenticated"), "once");

  // What the callback is given is worth nothing without the command's secret, nor the secret without it.
  const callback = { port: 40_000, state: randomBytes(16).toString("base64url") };
  const byCallback = await anyone.commandSignIn.ask({ challenge, client: "box", callback });
  assert.equal(byCallback.userCode, null);
  assert.equal(await fromPage({ id: byCallback.id, approve: true }), 200);
  await assert.rejects(anyone.commandSignIn.fetch({ id: byCallback.id, verifier }), is("unauthenticated"));
  await assert.rejects(
    anyone.commandSignIn.fetch({ id: byCallback.id, verifier, code: randomBytes(32).toString("base64url") }),
    is("unauthenticated"),
  );

  // Approved, and shut out before the command came for it.
  const late = await anyone.commandSignIn.ask({ challenge, client: "box" });
  assert.equal(await fromPage({ userCode: late.userCode, approve: true }), 200);
  await gateway.admin.people.update(ann, { disabled: true });
  await assert.rejects(anyone.commandSignIn.fetch({ id: late.id, verifier }), is("unauthenticated"));
});
