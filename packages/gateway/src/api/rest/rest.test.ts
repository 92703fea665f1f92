import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import { createClient, everyPage } from "@gatehouse/contracts/client";
import { type Problem, type Session, type WireFrame, watermarkHeader } from "@gatehouse/contracts/rest";
import { unixFetch } from "@gatehouse/contracts/unix-fetch";
import { isGatehouseError, systemClock, systemRandom } from "@gatehouse/kernel";
import { type App, createApp } from "./app.ts";
import { type RestServer, startRest } from "./mod.ts";
import { type MemoryGate, memoryGate } from "./testing/memory-doors.ts";
import { samplePeople } from "./testing/sample-sessions.ts";

let gate: MemoryGate;
let server: RestServer;
let folder: string;
const options = () => ({
  doors: gate.doors,
  gateway: { id: "gate-1", version: "0.1.0" },
  clock: systemClock,
  random: systemRandom,
});

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-rest-"));
  gate = memoryGate(systemClock);
  server = await startRest({
    ...options(),
    web: { host: "127.0.0.1", port: 0 },
    adminSocketPath: join(folder, "admin.sock"),
    signInsPerMinuteMax: 1000,
  });
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A signed-in browser, as far as HTTP is concerned: the cookie, and saying that it is our own page. */
async function signedIn(name: keyof typeof samplePeople) {
  const response = await fetch(`${server.url}/api/v1/auth/link`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: gate.link(name) }),
  });
  assert.equal(response.status, 200);
  const cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  return createClient({
    baseUrl: server.url,
    fetch: (url, init) =>
      fetch(url, {
        ...init,
        headers: { ...(init.headers as Record<string, string>), cookie, "sec-fetch-site": "same-origin" },
      }),
  });
}
const admin = () => createClient({ baseUrl: "http://admin", fetch: unixFetch(join(folder, "admin.sock")) });

async function gather<T>(all: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const one of all) out.push(one);
  return out;
}
const problemOf = async (response: Response) => (await response.json()) as Problem;

test("a route that declares no access stops the start", async () => {
  const app = await createApp({ ...options(), listener: "web" });
  app.get("/api/v1/forgotten", () => "secrets");
  await assert.rejects(async () => app.ready(), /GET \/api\/v1\/forgotten declares no access/);
  await app.close();
});

/** Every route with its method and the access that it declares, as the OpenAPI document has it. */
function routesOf(app: App): { method: string; url: string; access: string | undefined }[] {
  const document = app.swagger() as {
    paths?: Record<string, Record<string, { "x-access"?: string }>>;
  };
  return Object.entries(document.paths ?? {}).flatMap(([url, methods]) =>
    Object.entries(methods).map(([method, route]) => ({
      method: method.toUpperCase(),
      url,
      access: route["x-access"],
    })),
  );
}

test("nobody gets nothing: every route but the public ones refuses one who is not signed in", async () => {
  const app = await createApp({ ...options(), listener: "web" });
  await app.ready();
  const routes = routesOf(app);
  assert.ok(routes.length >= 30, `${routes.length} routes were found`);
  const open: string[] = [];
  for (const { method, url } of routes) {
    const path = url.replaceAll(/\{[^}]+\}/g, samplePeople.jane.id);
    const answer = await app.inject({ method: method as "GET", url: path });
    if (answer.statusCode !== 401) open.push(`${method} ${url}`);
    else assert.match(String(answer.headers["content-type"]), /^application\/problem\+json/);
  }
  const declaredPublic = routes.filter(({ access }) => access === "public");
  assert.deepEqual(
    open,
    declaredPublic.map(({ method, url }) => `${method} ${url}`),
  );
  await app.close();
});

test("one with no role is refused all that needs one, and nothing is said of what is there", async () => {
  const jane = await signedIn("jane");
  const others = gate.samples.find((one) => one.session.user.id !== samplePeople.jane.id);
  assert.ok(others);
  const { id } = others.session;
  const calls: [string, () => Promise<unknown>][] = [
    ["audit", () => jane.audit.list()],
    ["audit verify", () => jane.audit.verify()],
    ["health", () => jane.health()],
    ["people", () => jane.people.list()],
    ["person", () => jane.people.get(samplePeople.sam.id)],
    ["create", () => jane.people.create({ name: "mallory", roles: ["platform-admin"] })],
    ["promote herself", () => jane.people.update(samplePeople.jane.id, { roles: ["platform-admin"] })],
    ["link for another", () => jane.people.signInLink(samplePeople.admin.id)],
    [
      "key for another",
      () => jane.people.addSshKey(samplePeople.admin.id, { publicKey: "ssh-ed25519 AAAA" }),
    ],
    ["target", () => jane.targets.create({ name: "x", host: "x", port: 22 })],
    ["credential", () => jane.targets.setCredential(samplePeople.jane.id, "root", { kind: "certificate" })],
    ["trust", () => jane.targets.trustHostKeys(samplePeople.jane.id, { kind: "pinned", keys: [] })],
    ["recording of another", () => jane.recordings.get(id)],
    ["frames of another", () => gather(jane.recordings.frames(id))],
    ["export of another", () => jane.recordings.export(id, "text")],
    ["verify of another", () => jane.recordings.verify(id)],
  ];
  for (const [what, call] of calls)
    await assert.rejects(call, (error) => isGatehouseError(error, "denied"), `${what} was not denied`);
  await assert.rejects(jane.sessions.get(id), (error) => isGatehouseError(error, "not_found"));
});

test("a link signs in once, its cookie is shut in, and signing out ends it", async () => {
  const token = gate.link("auditor");
  const exchange = () =>
    fetch(`${server.url}/api/v1/auth/link`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    });
  const first = await exchange();
  const set = first.headers.getSetCookie()[0] ?? "";
  assert.match(set, /^gatehouse=[0-9a-f-]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.equal(first.headers.get("cache-control"), "no-store");
  const second = await exchange();
  assert.equal(second.status, 401);
  const said = await problemOf(second);
  assert.equal(said.code, "unauthenticated");
  assert.match(said.hint ?? "", /gatehouse users link/);
  assert.equal(said.requestId, second.headers.get("x-request-id"));

  const otto = await signedIn("auditor");
  const me = await otto.auth.me();
  assert.deepEqual(
    {
      name: me.name,
      roles: me.roles,
      via: me.via,
      reads: me.may.includes("audit.read"),
      writes: me.may.includes("person.write"),
    },
    { name: "otto.auditor", roles: ["auditor"], via: "web", reads: true, writes: false },
  );
  await otto.auth.signOut();
  await assert.rejects(otto.auth.me(), (error) => isGatehouseError(error, "unauthenticated"));
});

test("over https the cookie is bound to the host", async () => {
  const app = await createApp({ ...options(), listener: "web", publicUrl: "https://gate.example" });
  const answer = await app.inject({
    method: "POST",
    url: "/api/v1/auth/link",
    payload: { token: gate.link("jane") },
  });
  assert.match(
    String(answer.headers["set-cookie"]),
    /^__Host-gatehouse=.*; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  );
  assert.equal(answer.headers["strict-transport-security"], "max-age=31536000");
  await app.close();
});

test("a change with a cookie must come from our own page", async () => {
  const app = await createApp({ ...options(), listener: "web" });
  const signIn = await app.inject({
    method: "POST",
    url: "/api/v1/auth/link",
    payload: { token: gate.link("admin") },
  });
  const cookie = String(signIn.headers["set-cookie"]).split(";")[0] ?? "";
  const create = (headers: Record<string, string>) =>
    app.inject({
      method: "POST",
      url: "/api/v1/people",
      payload: { name: `n${Math.random()}` },
      headers: { cookie, host: "gate.example", ...headers },
    });
  const outcomes: [Record<string, string>, number][] = [
    [{}, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ "sec-fetch-site": "none" }, 403],
    [{ origin: "https://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: "http://gate.example" }, 201],
    [{ "sec-fetch-site": "same-origin" }, 201],
    // What Sec-Fetch-Site says cannot be made up by a page, Origin can be right by chance of a proxy.
    [{ "sec-fetch-site": "cross-site", origin: "http://gate.example" }, 403],
  ];
  for (const [headers, status] of outcomes)
    assert.equal((await create(headers)).statusCode, status, JSON.stringify(headers));
  const forgedSignIn = await app.inject({
    method: "POST",
    url: "/api/v1/auth/link",
    payload: { token: gate.link("admin") },
    headers: { "sec-fetch-site": "cross-site" },
  });
  assert.equal(forgedSignIn.statusCode, 403);
  await app.close();
});

test("signing in is limited by address", async () => {
  const app = await createApp({ ...options(), listener: "web", signInsPerMinuteMax: 3 });
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++)
    statuses.push(
      (await app.inject({ method: "POST", url: "/api/v1/auth/link", payload: { token: "guess" } }))
        .statusCode,
    );
  assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
  const last = await app.inject({ method: "POST", url: "/api/v1/auth/link", payload: { token: "guess" } });
  assert.equal(last.json<Problem>().code, "rate_limited");
  await app.close();
});

test("the list pages by cursor, narrows by filter, and a person sees their own only", async () => {
  const otto = await signedIn("auditor");
  const all = await gather(
    everyPage<Session>((cursor) => otto.sessions.list({ limit: 50, ...(cursor ? { cursor } : {}) })),
  );
  assert.deepEqual(
    all.map((one) => one.id),
    gate.samples.map((one) => one.session.id),
  );
  const found = await otto.sessions.list({ user: "jane.doe", target: "web-01", kind: "sftp" });
  assert.deepEqual(
    found.items.map((one) => [one.user.name, one.target.name, one.kind]),
    [["jane.doe", "web-01", "sftp"]],
  );
  const jane = await signedIn("jane");
  const own = await jane.sessions.list({ limit: 200 });
  assert.deepEqual([...new Set(own.items.map((one) => one.user.name))], ["jane.doe"]);
  const narrowed = await jane.sessions.list({ user: "sam.ops" });
  assert.deepEqual(narrowed.items, []);
});

test("frames come as they are, whole or a window, compact or as lines", async () => {
  const otto = await signedIn("auditor");
  const sample = gate.samples[1];
  assert.ok(sample);
  const { id } = sample.session;
  const plain = (frames: WireFrame[]) =>
    frames.map((frame) => ({ ...frame, data: Buffer.from(frame.data).toString("latin1") }));
  assert.deepEqual(plain(await gather(otto.recordings.frames(id))), plain(sample.frames));

  const window = { fromUs: 5_000_000, toUs: 9_000_000 };
  const cut = await gather(otto.recordings.frames(id, window));
  assert.deepEqual(
    plain(cut),
    plain(sample.frames.filter((frame) => frame.timeUs >= window.fromUs && frame.timeUs < window.toUs)),
  );
  assert.ok(cut.length > 5);

  const response = await unixFetch(join(folder, "admin.sock"))(
    `http://admin/api/v1/recordings/${id}/frames`,
    { method: "GET" },
  );
  assert.equal(response.headers.get("content-type"), "application/x-ndjson");
  const lines = (await response.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { end?: boolean; data: string; seq: number });
  assert.deepEqual(lines.pop(), { end: true });
  assert.deepEqual(
    lines.map((line) => Buffer.from(line.data, "base64").toString("latin1")),
    plain(sample.frames).map((frame) => frame.data),
  );
  assert.ok(
    gate.audited.some(
      (one) => one.event === "recording.play" && one.user === "otto.auditor" && one.sessionId === id,
    ),
  );
});

test("a recording that breaks off says so instead of ending", async () => {
  const otto = await signedIn("auditor");
  const broken = gate.samples.find((one) => one.session.recording.state === "corrupt");
  assert.ok(broken);
  const seen: number[] = [];
  await assert.rejects(
    async () => {
      for await (const frame of otto.recordings.frames(broken.session.id)) seen.push(frame.seq);
    },
    (error) => isGatehouseError(error, "corrupt") && /segment 2/.test(error.message),
  );
  assert.ok(seen.length > 10, "what could be read was sent");
  const verified = await otto.recordings.verify(broken.session.id);
  assert.deepEqual([verified.ok, verified.firstFault], [false, "segment 2"]);
});

test("a slow reader holds the source back, and one that leaves ends it", async () => {
  let made = 0;
  const ended = Promise.withResolvers<void>();
  const frame = new Uint8Array(64 * 1024);
  const app = await createApp({
    ...options(),
    listener: "admin-socket",
    doors: {
      ...gate.doors,
      playback: {
        ...gate.doors.playback,
        watermark: async () => "ada · now",
        async frames() {
          return (async function* () {
            try {
              for (;;) yield { seq: made++, timeUs: made, kind: "output", stream: 0, data: frame };
            } finally {
              ended.resolve();
            }
          })();
        },
      },
    },
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const shown: Headers[] = [];
  const client = createClient({
    baseUrl: url,
    async fetch(address, init) {
      const response = await fetch(address, init);
      shown.push(response.headers);
      return response;
    },
  });
  const frames = client.recordings.frames(samplePeople.jane.id);
  for (let i = 0; i < 3; i++) await frames.next();
  // What the sockets' own buffers took is all that was made: the source does not run on by itself.
  let before = -1;
  while (before !== made) {
    before = made;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(made * frame.length < 64 * 1024 * 1024, `${made} frames were made ahead of the reader`);
  await frames.return(undefined);
  await ended.promise;
  assert.equal(decodeURIComponent(shown[0]?.get(watermarkHeader) ?? ""), "ada · now");
  await app.close();
});

test("an export has a name that cannot hurt, and its bytes", async () => {
  const otto = await signedIn("auditor");
  const sample = gate.samples[1];
  assert.ok(sample);
  const taken = await otto.recordings.export(sample.session.id, "asciicast");
  assert.equal(taken.fileName, `${sample.session.id}.asciicast`);
  const text = Buffer.concat(await gather(taken.chunks)).toString();
  assert.match(text, /^asciicast\n/);
  assert.match(text, /releases\/tmp-build/);
});

test("an export goes on where it broke off, as long as it is the same", async () => {
  const sample = gate.samples.find(({ session }) => session.state === "ended");
  const admin = unixFetch(join(folder, "admin.sock"));
  const ask = async (headers: Record<string, string>, format = "text") => {
    const path = `http://admin/api/v1/recordings/${sample?.session.id}/export?format=${format}`;
    const answer = await admin(path, { headers });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const whole = await ask({});
  const etag = whole.headers.get("etag") ?? "";
  const { length } = Buffer.from(whole.text);
  assert.deepEqual([whole.status, etag, whole.headers.get("accept-ranges")], [200, '"7-text"', "bytes"]);
  // A part of it would cost the whole of it.
  const film = await ask({ range: "bytes=0-3" }, "gif");
  assert.deepEqual([film.status, film.headers.get("accept-ranges")], [200, "none"]);
  assert.match(film.text, /^gif /);
  assert.equal((await ask({ "if-none-match": '"7-gif"' }, "gif")).status, 304);
  const parts: [headers: Record<string, string>, status: number, range: string | null, text: string][] = [
    [{ "if-none-match": `"x", ${etag}` }, 304, null, ""],
    [{ "if-none-match": '"x"' }, 200, null, whole.text],
    [{ range: "bytes=0-3" }, 206, `bytes 0-3/${length}`, "text"],
    [{ range: "bytes=2-20", "if-range": etag }, 206, `bytes 2-20/${length}`, whole.text.slice(2, 21)],
    [{ range: "bytes=3-" }, 206, `bytes 3-${length - 1}/${length}`, whole.text.slice(3)],
    [{ range: `bytes=-${length + 9}` }, 206, `bytes 0-${length - 1}/${length}`, whole.text],
    [{ range: "bytes=2-20", "if-range": '"7-json"' }, 200, null, whole.text],
    [{ range: "bytes=2-20", "if-range": `W/${etag}` }, 200, null, whole.text],
    [{ range: `bytes=${length}-` }, 416, `bytes */${length}`, ""],
    [{ range: "bytes=-0" }, 416, `bytes */${length}`, ""],
    [{ range: "bytes=4-2" }, 200, null, whole.text],
    [{ range: "bytes=0-1,4-5" }, 200, null, whole.text],
    [{ range: "lines=0-1" }, 200, null, whole.text],
  ];
  for (const [headers, status, range, text] of parts) {
    const part = await ask(headers);
    const got = [part.status, part.headers.get("content-range"), part.text];
    assert.deepEqual(got, [status, range, text], JSON.stringify(headers));
  }
});

test("errors are problems with a code, a hint and the fields at fault", async () => {
  const socket = unixFetch(join(folder, "admin.sock"));
  const post = (path: string, body: string) =>
    socket(`http://admin/api/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
  const bad = await post("/people", JSON.stringify({ name: "has space", rank: 1 }));
  assert.equal(bad.status, 400);
  assert.match(bad.headers.get("content-type") ?? "", /^application\/problem\+json/);
  const said = await problemOf(bad);
  assert.equal(said.code, "invalid");
  assert.deepEqual(said.fields?.map((field) => field.path).sort(), ["body", "name"]);

  assert.equal((await problemOf(await post("/people", "{"))).code, "invalid");
  const large = await post("/people", JSON.stringify({ name: "x".repeat(200_000) }));
  assert.deepEqual([large.status, (await problemOf(large)).code], [413, "too_large"]);
  const missing = await socket(`http://admin/api/v1/sessions/${samplePeople.jane.id}`, { method: "GET" });
  assert.deepEqual([missing.status, (await problemOf(missing)).code], [404, "not_found"]);
  const nowhere = await socket("http://admin/api/v1/nowhere", { method: "GET" });
  assert.deepEqual(
    [nowhere.status, (await problemOf(nowhere)).hint],
    [404, "All routes are listed at /api/docs."],
  );
  const twice = await admin().people.create({ name: "twice" });
  assert.equal(twice.name, "twice");
  await assert.rejects(admin().people.create({ name: "twice" }), (error) =>
    isGatehouseError(error, "conflict"),
  );
});

test("a fault of ours is told without its words", async () => {
  const app = await createApp({
    ...options(),
    listener: "admin-socket",
    doors: {
      ...gate.doors,
      health: {
        status: () => Promise.reject(new Error("SQLITE_CORRUPT: /var/lib/gatehouse/gatehouse.db")),
      },
    },
  });
  const answer = await app.inject({ url: "/api/v1/health" });
  assert.equal(answer.statusCode, 500);
  assert.doesNotMatch(answer.body, /SQLITE|gatehouse\.db/);
  assert.equal(answer.json<Problem>().code, "internal");
  await app.close();
});

test("the administrator's socket is for its owner, and needs no sign-in", async () => {
  assert.equal(statSync(join(folder, "admin.sock")).mode & 0o777, 0o600);
  const me = await admin().auth.me();
  assert.deepEqual([me.via, me.roles], ["admin-socket", ["platform-admin"]]);
  const link = await admin().people.signInLink(samplePeople.jane.id);
  assert.match(link.url, /\/sign-in#token=/);
});

test("a target is added, trusted and given a secret that never comes back", async () => {
  const client = admin();
  const made = await client.targets.create({
    name: "cache-01",
    host: "10.0.4.30",
    port: 22,
    logins: ["root"],
  });
  assert.equal(made.hostTrust.kind, "none");
  const scan = await client.targets.scanHostKeys(made.id);
  const trusted = await client.targets.trustHostKeys(made.id, {
    kind: "pinned",
    keys: scan.keys.map((key) => key.publicKey),
  });
  assert.equal(trusted.hostTrust.kind, "pinned");
  await client.targets.setCredential(made.id, "root", { kind: "password", password: "correct horse" });
  const after = await client.targets.get(made.id);
  assert.equal(after.logins[0]?.credential, "password");
  assert.doesNotMatch(JSON.stringify(after), /correct horse/);
  await client.targets.remove(made.id);
  await assert.rejects(client.targets.get(made.id), (error) => isGatehouseError(error, "not_found"));
});

test("every answer carries the headers that shut a page in, and JSON carries a tag", async () => {
  const response = await fetch(`${server.url}/api/v1/health/live`);
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self';/);
  assert.match(policy, /frame-ancestors 'none'/);
  for (const [name, value] of Object.entries({
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  }))
    assert.equal(response.headers.get(name), value);
  const tag = response.headers.get("etag") ?? "";
  const again = await fetch(`${server.url}/api/v1/health/live`, { headers: { "if-none-match": tag } });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
});

type Operation = { summary?: string; description?: string; tags?: string[]; security?: unknown[] };

test("the API describes itself, and its reference needs no other host", async () => {
  const document = (await (await fetch(`${server.url}/api/v1/openapi.json`)).json()) as {
    openapi: string;
    tags: { name: string }[];
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, unknown> };
  };
  assert.equal(document.openapi, "3.1.0");
  assert.ok(document.paths["/api/v1/recordings/{sessionId}/frames"]);
  const named = new Set(document.tags.map(({ name }) => name));
  for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
    const { summary, description = "", tags = [], security } = operation;
    assert.ok(summary, JSON.stringify(operation).slice(0, 200));
    assert.match(description, /(^|\n)(Needs `[a-z_.]+`.*|For everybody)\.$/, summary);
    assert.equal(description.endsWith("For everybody."), security?.length === 0, summary);
    assert.ok(tags.length > 0 && tags.every((tag) => named.has(tag)), `${summary}: ${tags.join()}`);
  }
  for (const name of ["Session", "Recording", "Problem", "Target", "Person", "AuditEvent", "Health"])
    assert.ok(document.components.schemas[name], `${name} has a name in the document`);

  const page = await fetch(`${server.url}/api/docs/`);
  const html = await page.text();
  assert.doesNotMatch(html, /https?:\/\/(?!127\.0\.0\.1|localhost)/);
  const script = /<script[^>]*src="([^"]+)"/.exec(html)?.[1] ?? "";
  const code = await fetch(new URL(script, `${server.url}/api/docs/`));
  assert.deepEqual(
    [code.status, code.headers.get("content-type")],
    [200, "application/javascript; charset=utf-8"],
  );
  assert.match(page.headers.get("content-security-policy") ?? "", /script-src 'self' 'sha256-/);
});

test("a port that is taken is said, and leaves nothing behind", async () => {
  const { port } = new URL(server.url);
  const socket = join(folder, "second.sock");
  await assert.rejects(
    startRest({ ...options(), web: { host: "127.0.0.1", port: Number(port) }, adminSocketPath: socket }),
    (error) => isGatehouseError(error, "unavailable") && error.message.includes(port),
  );
  assert.throws(() => statSync(socket), /ENOENT/);
});

test("with a certificate the web port speaks TLS, and nothing older than 1.2", async () => {
  const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "1",
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=IP:127.0.0.1",
      "-keyout",
      key,
      "-out",
      cert,
    ],
    { stdio: "ignore" },
  );
  const tls = { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  const secure = await startRest({
    ...options(),
    web: { host: "127.0.0.1", port: 0 },
    adminSocketPath: join(folder, "tls.sock"),
    tls,
  });
  try {
    assert.match(secure.url, /^https:/);
    const socket = connect({ host: "127.0.0.1", port: Number(new URL(secure.url).port), ca: tls.cert });
    await once(socket, "secureConnect");
    assert.ok(["TLSv1.2", "TLSv1.3"].includes(socket.getProtocol() ?? ""));
    socket.write("GET /api/v1/health/live HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\r\n");
    const answer = Buffer.concat(await gather(socket)).toString();
    assert.match(answer, /^HTTP\/1\.1 200/);
    assert.match(answer, /strict-transport-security: max-age=31536000/);
    const old = connect({
      host: "127.0.0.1",
      port: Number(new URL(secure.url).port),
      ca: tls.cert,
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    await assert.rejects(once(old, "secureConnect"));
  } finally {
    await secure.close();
  }
});

test("events of a session: all for the auditor; for its person without who watched; for a stranger there is no session", async () => {
  const incident = gate.samples.find((one) => one.name === "incident")?.session.id ?? "";
  const namesFor = async (name: keyof typeof samplePeople) => {
    const { items } = await (await signedIn(name)).sessions.events(incident);
    return items.toReversed().map(({ event, atUs }) => [event, atUs]);
  };
  const own = (await namesFor("jane")).map(([event]) => event);
  assert.deepEqual(own, ["session.start", "session.join", "session.leave", "session.end"]);
  const all = await namesFor("auditor");
  assert.deepEqual(
    all.map(([event]) => event),
    [...own, "session.recording.access"],
  );
  assert.deepEqual(all[1], ["session.join", 75_000_000]);
  assert.deepEqual(all[4], ["session.recording.access", null]);
  const strangers = gate.samples.find(({ session }) => session.user.id !== samplePeople.jane.id);
  await assert.rejects((await signedIn("jane")).sessions.events(strangers?.session.id ?? ""), (error) =>
    isGatehouseError(error, "not_found"),
  );
});

test("the pages are served with what a browser may keep, and every address of theirs is a page", async () => {
  const pages = mkdtempSync(join(tmpdir(), "gatehouse-pages-"));
  mkdirSync(join(pages, "assets"));
  writeFileSync(join(pages, "index.html"), "<!doctype html><title>pages</title>");
  writeFileSync(join(pages, "assets/app-1a2b.js"), "export {};");
  const app = await createApp({ ...options(), listener: "web", pagesFolder: pages });
  try {
    const page = { accept: "text/html" };
    for (const url of ["/", "/sessions", "/sessions/0199", "/sign-in"]) {
      const answer = await app.inject({ url, headers: page });
      assert.deepEqual([answer.statusCode, answer.headers["cache-control"]], [200, "no-cache"], url);
      assert.match(answer.body, /<title>pages/);
    }
    const asset = await app.inject({ url: "/assets/app-1a2b.js" });
    assert.equal(asset.headers["cache-control"], "public, max-age=31536000, immutable");
    for (const url of [
      "/assets/gone-9f.js",
      "/api/v1/gone",
      "/api/gone",
      "/../package.json",
      "/%2e%2e/package.json",
    ]) {
      const answer = await app.inject({
        url,
        headers: url.startsWith("/assets") || url.startsWith("/api") ? page : {},
      });
      assert.equal(answer.statusCode, 404, url);
      assert.match(String(answer.headers["content-type"]), /problem\+json/);
    }
    assert.equal((await app.inject({ method: "POST", url: "/sessions", headers: page })).statusCode, 404);
  } finally {
    await app.close();
    rmSync(pages, { recursive: true, force: true });
  }
});
