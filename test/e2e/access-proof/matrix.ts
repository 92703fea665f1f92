/**
 * The rights of the specification, 9.3.3 and 9.4.4: each role, each action, over REST, gRPC, the command line and the web
 * pages, on real sessions. The table is what a person would write down; everything else asks.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Problem } from "@gatehouse/contracts/rest";
import type { Locator, Page } from "playwright-core";
import { createProfiles } from "../../../packages/cli/src/connection/mod.ts";
import { createWorkshop } from "../../../packages/cli/src/testing/run-here.ts";
import type { AccessStage, Somebody } from "../../parts/access-stage.ts";
import { sshOptions } from "../../parts/gateway.ts";
import { awaitEvents, eventually } from "../../parts/sessions.ts";
import { openBrowser } from "../../parts/web.ts";

/**
 * `hidden`: answered like a session that never was. All of it is about sessions of ann's; lea leads a team that ann is in, and
 * `team-lead` one that she is not in.
 */
type Right = "yes" | "no" | "hidden";
const actions = ["view", "play", "export", "join", "pause", "terminate"] as const;
type Action = (typeof actions)[number];
const table: Record<Somebody, string> = {
  //                  view    play    export  join    pause   terminate
  ann: "              yes     yes     yes     no      no      no",
  user: "             hidden  hidden  hidden  hidden  hidden  hidden",
  lea: "              yes     yes     yes     yes     no      yes",
  "team-lead": "      hidden  hidden  hidden  hidden  hidden  hidden",
  auditor: "          yes     yes     yes     no      no      no",
  "security-analyst": "yes    yes     yes     yes     yes     yes",
  "platform-admin": " yes     yes     yes     yes     yes     yes",
};
const everybody = Object.keys(table) as Somebody[];
const nameOf = (who: Somebody) => (who === "ann" ? who : `one-${who}`);
const moderating: ReadonlySet<Action> = new Set(["join", "pause", "terminate"]);

/** Asks for one thing in one way, and says how it was answered. */
type Way = (who: Somebody, action: Action, sessionId: string) => Promise<Right>;

export function checkTheWholeMatrix(stage: AccessStage): void {
  const { gateway, grpc, tokens, anns } = stage;
  const browser = openBrowser();
  after(async () => (await browser).close());
  const workshop = createWorkshop();
  after(() => workshop.close());

  /** Live sessions of ann's: each runs until it is ended. */
  const clients: ChildProcess[] = [];
  after(() => clients.forEach((client) => client.kill()));
  async function liveSessions(count: number): Promise<string[]> {
    const before = (await gateway.admin.sessions.list({ state: "live" })).items.length;
    for (let i = 0; i < count; i++)
      clients.push(
        spawn("ssh", [...sshOptions(gateway, stage.person), stage.address, "echo live; cat"], {
          stdio: ["pipe", "ignore", "ignore"],
        }),
      );
    const live = await eventually("the live sessions", async () => {
      const { items } = await gateway.admin.sessions.list({ state: "live", limit: 100 });
      return items.length >= before + count && items.every((one) => one.live) ? items : undefined;
    });
    return live.slice(0, count).map(({ id }) => id);
  }

  /** Every cell of the table in one way; each wrong one is told. `terminate` gets a session of its own where it succeeds. */
  async function compare(way: Way, live: string, ends: string[]): Promise<void> {
    const wrong: string[] = [];
    for (const who of everybody) {
      const rights = table[who].trim().split(/ +/) as Right[];
      for (const [i, action] of actions.entries()) {
        const wanted = rights[i];
        const isLast = action === "terminate" && wanted === "yes";
        const about = isLast ? ends.pop() : moderating.has(action) ? live : anns["sessionId"];
        const got = await way(who, action, about ?? "");
        if (got !== wanted) wrong.push(`${who} ${action}: ${got}, and not ${wanted}`);
        if (action === "pause" && got === "yes") await gateway.admin.sessions.resume(about ?? "", {});
      }
    }
    assert.deepEqual(wrong, []);
  }

  const rest: Way = async (who, action, id) => {
    const [method, path, body] = requestFor(action, id);
    const gone = new AbortController();
    const response = await fetch(`${gateway.web}/api/v1${path}`, {
      method,
      signal: gone.signal,
      headers: {
        authorization: `Bearer ${tokens[who]}`,
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) return rightIn(((await response.json()) as Problem).code);
    gone.abort();
    return "yes";
  };

  const overGrpc: Way = async (who, action, id) => {
    const [service, method, more] = (
      {
        view: ["Recording", "GetRecording", {}],
        play: ["Recording", "StreamFrames", {}],
        export: ["Recording", "ExportRecording", { format: "text" }],
        join: ["Session", "WatchSession", {}],
        pause: ["Session", "PauseSession", { reason: "drill" }],
        terminate: ["Session", "TerminateSession", { reason: "drill" }],
      } as const
    )[action];
    const call = grpc.call(
      `gatehouse.v1.${service}Service`,
      method,
      { session_id: id, ...more },
      { token: tokens[who] },
    );
    // Looking on would last as long as the session.
    if (action === "join") call.onMessage(() => call.cancel());
    const { status, detail, messages } = await call.ended;
    if (status === "OK" || (status === "CANCELLED" && messages.length > 0)) return "yes";
    return rightIn({ PERMISSION_DENIED: "denied", NOT_FOUND: "not_found" }[status] ?? `${status} ${detail}`);
  };

  const command: Way = async (who, action, id) => {
    const env = { XDG_CONFIG_HOME: join(workshop.folder, who) };
    const profile = { url: gateway.web, token: tokens[who], name: who, expiresAt: null };
    await createProfiles(env).keep(profile);
    const words = {
      view: ["sessions", "show", id],
      play: ["play", id],
      export: ["recordings", "export", id, "--format", "text", "--output", "-"],
      join: ["join", id, "--format", "json"],
      pause: ["sessions", "pause", id, "--reason", "drill"],
      terminate: ["sessions", "terminate", id, "--reason", "drill"],
    }[action];
    const gone = new AbortController();
    const { signal } = gone;
    const ran = workshop.run([...words, "--gateway", gateway.web], { env, signal });
    if (action === "join") {
      // Looking on would last as long as the session.
      const joins = { event: "session.join", session: id, user: nameOf(who) };
      const joined = eventually(`${who} to join`, async () => {
        const { items } = await gateway.admin.audit.list(joins);
        return items.find(({ fields }) => fields["mode"] !== undefined) && "joined";
      });
      if ((await Promise.race([ran, joined])) === "joined") {
        gone.abort();
        return (await ran).code === 130 ? "yes" : "no";
      }
    }
    const { code, stderr } = await ran;
    return code === 0 ? "yes" : rightIn({ 3: "denied", 4: "not_found" }[code] ?? stderr);
  };

  /** What the pages show to somebody of a session, live and ended; and what they are answered when they ask. */
  let page: Page | undefined;
  const shown = new Map<Somebody, Record<Action, Right>>();
  const web = (live: string): Way => {
    const look = async (who: Somebody): Promise<Record<Action, Right>> => {
      // One browser for all of them, one after the other: what it has read of the pages is read once.
      page ??= (await (await browser).open()).page;
      await page.context().addCookies([{ name: "gatehouse", value: tokens[who], url: gateway.web }]);
      const missing = page.getByRole("alert").getByText(/there is no session/);
      const has = async (control: Locator): Promise<Right> =>
        (await missing.count()) > 0 ? "hidden" : (await control.count()) > 0 ? "yes" : "no";
      const bar = page.getByRole("region", { name: "This session is live" });
      await page.goto(`${gateway.web}/sessions/${live}`);
      await bar.or(missing).waitFor();
      const moderation = {
        join: await has(bar.getByRole("button", { name: "Watch live" })),
        pause: await has(bar.getByRole("button", { name: "Pause input" })),
        terminate: await has(bar.getByRole("button", { name: "Terminate" })),
      };
      await page.goto(`${gateway.web}/sessions/${anns["sessionId"]}`);
      const output = page.getByText("of ann", { exact: true });
      const exported = page.getByText("Export", { exact: true });
      await exported.or(missing).waitFor();
      await output.or(missing).first().waitFor();
      return {
        view: await has(page.getByRole("heading", { name: /^ann to/ })),
        play: await has(output),
        export: await has(exported),
        ...moderation,
      };
    };
    return async (who, action, id) => {
      const seen = shown.get(who) ?? (await look(who));
      shown.set(who, seen);
      const [method, path, body] = requestFor(action, id);
      const answered = await page?.evaluate(
        async ([address, init]) => {
          const gone = new AbortController();
          const response = await fetch(address, { ...init, signal: gone.signal });
          const code = response.ok ? "" : ((await response.json()) as { code: string }).code;
          gone.abort();
          return code;
        },
        [
          `/api/v1${path}`,
          {
            method,
            ...(body && {
              body: JSON.stringify(body),
              headers: { "content-type": "application/json" },
            }),
          },
        ] as const,
      );
      const right = answered === "" ? "yes" : rightIn(answered ?? "");
      assert.equal(seen[action], right, `${who} ${action}: what is shown, and what is answered`);
      return right;
    };
  };

  test("REST, gRPC, the command line and the pages give each role the rights of the specification", async (context) => {
    // Of those who may end a session each ends one in each way.
    const [live = "", ...ends] = await liveSessions(1 + 3 * 4);
    const ways = { REST: rest, gRPC: overGrpc, "the command line": command, "the pages": web(live) };
    for (const [name, way] of Object.entries(ways)) await context.test(name, () => compare(way, live, ends));
    const reasons = await eventually("the ends of the sessions", async () => {
      const ended = await awaitEvents(gateway, { event: "session.terminate" }, 12);
      return ended.filter(({ success }) => success).length >= 12 ? ended : undefined;
    });
    assert.ok(reasons.length >= 12);
  });
}

function rightIn(code: string): Right {
  if (code === "denied") return "no";
  if (code === "not_found") return "hidden";
  throw new Error(`neither allowed nor refused: ${code}`);
}

function requestFor(action: Action, id: string): [method: string, path: string, body?: object] {
  switch (action) {
    case "view":
      return ["GET", `/recordings/${id}`];
    case "play":
      return ["GET", `/recordings/${id}/frames`];
    case "export":
      return ["GET", `/recordings/${id}/export?format=text`];
    case "join":
      return ["GET", `/sessions/${id}/live`];
    default:
      return ["POST", `/sessions/${id}/${action}`, { reason: "drill" }];
  }
}
