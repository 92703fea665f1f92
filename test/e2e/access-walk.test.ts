/**
 * Every route of the REST API and every method of the gRPC API, as nobody, in each role, with a token that is not for it,
 * and about what is somebody else's. Who may call what is in test/parts/api-access.ts.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Client, createClient } from "@gatehouse/contracts/client";
import { type Problem, builtInRoles } from "@gatehouse/contracts/rest";
import { type Action, actions, decide } from "../../packages/gateway/src/access/mod.ts";
import { generateKey, publicKeyLine } from "../../packages/gateway/src/protocols/ssh/keys/mod.ts";
import { actionsOf, grpcAccess, restAccess } from "../parts/api-access.ts";
import {
  type ApiDocument,
  type SampleRequest,
  fill,
  missingId,
  partsOf,
  sampleRequests,
} from "../parts/api-samples.ts";
import { addTarget } from "../parts/gateway.ts";
import { type GrpcClient, startGrpcClient } from "../parts/grpc-client.ts";
import { awaitStored } from "../parts/sessions.ts";
import { sessionOf } from "../parts/signed-in.ts";
import { type Stage, startStage } from "../parts/stage.ts";

let stage: Stage;
let grpc: GrpcClient;
let samples: Map<string, SampleRequest>;
/** A session of somebody with each role, who has and leads nothing. */
const inRole = {} as Record<(typeof builtInRoles)[number], string>;
const ids = {} as Record<(typeof builtInRoles)[number], string>;
let admin: Client;
/** What is ann's, or nobody's that the others may know of; by the names that parts of paths have. */
let anns: Record<string, string>;
const missing: Record<string, string> = {
  personId: missingId,
  keyId: missingId,
  tokenId: missingId,
  serial: "4711",
  sessionId: missingId,
  targetId: missingId,
  login: "nobody",
  teamId: missingId,
  roleName: "none-such",
  lockId: missingId,
  requestId: missingId,
};

before(async () => {
  stage = await startStage({ gateway: { config: { grpc: { listen: "127.0.0.1:0" } } } });
  const { gateway, person, sshd } = stage;
  for (const role of builtInRoles) {
    ids[role] = (await gateway.admin.people.create({ name: `one-${role}`, roles: [role] })).id;
    inRole[role] = await sessionOf(gateway, ids[role]);
  }
  admin = clientOf(inRole["platform-admin"]);
  const addresses = JSON.parse(readFileSync(join(gateway.dataDir, "addresses.json"), "utf8")) as {
    grpc: string;
  };
  grpc = await startGrpcClient({
    folder: gateway.dataDir,
    address: addresses.grpc,
    certificate: await gateway.admin.ca.grpc(),
  });
  const response = await fetch(`${gateway.web}/api/v1/openapi.json`);
  samples = sampleRequests((await response.json()) as ApiDocument);

  const ann = clientOf(await sessionOf(gateway, person.id));
  const target = await addTarget(gateway, sshd, { name: "db-01", allowRoles: [] });
  const reviewers = { roles: ["platform-admin"], users: [], teamLeads: false };
  await admin.targets.update(target.id, {
    access: { requests: { askers: { roles: [], users: ["ann"] }, reviewers } },
  });
  const asked = await ann.requests.create({
    kind: "target",
    targetId: target.id,
    logins: [sshd.user],
    reason: "to see",
    minutes: 5,
  });
  const team = await admin.teams.create({ name: "web", members: [{ userId: person.id }] });
  await admin.teams.create({
    name: "others",
    members: [{ userId: ids["team-lead"], leads: true }, { userId: ids.user }],
  });
  await admin.roles.set("reader", { statements: [{ actions: ["audit.read"] }] });
  const { lock } = await admin.locks.create({ on: "login", name: "oracle", reason: "drill" });
  const token = await ann.tokens.create(person.id, { name: "ci", scopes: ["self.read"] });
  const { serial } = await ann.sshCertificates.create(
    publicKeyLine(generateKey("ed25519").public.blob).trim(),
  );
  assert.equal((await stage.ssh([stage.address, "true"])).code, 0);
  const session = await awaitStored(gateway);
  anns = {
    personId: person.id,
    keyId: (await ann.people.sshKeys(person.id))[0]?.id ?? "",
    tokenId: token.id,
    serial,
    sessionId: session.id,
    targetId: target.id,
    login: sshd.user,
    teamId: team.id,
    roleName: "reader",
    lockId: lock.id,
    requestId: asked.id,
  };
});
after(() => stage.close());
after(() => grpc.close());

const clientOf = (token: string) => createClient({ baseUrl: stage.gateway.web, token });

type Answer = { status: number; problem: Partial<Problem> };

async function ask(
  { method, path, query, body }: SampleRequest,
  things: Record<string, string>,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(`${stage.gateway.web}${fill(path, things)}${query && `?${query}`}`, {
    method,
    redirect: "manual",
    headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body }),
  });
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
  const text = await response.text();
  return { status: response.status, problem: isProblem && text ? (JSON.parse(text) as Problem) : {} };
}
/** As a browser sends it. */
const browsing = (token: string) => ({ cookie: `gatehouse=${token}`, "sec-fetch-site": "same-origin" });
const bearing = (token: string) => ({ authorization: `Bearer ${token}` });

/** Every route with what opens it, and the request to it. */
function* walk(): Generator<{ route: string; needs: string; sample: SampleRequest }> {
  for (const [route, sample] of samples) {
    const needs = restAccess[route];
    assert.ok(needs !== undefined, `${route} has no line in test/parts/api-access.ts`);
    yield { route, needs, sample };
  }
}

test("nobody gets nothing: no proof, one that is none, and a program's token in a cookie", async () => {
  const { token } = await admin.tokens.create(ids["platform-admin"], {
    name: "all",
    scopes: ["self.read", "audit.read"],
  });
  const proofs: Record<string, string>[] = [
    {},
    bearing("guess"),
    browsing("guess"),
    browsing(token),
    { authorization: `Basic ${Buffer.from("admin:admin").toString("base64")}` },
  ];
  const wrong: string[] = [];
  for (const { route, needs, sample } of walk()) {
    if (needs === "public") {
      // What it wants to see as a proof is left out.
      const { status } = await ask({ ...sample, body: undefined }, missing, {});
      if ([401, 403].includes(status)) wrong.push(`${route} is public, and answers ${status}`);
      continue;
    }
    for (const proof of proofs) {
      const { status, problem } = await ask(sample, anns, proof);
      if (status !== 401 || problem.code !== "unauthenticated")
        wrong.push(`${route} answers ${status} to ${JSON.stringify(proof)}`);
    }
    if (sample.method !== "GET") continue;
    const head = await ask({ ...sample, method: "HEAD" }, anns, {});
    if (head.status !== 401) wrong.push(`HEAD of ${route} answers ${head.status}`);
  }
  assert.deepEqual(wrong, []);
});

test("a browser that another site made ask changes nothing, on any route", async () => {
  const cookie = `gatehouse=${inRole["platform-admin"]}`;
  const wrong: string[] = [];
  for (const { route, needs, sample } of walk()) {
    if (sample.method === "GET" || needs === "public") continue;
    for (const from of [{}, { "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }]) {
      const { status, problem } = await ask(sample, anns, { cookie, ...from });
      if (!/did not come from a page/.test(problem.detail ?? "")) wrong.push(`${route}: ${status}`);
    }
  }
  assert.deepEqual(wrong, []);
});

/** Whether it is said of a thing that it may not be, or that it is not there. */
const isRefusal = ({ code }: Partial<Problem>) => code === "denied" || code === "not_found";

/** Ends the session that asks, so nobody walks on after it. */
const last = "POST /api/v1/auth/logout";

test("each role is refused exactly what is not for it", async () => {
  const wrong: string[] = [];
  for (const role of builtInRoles) {
    const subject = { id: ids[role], name: `one-${role}`, roles: [role], leads: [] };
    for (const { route, needs, sample } of walk()) {
      if (needs === "public" || route === last) continue;
      const [action = ""] = actionsOf(needs);
      const { allowed } = decide({ subject, action: action as Action, resource: {} });
      const { status, problem } = await ask(sample, missing, browsing(inRole[role]));
      const isRefused = allowed ? [401, 403].includes(status) : isRefusal(problem);
      if (allowed === isRefused) wrong.push(`${route} as ${role}: ${status} ${problem.detail ?? ""}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("a token is for what its scopes say, and no more", async () => {
  const tokens = new Map<string, string>();
  const wrong: string[] = [];
  for (const { route, needs, sample } of walk()) {
    if (needs === "public") continue;
    const without = actionsOf(needs);
    const key = without.join();
    if (!tokens.has(key)) {
      const scopes = actions.filter((action) => !without.includes(action));
      const made = await admin.tokens.create(ids["platform-admin"], { name: `without ${key}`, scopes });
      tokens.set(key, made.token);
    }
    const own = { ...anns, personId: ids["platform-admin"] };
    for (const things of [anns, own]) {
      const { status, problem } = await ask(sample, things, bearing(tokens.get(key) ?? ""));
      if (!isRefusal(problem)) wrong.push(`${route}: ${status} ${problem.detail ?? ""}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("what is somebody else's is answered like what is not there", async () => {
  const wrong: unknown[] = [];
  for (const role of ["user", "team-lead"] as const) {
    for (const { route, needs, sample } of walk()) {
      const parts = partsOf(sample.path);
      if (needs === "public" || parts.length === 0) continue;
      // All of it somebody else's; and what is somebody else's as if it were one's own.
      const wholes = parts.includes("personId") ? [anns, { ...anns, personId: ids[role] }] : [anns];
      for (const things of wholes) {
        const others = parts.filter((part) => things[part] === anns[part]);
        if (others.length === 0) continue;
        const there = await ask(sample, things, browsing(inRole[role]));
        if (!isRefusal(there.problem)) wrong.push(`${route} as ${role} answers ${there.status}`);
        for (const part of others) {
          const gone = await ask(sample, { ...things, [part]: missing[part] ?? "" }, browsing(inRole[role]));
          const told = [without(there, things[part] ?? ""), without(gone, missing[part] ?? "")];
          if (told[0] !== told[1]) wrong.push([`${route} as ${role}`, ...told]);
        }
      }
    }
  }
  assert.deepEqual(wrong, []);
});

/** What is said, but for the id that was asked about. */
function without({ status, problem }: Answer, id: string): string {
  const { code, detail, hint } = problem;
  return JSON.stringify([status, code, detail, hint]).replaceAll(id, "it");
}

test("gRPC: every method refuses nobody, the wrong role, a token that is not for it, and what is another's", async () => {
  const requests: Record<string, Record<string, unknown>> = {
    PauseSession: { reason: "walk" },
    TerminateSession: { reason: "walk" },
    SearchRecording: { text: "walk" },
    ExportRecording: { format: "text" },
  };
  const hasSession = (method: string) => !/\/(List|Verify)?(Sessions|AuditEvents|AuditLog)$/.test(method);
  const call = async (name: string, sessionId: string, token: string | undefined) => {
    const [service = "", method = ""] = name.split("/");
    const about = hasSession(name) ? { session_id: sessionId } : {};
    const { status, detail } = await grpc.call(
      service,
      method,
      { ...about, ...requests[method] },
      token === undefined ? {} : { token },
    ).ended;
    return { status, detail: detail.replaceAll(sessionId, "it") };
  };
  for (const [method, needs] of Object.entries(grpcAccess)) {
    if (needs === "public") continue;
    const { sessionId = "" } = anns;
    for (const proof of [undefined, "guess"])
      assert.equal((await call(method, sessionId, proof)).status, "UNAUTHENTICATED", method);
    const [action = ""] = actionsOf(needs);
    for (const role of builtInRoles) {
      const subject = { id: ids[role], name: `one-${role}`, roles: [role], leads: [] };
      const { allowed } = decide({ subject, action: action as Action, resource: {} });
      const there = await call(method, sessionId, inRole[role]);
      const gone = await call(method, missingId, inRole[role]);
      if (!allowed) {
        assert.match(there.status, /^(PERMISSION_DENIED|NOT_FOUND)$/, `${method} as ${role}`);
        if (role === "user" || role === "team-lead") assert.deepEqual(there, gone, `${method} as ${role}`);
      } else
        assert.doesNotMatch(there.status, /^(PERMISSION_DENIED|UNAUTHENTICATED)$/, `${method} as ${role}`);
    }
    const scopes = actions.filter((one) => one !== action);
    const { token } = await admin.tokens.create(ids["platform-admin"], { name: method, scopes });
    assert.match((await call(method, sessionId, token)).status, /^(PERMISSION_DENIED|NOT_FOUND)$/, method);
  }
});
