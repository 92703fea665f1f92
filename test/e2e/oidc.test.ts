/** Single sign-on: a real OpenID provider as its own process and Chromium, and a provider that lies. */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { freePort } from "../parts/free-port.ts";
import { type Gateway, startGateway } from "../parts/gateway.ts";
import { type Provider, issuerAt, startProvider } from "../parts/oidc-provider.ts";
import { awaitEvents } from "../parts/sessions.ts";
import { openBrowser } from "../parts/web.ts";

const clientSecret = randomBytes(24).toString("hex");
const callbackPath = "/api/v1/auth/oidc/callback";

let browser: Awaited<ReturnType<typeof openBrowser>>;
let gateway: Gateway;
let provider: Provider;
let dataDir: string;

async function startGate(issuer: string, oidc: object = {}): Promise<Gateway> {
  dataDir = mkdtempSync(join(tmpdir(), "gatehouse-oidc-"));
  mkdirSync(join(dataDir, "keys"), { mode: 0o700 });
  writeFileSync(join(dataDir, "keys", "oidc_client_secret"), `${clientSecret}\n`, { mode: 0o600 });
  return startGateway({
    dataDir,
    config: {
      oidc: { issuer, client_secret: "oidc_client_secret", name: "Example SSO", create: "grouped", ...oidc },
    },
  });
}

before(async () => {
  browser = await openBrowser();
  const port = await freePort();
  // The gate starts while its provider is down, and finds it when somebody signs in.
  gateway = await startGate(issuerAt(port), {
    roles: { auditors: ["auditor"] },
    teams: { crew: ["web"] },
    team_leads: { leads: ["web"] },
  });
  await gateway.admin.teams.create({ name: "web" });
  provider = await startProvider({
    port,
    client: {
      id: "gatehouse",
      secret: clientSecret,
      redirectUri: `${gateway.web}${callbackPath}`,
      signedOutUri: `${gateway.web}/sign-in`,
    },
    accounts: {
      ann: { email: "ann@example.com", email_verified: true, name: "Ann Lind", groups: ["auditors", "crew"] },
      una: { email: "una@example.com", email_verified: false, name: "Una", groups: ["auditors"] },
      bob: { email: "bob@example.com", email_verified: true, name: "Bob", groups: ["others"] },
    },
  });
});
after(async () => {
  await browser?.close();
  await provider?.close();
  await gateway?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function signInAtProvider(page: Page, login: string): Promise<void> {
  await page.getByRole("link", { name: "Sign in with Example SSO" }).click();
  await page.getByPlaceholder("Enter any login").fill(login);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}
const lastLogin = async (count: number) =>
  (await awaitEvents(gateway, { event: "user.login" }, count)).at(-1);
const logins = async () => (await gateway.admin.audit.list({ event: "user.login", limit: 200 })).items.length;

test("the button leads to the provider and back to where somebody wanted to go, with roles and teams of their groups", async () => {
  const { page } = await browser.open();
  await page.goto(`${gateway.web}/audit?event=user.create`);
  await page.waitForURL(/\/sign-in/);
  await signInAtProvider(page, "ann");
  await page.waitForURL(`${gateway.web}/audit?event=user.create`);
  const me = await page.evaluate(async () => (await fetch("/api/v1/me")).json() as Promise<unknown>);
  const { name, roles, id } = me as { name: string; roles: string[]; id: string };
  assert.deepEqual([name, roles.toSorted()], ["ann@example.com", ["auditor", "user"]]);
  const person = await gateway.admin.people.get(id);
  assert.equal(person.displayName, "Ann Lind");
  const [team] = (await gateway.admin.teams.list()).items;
  assert.deepEqual(
    team?.members.map((member) => [member.name, member.leads]),
    [["ann@example.com", false]],
  );
  const event = await lastLogin(1);
  assert.deepEqual([event?.user, event?.success, event?.fields["method"]], ["ann@example.com", true, "oidc"]);

  // Signing out here signs out there, and comes back.
  await page.getByRole("button", { name: "Sign out" }).first().click();
  // It shows which session it means; that it is meant the provider still asks, so nobody is signed out by a link.
  await page.waitForURL(/^http:\/\/localhost:\d+\/session\/end\?.*id_token_hint=/);
  await page.getByRole("button", { name: /yes, sign me out/i }).click();
  await page.waitForURL(`${gateway.web}/sign-in`);
  await page.getByRole("link", { name: "Sign in with Example SSO" }).click();
  await page.getByPlaceholder("Enter any login").waitFor();
});

test("a second sign-in is the same person; what was changed by hand goes back to what the groups give", async () => {
  const { items } = await gateway.admin.people.list({ q: "ann@example.com" });
  const id = items[0]?.id ?? "";
  await gateway.admin.people.update(id, { roles: ["platform-admin"] });
  const { page } = await browser.open();
  await page.goto(`${gateway.web}/sign-in`);
  await signInAtProvider(page, "ann");
  await page.waitForURL(`${gateway.web}/sessions`);
  assert.deepEqual((await gateway.admin.people.get(id)).roles.toSorted(), ["auditor", "user"]);
  await gateway.admin.people.update(id, { disabled: true });
  const other = await browser.open();
  await other.page.goto(`${gateway.web}/sign-in`);
  const before = await logins();
  await signInAtProvider(other.page, "ann");
  await other.page.getByRole("alert").waitFor();
  assert.match(String((await lastLogin(before + 1))?.fields["error"]), /ann@example\.com is shut out/);
  await gateway.admin.people.update(id, { disabled: false });
});

test("an address that is not verified, and somebody in no group that counts, stay outside", async () => {
  for (const [login, reason] of [
    ["una", /has not verified the address/],
    ["bob", /bob@example\.com is nobody here/],
  ] as const) {
    const { page } = await browser.open();
    await page.goto(`${gateway.web}/sign-in`);
    const before = await logins();
    await signInAtProvider(page, login);
    await page.getByRole("alert").getByText("do not let you in").waitFor();
    const event = await lastLogin(before + 1);
    assert.deepEqual([event?.user, event?.success], ["unknown", false]);
    assert.match(String(event?.fields["error"]), reason);
  }
  const { items } = await gateway.admin.people.list({ q: "example.com" });
  assert.deepEqual(
    items.map(({ name }) => name),
    ["ann@example.com"],
  );
});

/** A provider that answers whatever the test says, with signatures of its own. */
async function liar() {
  const [pair, another] = [1, 2].map(() => generateKeyPairSync("rsa", { modulusLength: 2048 }));
  assert.ok(pair && another);
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const say: {
    claims: Record<string, unknown>;
    forged: boolean;
    rotated: boolean;
    exchanges: number;
    challenge: string;
  } = {
    claims: {},
    forged: false,
    rotated: false,
    exchanges: 0,
    challenge: "",
  };
  const answers: Record<string, () => object> = {
    "/.well-known/openid-configuration": () => ({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      id_token_signing_alg_values_supported: ["RS256"],
    }),
    "/jwks": () => ({
      keys: [
        {
          ...(say.rotated ? another : pair).publicKey.export({ format: "jwk" }),
          kid: say.rotated ? "2" : "1",
          alg: "RS256",
          use: "sig",
        },
      ],
    }),
    "/token": () => {
      say.exchanges++;
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: issuer,
        aud: "gatehouse",
        sub: "mallory",
        iat: now,
        exp: now + 60,
        email: "mallory@example.com",
        email_verified: true,
        ...say.claims,
      };
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const signed = `${part({ alg: "RS256", kid: say.rotated ? "2" : "1" })}.${part(claims)}`;
      const signer = say.forged === say.rotated ? pair : another;
      const signature = sign("sha256", Buffer.from(signed), signer.privateKey);
      return {
        access_token: "a",
        token_type: "Bearer",
        id_token: `${signed}.${signature.toString("base64url")}`,
      };
    },
  };
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const verifier = new URLSearchParams(body).get("code_verifier");
      if (verifier !== null)
        assert.equal(createHash("sha256").update(verifier).digest("base64url"), say.challenge);
      const answer = answers[request.url ?? ""];
      response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(answer?.() ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { issuer, say, close: () => server.close() };
}

test("an answer with another issuer, nonce, audience, signature or time, a used state and another browser are refused", async () => {
  const fake = await liar();
  const own = dataDir;
  const gate = await startGate(fake.issuer, { create: "anybody" });
  const there = gate.dataDir;
  try {
    const get = (url: string, cookie = "") => fetch(url, { redirect: "manual", headers: { cookie } });
    const begin = async () => {
      const answer = await get(`${gate.web}/api/v1/auth/oidc`);
      const at = new URL(answer.headers.get("location") ?? "");
      assert.equal(at.searchParams.get("code_challenge_method"), "S256");
      fake.say.challenge = at.searchParams.get("code_challenge") ?? "";
      const [set = ""] = answer.headers.getSetCookie();
      assert.match(set, /HttpOnly; SameSite=Lax/);
      const state = at.searchParams.get("state") ?? "";
      return {
        nonce: at.searchParams.get("nonce") ?? "",
        cookie: set.split(";")[0] ?? "",
        callback: `${gate.web}${callbackPath}?code=c&state=${state}`,
      };
    };
    const finish = async (callback: string, cookie: string) => {
      const answer = await get(callback, cookie);
      const session = answer.headers.getSetCookie().some((line) => /^gatehouse=[^;]/.test(line));
      return { to: answer.headers.get("location"), session };
    };
    const reasons = async () =>
      String(
        (await gate.admin.audit.list({ event: "user.login", limit: 1 })).items[0]?.fields["error"] ?? "",
      );

    const lies: [string, Record<string, unknown>, RegExp][] = [
      ["issuer", { iss: "http://127.0.0.1:1" }, /"iss"/],
      ["nonce", { nonce: "another" }, /"nonce"/],
      ["no nonce", { nonce: undefined }, /nonce/],
      ["audience", { aud: "another" }, /"aud"/],
      ["time", { exp: 1 }, /"exp"/],
      ["no subject", { sub: undefined }, /"sub"/],
    ];
    for (const [what, claims, reason] of lies) {
      const { callback, cookie, nonce } = await begin();
      fake.say.claims = { nonce, ...claims };
      assert.deepEqual(
        await finish(callback, cookie),
        { to: "/sign-in#provider=denied", session: false },
        what,
      );
      assert.match(await reasons(), reason, what);
    }
    const forged = await begin();
    fake.say.claims = { nonce: forged.nonce };
    fake.say.forged = true;
    assert.equal((await finish(forged.callback, forged.cookie)).to, "/sign-in#provider=denied");
    assert.match(await reasons(), /signature/);
    fake.say.forged = false;

    const strange = await begin();
    const exchanges = fake.say.exchanges;
    for (const cookie of ["", (await begin()).cookie])
      assert.deepEqual(await finish(strange.callback, cookie), {
        to: "/sign-in#provider=unauthenticated",
        session: false,
      });
    assert.equal(fake.say.exchanges, exchanges, "the code was not even shown to the provider");

    const { callback, cookie, nonce } = await begin();
    fake.say.claims = { nonce };
    assert.deepEqual(await finish(callback, cookie), { to: "/sign-in#provider=done", session: true });
    assert.deepEqual(
      await finish(callback, cookie),
      { to: "/sign-in#provider=unauthenticated", session: false },
      "a state is good once",
    );
    fake.say.rotated = true;
    const rotated = await begin();
    fake.say.claims = { nonce: rotated.nonce };
    assert.deepEqual(
      await finish(rotated.callback, rotated.cookie),
      { to: "/sign-in#provider=done", session: true },
      "a provider's new key is asked for",
    );
    fake.close();
    const [admin] = (await gate.admin.people.list({ q: "mallory" })).items;
    assert.equal(admin?.name, "mallory@example.com");
  } finally {
    fake.close();
    await gate.close();
    rmSync(there, { recursive: true, force: true });
    dataDir = own;
  }
});
