/**
 * Every route of the REST API and every method of the gRPC API, as nobody, in each role, with a token that is not for it,
 * and about what is somebody else's. Who may call what is in test/parts/api-access.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Problem, builtInRoles } from "@gatehouse/contracts/rest";
import { type Action, actions, decide } from "../../../packages/gateway/src/access/mod.ts";
import type { AccessStage } from "../../parts/access-stage.ts";
import { actionsOf, grpcAccess, restAccess } from "../../parts/api-access.ts";
import {
  type ApiDocument,
  type SampleRequest,
  fill,
  missingId,
  partsOf,
  sampleRequests,
} from "../../parts/api-samples.ts";

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
  statement: "876543",
  factorId: missingId,
  signInId: missingId,
};
/** Ends the session that asks, so nobody walks on after it. */
const last = "POST /api/v1/auth/logout";

type Answer = { status: number; problem: Partial<Problem> };

/** As a browser sends it. */
const browsing = (token: string) => ({ cookie: `gatehouse=${token}`, "sec-fetch-site": "same-origin" });
const bearing = (token: string) => ({ authorization: `Bearer ${token}` });

/** Whether it is said of a thing that it may not be, or that it is not there. */
const isRefusal = ({ code }: Partial<Problem>) => code === "denied" || code === "not_found";

/** What is said, but for the id that was asked about. */
function without({ status, problem }: Answer, id: string): string {
  const { code, detail, hint } = problem;
  return JSON.stringify([status, code, detail, hint]).replaceAll(id, "it");
}

export async function walkEveryRouteAndMethod({
  gateway,
  grpc,
  ids,
  tokens,
  as,
  anns,
  secrets,
}: AccessStage): Promise<void> {
  const response = await fetch(`${gateway.web}/api/v1/openapi.json`);
  const samples = sampleRequests((await response.json()) as ApiDocument);
  const admin = { client: as["platform-admin"], id: ids["platform-admin"] };
  const tokenFor = async (scopes: readonly Action[]) => {
    const { token } = await admin.client.tokens.create(admin.id, { name: "walk", scopes: [...scopes] });
    secrets.add("an API token", token);
    return token;
  };

  async function ask(
    { method, path, query, body }: SampleRequest,
    things: Record<string, string>,
    headers: Record<string, string>,
  ): Promise<Answer> {
    const response = await fetch(`${gateway.web}${fill(path, things)}${query && `?${query}`}`, {
      method,
      redirect: "manual",
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body }),
    });
    const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
    const text = await response.text();
    return { status: response.status, problem: isProblem && text ? (JSON.parse(text) as Problem) : {} };
  }
  /** Every route with what opens it, and the request to it. */
  function* walk(): Generator<{ route: string; needs: string; sample: SampleRequest }> {
    for (const [route, sample] of samples) {
      const needs = restAccess[route];
      assert.ok(needs !== undefined, `${route} has no line in test/parts/api-access.ts`);
      yield { route, needs, sample };
    }
  }

  test("nobody gets nothing: no proof, one that is none, and a program's token in a cookie", async () => {
    const token = await tokenFor(["self.read", "audit.read"]);
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
    const cookie = `gatehouse=${tokens["platform-admin"]}`;
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

  test("each role is refused exactly what is not for it", async () => {
    const wrong: string[] = [];
    for (const role of builtInRoles) {
      const subject = { id: ids[role], name: `one-${role}`, roles: [role], leads: [] };
      for (const { route, needs, sample } of walk()) {
        if (needs === "public" || route === last) continue;
        const [action = ""] = actionsOf(needs);
        const { allowed } = decide({ subject, action: action as Action, resource: {} });
        const { status, problem } = await ask(sample, missing, browsing(tokens[role]));
        const isRefused = allowed ? [401, 403].includes(status) : isRefusal(problem);
        if (allowed === isRefused) wrong.push(`${route} as ${role}: ${status} ${problem.detail ?? ""}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  test("a token is for what its scopes say, and no more", async () => {
    const made = new Map<string, string>();
    const wrong: string[] = [];
    for (const { route, needs, sample } of walk()) {
      if (needs === "public") continue;
      const needed = actionsOf(needs);
      const token = made.get(needs) ?? (await tokenFor(actions.filter((action) => !needed.includes(action))));
      made.set(needs, token);
      const own = { ...anns, personId: admin.id };
      for (const things of [anns, own]) {
        const { status, problem } = await ask(sample, things, bearing(token));
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
          const there = await ask(sample, things, browsing(tokens[role]));
          if (!isRefusal(there.problem)) wrong.push(`${route} as ${role} answers ${there.status}`);
          for (const part of others) {
            const gone = await ask(
              sample,
              { ...things, [part]: missing[part] ?? "" },
              browsing(tokens[role]),
            );
            const told = [without(there, things[part] ?? ""), without(gone, missing[part] ?? "")];
            if (told[0] !== told[1]) wrong.push([`${route} as ${role}`, ...told]);
          }
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  test("gRPC: every method refuses nobody, the wrong role, a token that is not for it, and what is another's", async () => {
    const requests: Record<string, Record<string, unknown>> = {
      PauseSession: { reason: "walk" },
      TerminateSession: { reason: "walk" },
      ReviewStatement: { statement: 1, decision: "deny" },
      SearchRecording: { text: "walk" },
      SearchRecordings: { text: "walk" },
      ExportRecording: { format: "text" },
    };
    const hasSession = (method: string) =>
      !/\/(List|Verify|Search)?(Sessions|Recordings|AuditEvents|AuditLog)$/.test(method);
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
        const there = await call(method, sessionId, tokens[role]);
        const gone = await call(method, missingId, tokens[role]);
        if (!allowed) {
          // Who may see that it is over is told that it is over.
          const seen = decide({ subject, action: "session.view", resource: {} }).allowed;
          const refusals = ["PERMISSION_DENIED", "NOT_FOUND", ...(seen ? ["FAILED_PRECONDITION"] : [])];
          assert.ok(refusals.includes(there.status), `${method} as ${role}: ${there.status}`);
          if (role === "user" || role === "team-lead") assert.deepEqual(there, gone, `${method} as ${role}`);
        } else
          assert.doesNotMatch(there.status, /^(PERMISSION_DENIED|UNAUTHENTICATED)$/, `${method} as ${role}`);
      }
      const token = await tokenFor(actions.filter((one) => one !== action));
      assert.match((await call(method, sessionId, token)).status, /^(PERMISSION_DENIED|NOT_FOUND)$/, method);
    }
  });
}
