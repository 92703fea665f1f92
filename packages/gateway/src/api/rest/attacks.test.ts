/** What somebody tries who writes requests by hand: nothing here goes through a client that would put it right. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { type App, createApp } from "./app.ts";
import { type MemoryGate, memoryGate } from "./testing/memory-doors.ts";

let folder: string;
let gate: MemoryGate;
let app: App;
let port: number;
const options = () => ({
  doors: gate.doors,
  listener: "web" as const,
  gateway: { id: "gate-1", version: "0.1.0" },
  pagesFolder: join(folder, "pages"),
  signInsPerMinuteMax: 1000,
  requestMsMax: 300,
  clock: systemClock,
  random: systemRandom,
});
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-attacks-"));
  mkdirSync(join(folder, "pages/assets"), { recursive: true });
  writeFileSync(join(folder, "secret.txt"), "not to be seen");
  writeFileSync(join(folder, "pages/index.html"), "<!doctype html><title>pages</title>");
  writeFileSync(join(folder, "pages/assets/app.js"), "export {};");
  gate = memoryGate(systemClock);
  app = await createApp(options());
  port = Number(new URL(await app.listen({ host: "127.0.0.1", port: 0 })).port);
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Writes the bytes as they are, and gives all that comes back until the other side closes. */
function raw(text: string, { ends = true } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" || error.code === "EPIPE" ? resolve(answer) : reject(error),
    );
    socket.on("close", () => resolve(answer));
    socket.write(Buffer.from(text, "latin1"));
    if (!ends) socket.write("x");
  });
}
const get = (target: string, more = "") =>
  raw(`GET ${target} HTTP/1.1\r\nhost: gate.example\r\nconnection: close\r\n${more}\r\n`);
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const signIn = (to: App, headers: Record<string, string> = {}) =>
  to.inject({
    method: "POST",
    url: "/api/v1/auth/link",
    payload: { token: gate.link("jane") },
    headers,
  });
const cookieOf = (answer: { headers: Record<string, unknown> }) =>
  String(answer.headers["set-cookie"]).split(";")[0] ?? "";

test("a session that was fixed beforehand is not the one that begins", async () => {
  const fixed = "gatehouse=0123456789abcdef";
  const [first, second] = [cookieOf(await signIn(app, { cookie: fixed })), cookieOf(await signIn(app))];
  assert.match(first, /^gatehouse=[0-9a-f-]{36}$/);
  assert.equal(new Set([fixed, first, second]).size, 3);
  const me = (cookie: string) => app.inject({ url: "/api/v1/me", headers: { cookie } });
  assert.equal((await me(fixed)).statusCode, 401);
  // Of two of one name the first counts; neither of them is made good by the other.
  assert.equal((await me(`${fixed}; ${first}`)).statusCode, 401);
  await app.inject({
    method: "POST",
    url: "/api/v1/auth/logout",
    headers: { cookie: first, "sec-fetch-site": "same-origin" },
  });
  assert.deepEqual([(await me(first)).statusCode, (await me(second)).statusCode], [401, 200]);
});

test("over https only the cookie counts that no other host could have set", async () => {
  const secure = await createApp({ ...options(), publicUrl: "https://gate.example" });
  const [, token = ""] = cookieOf(await signIn(secure)).split("=");
  const status = async (name: string) =>
    (await secure.inject({ url: "/api/v1/me", headers: { cookie: `${name}=${token}` } })).statusCode;
  assert.deepEqual([await status("__Host-gatehouse"), await status("gatehouse")], [200, 401]);
  await secure.close();
});

test("no path leads out of the pages, nor past a route's own id", async () => {
  const up = ["..", "%2e%2e", "%2E%2E", ".%2e", "..%00", "%252e%252e", "..;"];
  const slashes = ["/", "%2f", "%5c", "\\", "%252f", "//"];
  const paths = up.flatMap((dots) =>
    slashes.flatMap((slash) => [
      `/${dots}${slash}secret.txt`,
      `/assets/${dots}${slash}${dots}${slash}secret.txt`,
      `/assets${slash}${dots}${slash}${dots}${slash}secret.txt`,
      `/api/v1/recordings/${dots}${slash}${dots}${slash}secret.txt/export?format=text`,
    ]),
  );
  const places = [...paths, `//etc/passwd`, `/${folder}/secret.txt`, `/%00`, `/assets/app.js%00.html`];
  for (const answer of await Promise.all(places.map((path) => get(path)))) {
    assert.doesNotMatch(answer, /not to be seen|root:/);
    assert.ok([400, 401, 404].includes(statusOf(answer)), answer.slice(0, 200));
  }
});

test("nothing that a request says becomes a header or a place to go to", async () => {
  const splits = ["%0d%0aset-cookie:%20a=b", "%0aset-cookie:a=b", "%E5%98%8D%E5%98%8Aset-cookie:a=b"];
  const evil = [
    "//evil.example",
    "/\\evil.example",
    "/%09/evil.example",
    "/%2f%2fevil.example",
    "javascript:alert(1)",
  ];
  const targets = [
    ...splits.flatMap((split) => [
      `/${split}`,
      `/api/v1/auth/oidc?return=${split}`,
      `/api/v1/auth/oidc/callback?state=${split}&error=${split}`,
      `/api/v1/recordings/${split}/export?format=${split}`,
    ]),
    ...evil.flatMap((place) => [
      place,
      `/sign-in?return=${place}`,
      `/api/v1/auth/oidc?return=${place}&redirect_uri=${place}`,
      `/api/v1/auth/oidc/logout?return=${place}&post_logout_redirect_uri=${place}`,
    ]),
  ];
  for (const target of targets) {
    const [head = ""] = (await get(target, "accept: text/html\r\n")).split("\r\n\r\n");
    assert.doesNotMatch(head, /^set-cookie: ?a=b/im, target);
    const place = /^location: (.*)$/im.exec(head)?.[1];
    assert.ok(place === undefined || /^\/(?![/\\])/.test(place.trim()), `${target} leads to ${place}`);
  }
  // A header's own line cannot be broken either.
  for (const header of ["cookie: gatehouse=a\rb", "authorization: Bearer a\0b", "x-a: b\n\tc: d"])
    assert.ok([400, 401].includes(statusOf(await get("/api/v1/me", `${header}\r\n`))), header);
});

test("another host's name in the request is neither believed nor said again", async () => {
  const evil = "evil.example";
  for (const lines of [
    `host: ${evil}\r\n`,
    `host: gate.example\r\nx-forwarded-host: ${evil}\r\nx-forwarded-proto: https\r\nforwarded: host=${evil}\r\n`,
  ])
    for (const target of [
      "/",
      "/api/v1/me",
      "/api/v1/auth/oidc",
      "/api/v1/nowhere",
      `http://${evil}/api/v1/me`,
    ]) {
      const answer = await raw(`GET ${target} HTTP/1.1\r\n${lines}connection: close\r\n\r\n`);
      assert.doesNotMatch(answer.replace(/"detail":"[^"]*"/, ""), /evil\.example/, target);
    }
  assert.equal(statusOf(await raw("GET /api/v1/me HTTP/1.1\r\nconnection: close\r\n\r\n")), 400);
  const twice = "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n";
  assert.ok([200, 400].includes(statusOf(await raw(twice))));
});

test("what is too large, two lengths at once, or never comes whole is given up", async () => {
  const post = (more: string) =>
    `POST /api/v1/auth/password HTTP/1.1\r\nhost: gate.example\r\nconnection: close\r\ncontent-type: application/json\r\n${more}`;
  const statuses = await Promise.all([
    raw(post("content-length: 99999999\r\n\r\n{")),
    raw(post(`content-length: 200000\r\n\r\n${"x".repeat(200_000)}`)),
    raw(post(`transfer-encoding: chunked\r\n\r\n40000\r\n${"x".repeat(0x40000)}\r\n0\r\n\r\n`)),
    raw(post(`x-large: ${"x".repeat(40_000)}\r\n\r\n`)),
    raw(post("content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")),
    raw(post("content-length: 5\r\ncontent-length: 6\r\n\r\nxxxxx")),
    // A header, and a body, that never end.
    raw("GET /api/v1/me HTTP/1.1\r\nhost: gate.example\r\n", { ends: false }),
    raw(post("content-length: 1000\r\n\r\n{"), { ends: false }),
  ]);
  assert.deepEqual(statuses.map(statusOf), [413, 413, 413, 431, 400, 400, 408, 408]);
});
