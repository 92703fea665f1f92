/**
 * After real use, with every kind of secret: none stands in the log, the audit events, the answers, or in any file but those
 * that hold keys; also what was typed and shown in a session, which is encrypted wherever it rests.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { createClient, everyPage } from "@gatehouse/contracts/client";
import type { AuditEvent } from "@gatehouse/contracts/rest";
import { isGatehouseError, systemRandom } from "@gatehouse/kernel";
import pg from "pg";
import { generateKey, writePrivateKey } from "../../../packages/gateway/src/protocols/ssh/keys/mod.ts";
import type { AccessStage } from "../../parts/access-stage.ts";
import { awaitEvents, awaitStored } from "../../parts/sessions.ts";

const made = (name: string) => `${name.replaceAll(/\W/g, "-")}-${randomBytes(12).toString("base64url")}`;
/** What an operator gives the gateway before it starts. */
export const given = {
  clientSecret: made("client-secret"),
  keyServiceToken: made("vault-token"),
  storeKey: made("store-key"),
};

/** An identity provider that takes no client's secret, and says what it was shown. */
export async function startUnwillingProvider(port: number) {
  const issuer = `http://127.0.0.1:${port}`;
  const server = createServer((request, response) => {
    const isDiscovery = request.url?.startsWith("/.well-known/") === true;
    response.writeHead(isDiscovery ? 200 : 401, { "content-type": "application/json" });
    const authorization = Buffer.from(
      request.headers.authorization?.split(" ")[1] ?? "",
      "base64",
    ).toString();
    const refusal = { error: "invalid_client", error_description: `${authorization} is no client` };
    const metadata = {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
    };
    response.end(JSON.stringify(isDiscovery ? metadata : refusal));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { issuer, close: () => server.close() };
}

export function lookForSecrets(stage: AccessStage): void {
  const { gateway, secrets, anns, as, ids, tokens } = stage;
  const { admin, web, dataDir } = gateway;
  const secret = (name: string, value = made(name)) => {
    secrets.add(name, value);
    return value;
  };
  /** All that was answered, and all that was printed at the other end. */
  const told: string[] = [];
  async function send(method: string, path: string, body: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${web}/api/v1${path}`, {
      method,
      redirect: "manual",
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { response, text };
  }
  /** Sends what fails, and keeps what is said of it. */
  async function fails(...asked: Parameters<typeof send>): Promise<void> {
    const { response, text } = await send(...asked);
    assert.ok(response.status >= 400, `${asked[1]} answers ${response.status}`);
    told.push(text, JSON.stringify([...response.headers]));
  }
  const rejected = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => assert.fail("it was let through"),
      (reason: unknown) => reason,
    );
    told.push(String(error), JSON.stringify(isGatehouseError(error) ? [error.hint, error.details] : error));
  };
  const bearing = { authorization: `Bearer ${tokens["platform-admin"]}` };

  async function signIns(): Promise<void> {
    const password = secret("a password");
    const wrong = secret("a wrong password");
    await as.lea.accounts.setPassword({ password });
    await as.ann.accounts.setPassword({ password });
    await fails("POST", "/auth/password", { name: "one-lea", password: wrong });
    await fails("POST", "/auth/password", { name: wrong, password });
    await fails("POST", "/auth/password", { name: "one-lea", password: { wrong } });
    const entered = await send("POST", "/auth/password", { name: "one-lea", password });
    const [cookie = ""] = entered.response.headers.getSetCookie();
    const session = secret("a web session", /^gatehouse=([^;]+)/.exec(cookie)?.[1]);
    const { text } = await send("POST", "/auth/password", { name: "ann", password });
    const { ticket } = JSON.parse(text) as { ticket: string };
    secret("a ticket between two steps", ticket);
    await fails("POST", "/auth/second-factor", { ticket, code: secret("a wrong code", "WRONG-CODE7") });
    await rejected(
      createClient({ baseUrl: web, token: session }).accounts.setPassword({
        password: "short",
        current: wrong,
      }),
    );

    const link = secret(
      "a link's token",
      new URL((await admin.people.signInLink(ids.user)).url).hash.split("=")[1],
    );
    await fails("POST", `/auth/link?${new URLSearchParams({ token: link })}`, { wrong: link });
    await send("POST", "/auth/link", { token: link });
    await fails("POST", "/auth/link", { token: link });

    const verifier = secret("a command's secret", randomBytes(32).toString("base64url"));
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const asked = await send("POST", "/auth/command", { challenge, client: "laptop" });
    const { id, userCode } = JSON.parse(asked.text) as { id: string; userCode: string };
    await fails("POST", "/auth/command/token", { id: anns["personId"], verifier });
    const own = { cookie: `gatehouse=${session}`, "sec-fetch-site": "same-origin" };
    await send("POST", "/command-sign-in/answer", { code: userCode, approve: true }, own);
    const fetched = await send("POST", "/auth/command/token", { id, verifier });
    secret("a command's session", (JSON.parse(fetched.text) as { token?: string }).token ?? session);

    const begun = await send("GET", "/auth/oidc", undefined);
    const state = new URL(begun.response.headers.get("location") ?? "").searchParams.get("state") ?? "";
    const browser = begun.response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    secret("the state of a sign-in", state);
    secret("a browser's own secret", browser.split("=")[1]);
    const query = new URLSearchParams({ code: secret("a provider's code"), state });
    const back = await send("GET", `/auth/oidc/callback?${query}`, undefined, { cookie: browser });
    assert.equal(back.response.headers.get("location"), "/sign-in#provider=denied");
    const token = secret("a token that is none");
    await fails("GET", "/me", undefined, { authorization: `Bearer ${token}` });
    const call = stage.grpc.call("gatehouse.v1.AuditService", "ListAuditEvents", {}, { token });
    told.push(JSON.stringify(await call.ended));
  }

  async function targets(): Promise<void> {
    const { targetId = "", login = "" } = anns;
    await admin.targets.update(targetId, { allowUsers: ["ann"] });
    const credential = `/targets/${targetId}/logins/${login}/credential`;
    const password = secret("a target's password");
    await admin.targets.setCredential(targetId, login, { kind: "password", password });
    const address = stage.address.replace("web-01", "db-01");
    const ran = await stage.ssh([address, "true"]);
    const pem = writePrivateKey(generateKey("ed25519"), { random: systemRandom });
    for (const line of pem.split("\n").filter((text) => text.length >= 32 && !text.startsWith("-----")))
      // The first lines say what kind of key it is, as every such key does.
      if (!line.startsWith("b3BlbnNzaC1rZXktdjE")) secret("a target's private key", line);
    await admin.targets.setCredential(targetId, login, { kind: "private-key", privateKey: pem });
    const again = await stage.ssh([address, "true"]);
    assert.deepEqual([ran.code, again.code], [255, 255], "this sshd takes neither");
    told.push(ran.stderr, again.stderr);
    const garbage = secret("what is no key");
    await fails("PUT", credential, { kind: "private-key", privateKey: garbage }, bearing);
    await fails(
      "PUT",
      credential,
      { kind: "private-key", privateKey: pem, passphrase: garbage.repeat(300) },
      bearing,
    );
    await fails("PUT", credential, { kind: "password", password: { garbage } }, bearing);
    await fails("PUT", credential, { kind: garbage, password }, bearing);
    told.push(JSON.stringify(await admin.targets.get(targetId)));

    const database = await admin.targets.create({
      name: "orders",
      protocol: "postgres",
      host: "127.0.0.1",
      port: 1,
      logins: ["app"],
      allowUsers: ["one-auditor"],
    });
    await admin.targets.setCredential(database.id, "app", { kind: "password", password });
    const { url } = await admin.people.signInLink(ids["security-analyst"]);
    told.push(url.split("#")[0] ?? "");
    secret("an unused link's token", url.split("=")[1]);
    const way = await as.auditor.targets.openConnection(database.id, "app");
    secret("a connection secret", way.password);
    for (const [user, shown] of [
      [way.user, way.password],
      [`other+orders`, way.password],
      [way.user, secret("a wrong connection secret")],
    ] as const) {
      const { host, port, certificate: ca } = way;
      const client = new pg.Client({ host, port, user, password: shown, database: "app", ssl: { ca } });
      client.on("error", () => undefined);
      await rejected(client.connect());
    }
  }

  async function session(): Promise<void> {
    const typed = secret("what was typed");
    const shown = secret("what was shown");
    const ran = await stage.ssh([stage.address, `read line; printf '%s' ${shown.split("-").join("'-'")}`], {
      input: `${typed}\n`,
    });
    assert.equal(ran.stdout.toString(), shown);
    await awaitStored(gateway, ({ command }) => command?.startsWith("read line") === true);
  }

  test("no secret stands where it must not: log, audit events, answers, database, journal, spool, store", async () => {
    for (const [name, value] of Object.entries(given)) secret(name, value);
    await signIns();
    await targets();
    await session();
    await awaitEvents(gateway, { event: "credential.create" }, 3);
    const keys = join(dataDir, "keys");
    for (const file of readdirSync(keys))
      for (const line of privateLines(readFileSync(join(keys, file), "utf8")))
        if (line.length >= 32 && !/^-----|^b3BlbnNzaC1rZXktdjE/.test(line) && !file.endsWith(".pub"))
          secrets.add(`the key ${file}`, line);

    const events: AuditEvent[] = [];
    const page = (cursor: string | undefined) => admin.audit.list({ limit: 200, ...(cursor && { cursor }) });
    for await (const event of everyPage(page)) events.push(event);
    assert.ok(events.length > 30, `${events.length} events`);
    const wrong = {
      log: secrets.in(gateway.output()),
      events: events.flatMap((event) =>
        secrets.in(JSON.stringify(event)).map((name) => `${name} in ${event.event}`),
      ),
      answers: told.flatMap((text) => secrets.in(text).map((name) => `${name} in ${text.slice(0, 300)}`)),
      // What the test itself put there: keys of people, and the client's own code.
      files: secrets.below(dataDir, (path) => /^keys\/|\.key$|^grpc-python\//.test(path)),
    };
    assert.deepEqual(wrong, { log: [], events: [], answers: [], files: [] });
    const canary = events[0]?.uid ?? "";
    secrets.add("what is there", canary);
    assert.ok(
      secrets.below(dataDir, (path) => !path.startsWith("gatehouse.db")).length > 0,
      "it would be found",
    );
  });
}

/** Certificates are for everybody; they stand in one file with their key where programs want that. */
function privateLines(text: string): string[] {
  return text.replaceAll(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g, "").split("\n");
}
