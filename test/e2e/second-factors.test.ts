/**
 * Second factors at a whole gateway: authenticator app, recovery codes and a passkey in Chromium with a virtual
 * authenticator; a target that asks for one given of late; and sign-ins that end.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Secret, TOTP } from "otpauth";
import type { Page } from "playwright-core";
import { plainClient, run } from "../parts/openssh.ts";
import { type Stage, startStage } from "../parts/stage.ts";
import { openBrowser } from "../parts/web.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));
const password = "the gate stands at the river";

let stage: Stage;
let browser: Awaited<ReturnType<typeof openBrowser>>;
before(async () => {
  stage = await startStage({ target: { access: { mfaWithinMinutes: 5 } } });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await stage?.close();
});

/** Passkeys belong to a name, so the pages are opened by one. */
const at = (path: string) => `${stage.gateway.web.replace("127.0.0.1", "localhost")}${path}`;

const part = (page: Page, name: string) =>
  page.locator("section").filter({ has: page.getByRole("heading", { name, exact: true }) });

async function byPassword(page: Page): Promise<void> {
  await page.goto(at("/sign-in"));
  await page.getByLabel("Name", { exact: true }).fill("ann");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "One step more" }).waitFor();
}

/** Ends with a signed-in page, and says by what. */
async function entered(page: Page): Promise<string> {
  await page.waitForURL(/\/(sessions|account)$/);
  const me = await page.request.get(at("/api/v1/me"));
  const { name, method, mfaAt } = (await me.json()) as { name: string; method: string; mfaAt: string | null };
  assert.equal(name, "ann");
  return mfaAt === null ? method : `${method} and a second factor`;
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.waitForURL(/\/sign-in/);
}

const sessionCookie = async (page: Page) =>
  (await page.context().cookies()).find(({ name }) => name === "gatehouse")?.value;

test("enrol, sign in by each, step up to a target that asks for it, and end the other sign-ins", async () => {
  const { gateway, person, sshd } = stage;
  const link = async () =>
    at(new URL((await gateway.admin.people.signInLink(person.id)).url).href.replace(/^[^/]+\/\/[^/]+/, ""));
  const keyFile = join(gateway.dataDir, "certified.key");
  const command = (words: string[], input: string) =>
    run(cli, words, {
      input,
      env: { XDG_CONFIG_HOME: join(gateway.dataDir, "profiles"), SSH_AUTH_SOCK: "" },
    });
  const certified = () =>
    run("ssh", [
      ...plainClient,
      "-o",
      `IdentityFile=${keyFile}`,
      "-p",
      String(gateway.sshPort),
      stage.address,
      "echo inside",
    ]);

  // Without a second factor the target stays shut, and says how to open it: to a key, and to a certificate.
  const login = await command(["login", gateway.web, "--identity-file", keyFile], `${await link()}\n`);
  assert.equal(login.code, 0, login.stderr);
  for (const refused of [await stage.ssh([stage.address, "echo inside"]), await certified()]) {
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /second factor given within the last 5 minutes: .*gatehouse mfa verify/);
  }

  const { page: desk } = await browser.open();
  await desk.goto(await link());
  assert.equal(await entered(desk), "link");
  await desk.goto(at("/account"));
  await desk.getByLabel("Password", { exact: true }).fill(password);
  await desk.getByRole("button", { name: "Set it" }).click();
  await desk.getByText("Your password is set.").waitFor();
  // Setting it ended the command's sign-in; it comes back before there is a second factor.
  const again = await command(["login", gateway.web, "--identity-file", keyFile], `${await link()}\n`);
  assert.equal(again.code, 0, again.stderr);
  await desk.getByRole("button", { name: "Add an authenticator app" }).click();
  await desk.getByRole("img", { name: "QR code with the secret" }).waitFor();
  const secret = (await desk.getByTestId("totp-secret").innerText()).trim();
  const codeIn = (ms: number) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + ms });
  await desk.getByLabel("What you call it").fill("my phone");
  await desk.getByLabel("Code that the app shows").fill(codeIn(0));
  await desk.getByRole("button", { name: "Add it" }).click();
  const shownCodes = desk.getByRole("region", { name: "Recovery codes" });
  await shownCodes.waitFor();
  const codes = await shownCodes.getByRole("listitem").allInnerTexts();
  assert.equal(new Set(codes).size, 10);
  await part(desk, "Second factors").getByText("my phone").waitFor();
  await desk.reload();
  await part(desk, "Second factors").getByText("10 recovery codes left").waitFor();
  assert.ok(!(await desk.content()).includes(codes[0] ?? ""), "shown once");

  // The certificate belongs to the command's sign-in: what is proved there opens the target.
  const stepped = await command(["mfa", "verify", "--json"], `${codes[0]}\n`);
  assert.equal(stepped.code, 0, stepped.stderr);
  const inside = await certified();
  assert.deepEqual([inside.code, inside.stdout.toString()], [0, "inside\n"], inside.stderr);
  const used = await command(["mfa", "verify"], `${codes[0]}\n`);
  assert.equal(used.code, 1, used.stderr);

  const { page: sofa } = await browser.open();
  await byPassword(sofa);
  await sofa.getByLabel("Code").fill("000000");
  await sofa.getByRole("button", { name: "Sign in", exact: true }).click();
  await sofa.getByText("this code is not good").waitFor();
  await sofa.goto(at("/sessions"));
  await sofa.waitForURL(/\/sign-in/);
  await byPassword(sofa);
  await sofa.getByLabel("Code").fill(codeIn(30_000));
  await sofa.getByRole("button", { name: "Sign in", exact: true }).click();
  assert.equal(await entered(sofa), "password and a second factor");

  const devtools = await sofa.context().newCDPSession(sofa);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await sofa.goto(at("/account"));
  await sofa.getByRole("button", { name: "Add a passkey" }).click();
  await part(sofa, "Second factors").getByText("passkey, added").waitFor();
  await sofa.getByRole("button", { name: "Rename passkey" }).click();
  await sofa.getByRole("dialog").getByLabel("What you call it").fill("laptop");
  await sofa.getByRole("button", { name: "Save" }).click();
  await part(sofa, "Second factors").getByText("laptop").waitFor();

  await signOut(sofa);
  await sofa.getByRole("button", { name: "Sign in with a passkey" }).click();
  assert.equal(await entered(sofa), "passkey and a second factor");
  await signOut(sofa);
  await byPassword(sofa);
  await sofa.getByRole("button", { name: "Use a passkey" }).click();
  assert.equal(await entered(sofa), "password and a second factor");

  await sofa.goto(at("/account"));
  const before = await sessionCookie(sofa);
  await part(sofa, "Second factor, now").getByRole("button", { name: "Use a passkey" }).click();
  await sofa.waitForResponse((response) => response.url().endsWith("/sign-ins") && response.ok());
  const renewed = await sessionCookie(sofa);
  assert.ok(before !== undefined && renewed !== undefined && before !== renewed);
  const old = await fetch(at("/api/v1/me"), { headers: { authorization: `Bearer ${before}` } });
  assert.equal(old.status, 401, "what the session was known by before is worth nothing");

  await desk.reload();
  const signedIn = part(desk, "Signed in");
  await signedIn.getByText("this one").waitFor();
  assert.match(await signedIn.innerText(), /password\s+127\.0\.0\.1/);
  await signedIn.getByRole("button", { name: "End all others" }).click();
  await signedIn.getByRole("button", { name: "End all others" }).waitFor({ state: "detached" });
  await sofa.reload();
  await sofa.waitForURL(/\/sign-in/);
  assert.equal((await command(["sign-ins", "ls"], "")).code, 3);
  assert.notEqual((await certified()).code, 0, "the certificate ended with its sign-in");

  // From a pipe the second factor is the second line.
  const piped = await command(
    ["login", gateway.web, "--user", "ann", "--no-certificate"],
    `${password}\n${codes[1]}\n`,
  );
  assert.equal(piped.code, 0, piped.stderr);
  const listed = await command(["sign-ins", "ls", "--json"], "");
  assert.deepEqual(
    (JSON.parse(listed.stdout.toString()) as { method: string; current: boolean }[])
      .map(({ method, current }) => [method, current])
      .toSorted(),
    [
      ["link", false],
      ["password", true],
    ],
  );
  await gateway.admin.factors.reset(person.id);
  assert.equal((await command(["sign-ins", "ls"], "")).code, 3, "a reset ends all sign-ins");
  await desk.goto(await link());
  assert.equal(await entered(desk), "link");

  const events = async (event: string) =>
    (await gateway.admin.audit.list({ event, limit: 100 })).items
      .toReversed()
      .map(({ user, success, fields }) => [
        user,
        success,
        fields["mfa_device_name"] ?? fields["left"] ?? null,
      ]);
  assert.deepEqual(await events("mfa.add"), [
    ["ann", true, "my phone"],
    ["ann", true, "passkey"],
  ]);
  assert.deepEqual(await events("mfa.delete"), [
    ["local-administrator", true, "my phone"],
    ["local-administrator", true, "laptop"],
  ]);
  assert.deepEqual(await events("recovery_code.used"), [
    ["ann", true, 9],
    ["ann", false, 9],
    ["ann", true, 8],
  ]);
  assert.deepEqual(
    (await events("mfa_auth_challenge.validate")).map(([, success]) => success),
    [true, false, true],
  );
  const log = JSON.stringify(await gateway.admin.audit.list({ limit: 200 })) + gateway.output() + sshd.host;
  for (const one of [secret, password, ...codes, ...codes.map((code) => code.replaceAll("-", ""))])
    assert.ok(!log.includes(one), "a secret in the log");
});
