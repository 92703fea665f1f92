import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { GatehouseError, utf8 } from "@gatehouse/kernel";
import { type Role, type Subject, decide } from "../access/mod.ts";
import type { SessionEntry } from "../directory/mod.ts";
import { type LastingRights, createLastingRights } from "./lasting-rights.ts";
import { type SessionsRoom, createSessions } from "./lifecycle.ts";
import type { Sight } from "./live-hub.ts";
import { type Moderator, type Moderators, createModerators } from "./moderators.ts";
import type { Session } from "./session.ts";
import { Neighbours, request } from "./testing/neighbours.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));
const somebody = (role: Role, id = "u9"): Moderator => ({
  subject: { id, name: `${role}@example.com`, roles: [role], leads: ["team-1"] },
  remoteAddress: "10.0.2.7",
});

describe("whoever wants to act on somebody's session", () => {
  let world: Neighbours;
  let sessions: SessionsRoom;
  let moderators: Moderators;
  let rights: LastingRights;
  let session: Session;
  let ownerTeams: string[];
  beforeEach(async () => {
    world = new Neighbours();
    ownerTeams = ["team-1"];
    const options = world.options();
    sessions = createSessions(options);
    const known = {
      sessions: options.rows,
      resourceOf: async ({ facts }: Pick<SessionEntry, "facts">) => ({ ownerId: facts.user.id, ownerTeams }),
      decide,
    };
    const log = { warn: (message: string) => void world.logged.push(message) };
    rights = createLastingRights({ ...known, clock: world.clock, log });
    moderators = createModerators({ ...known, live: sessions.live, audit: options.audit, rights });
    session = await sessions.admit(request);
    world.events = [];
  });

  const acts = {
    "session.join": (by: Moderator) =>
      moderators.join(by, session.id, {
        fromSeq: 0,
        signal: AbortSignal.abort(),
        renew: async () => by.subject,
      }),
    "session.pause": (by: Moderator) => moderators.pause(by, session.id, { reason: "r" }),
    "session.resume": (by: Moderator) => moderators.resume(by, session.id, {}),
    "session.terminate": (by: Moderator) => moderators.terminate(by, session.id, { reason: "r" }),
  };
  const allowed: Record<Role, readonly (keyof typeof acts)[]> = {
    "security-analyst": ["session.join", "session.pause", "session.resume", "session.terminate"],
    "platform-admin": ["session.join", "session.pause", "session.resume", "session.terminate"],
    "team-lead": ["session.join", "session.terminate"],
    auditor: [],
    user: [],
  };

  for (const [role, may] of Object.entries(allowed) as [Role, (typeof allowed)[Role]][])
    test(`may do as a ${role} what the table says, and each refusal is in the log`, async () => {
      const by = somebody(role);
      for (const act of Object.keys(acts) as (keyof typeof acts)[]) {
        world.events = [];
        if (may.includes(act)) {
          await acts[act](by);
          const told = world.events.find(({ event }) => event === act);
          assert.deepEqual(
            [told?.user, told?.success, told?.remoteAddress],
            [by.subject.name, true, "10.0.2.7"],
            act,
          );
          continue;
        }
        // A stranger does not learn that there is such a session; who may see it is told that they may do no more.
        const code = role === "user" ? "not_found" : "denied";
        await assert.rejects(acts[act](by), { code }, act);
        assert.deepEqual(
          world.events.map(({ event, user, success, sessionId, fields }) => [
            event,
            user,
            success,
            sessionId,
            fields?.["rule"],
          ]),
          [[act, by.subject.name, false, session.id, "deny-by-default"]],
        );
        assert.equal(session.inputAllowed(), true);
      }
      const view = await moderators.view(by.subject, session.id);
      // Who may pause may also decide about statements that wait.
      const expected = may.flatMap((act) => (act === "session.resume" ? [] : [act]));
      assert.deepEqual(
        view?.may ?? [],
        may.includes("session.pause") ? [...expected, "session.review"] : expected,
      );
    });

  test("may not do to their own session what they may not do to another's", async () => {
    const ann = somebody("user", "u1");
    for (const act of Object.keys(acts) as (keyof typeof acts)[])
      await assert.rejects(acts[act](ann), { code: "denied" }, act);
    const view = await moderators.view(ann.subject, session.id);
    assert.deepEqual(view?.may, []);
  });

  test("may do nothing as the lead of another team", async () => {
    ownerTeams = ["team-2"];
    for (const act of Object.keys(acts) as (keyof typeof acts)[])
      await assert.rejects(acts[act](somebody("team-lead")), { code: "not_found" }, act);
  });

  test("is told when it has ended, and when nobody ever heard of it", async () => {
    await session.end({ reason: "closed" });
    const by = somebody("security-analyst");
    for (const act of Object.keys(acts) as (keyof typeof acts)[])
      await assert.rejects(acts[act](by), { code: "conflict", message: "this session has ended" }, act);
    await assert.rejects(moderators.terminate(by, "nobody's", { reason: "r" }), { code: "not_found" });
    assert.equal(await moderators.view(by.subject, session.id), undefined);
  });

  test("is told when somebody else was faster", async () => {
    const by = somebody("security-analyst");
    await moderators.pause(by, session.id, { reason: "first" });
    await assert.rejects(moderators.pause(by, session.id, { reason: "second" }), { code: "conflict" });
    await moderators.terminate(by, session.id, { reason: "first" });
    await assert.rejects(moderators.terminate(by, session.id, { reason: "second" }), { code: "conflict" });
  });

  test("is refused when the refusal cannot be written down either", async () => {
    world.failing.add("audit");
    await assert.rejects(moderators.terminate(somebody("auditor"), session.id, { reason: "r" }), {
      code: "unavailable",
    });
    assert.equal(session.inputAllowed(), true);
  });

  /** Joins, and keeps what is seen. */
  async function watch(by: Moderator, renew: () => Promise<Subject | undefined> = async () => by.subject) {
    const { signal } = new AbortController();
    const sights = await moderators.join(by, session.id, { fromSeq: 0, signal, renew });
    const seen: string[] = [];
    const ended = (async () => {
      for await (const sight of sights as AsyncIterable<Sight>)
        if (sight.what === "frames") seen.push(...sight.frames.map(({ kind }) => kind));
    })();
    ended.catch(() => {});
    await settled();
    return { seen, ended };
  }

  test("sees what was typed only where they may", async () => {
    await session.record("input", 0, utf8("secret"));
    const analyst = await watch(somebody("security-analyst"));
    const lead = await watch(somebody("team-lead", "u8"));
    await session.record("input", 0, utf8("more"));
    await session.record("output", 0, utf8("shown"));
    await session.end({ reason: "closed" });
    await Promise.all([analyst.ended, lead.ended]);
    assert.deepEqual(analyst.seen, ["input", "join", "join", "input", "output", "session.end"]);
    assert.deepEqual(lead.seen, ["join", "join", "output", "session.end"]);
  });

  test("stops when what was typed is not theirs to see any longer, though looking on is", async () => {
    const by = somebody("security-analyst");
    const lead = somebody("team-lead").subject;
    const watching = await watch(by, async () => lead);
    world.clock.advance(5_000);
    await assert.rejects(watching.ended, { code: "denied" });
  });

  test("stops seeing it within five seconds when the right is gone, or at once when that is known", async () => {
    const by = somebody("security-analyst");
    const now: { subject: Subject | undefined } = { subject: by.subject };
    const slowly = await watch(by, async () => now.subject);
    world.clock.advance(4_999);
    await settled();
    world.clock.advance(1);
    await settled();
    assert.equal(sessions.live.get(session.id)?.participants.length, 1, "asked, and still allowed");
    now.subject = { ...by.subject, roles: ["auditor"] };
    world.clock.advance(5_000);
    await assert.rejects(slowly.ended, { code: "denied" });
    assert.equal(sessions.live.get(session.id)?.participants.length, 0);
    assert.equal(world.events.at(-1)?.event, "session.leave");

    now.subject = by.subject;
    const atOnce = await watch(by, async () => now.subject);
    rights.changed();
    await settled();
    assert.equal(sessions.live.get(session.id)?.participants.length, 1);
    now.subject = undefined;
    rights.changed();
    await assert.rejects(atOnce.ended, { code: "denied", message: "you are not signed in any longer" });
  });

  test("stops seeing it when nobody can say whether they may", async () => {
    const by = somebody("security-analyst");
    const { ended } = await watch(by, async () => {
      throw new GatehouseError({ code: "unavailable", op: "test", message: "the database is locked" });
    });
    rights.changed();
    await assert.rejects(ended, { code: "denied", message: /cannot be known now/ });
    assert.equal(world.logged.length, 1);
    await session.record("output", 0, utf8("unseen"));
  });

  test("stops seeing it when the owner moves to a team that is not theirs", async () => {
    const { ended } = await watch(somebody("team-lead"));
    ownerTeams = ["team-2"];
    rights.changed();
    await assert.rejects(ended, { code: "denied" });
  });
});
