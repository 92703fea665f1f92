/**
 * Who sees what of a recording, in every way that something of it leaves the gate: over REST, over gRPC and by the command
 * line. The web pages show what REST gives. Each cell holds what was seen, or that nothing was, not even that there is a
 * session; and the audit event, which is asked for as soon as the first of an answer is there.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { on, once } from "node:events";
import { join } from "node:path";
import { after, test } from "node:test";
import { type AuditEvent, type Problem, exportFormats } from "@gatehouse/contracts/rest";
import { createProfiles } from "../../../packages/cli/src/connection/mod.ts";
import { createWorkshop } from "../../../packages/cli/src/testing/run-here.ts";
import type { AccessStage } from "../../parts/access-stage.ts";
import { missingId } from "../../parts/api-samples.ts";
import { addTarget, sshOptions } from "../../parts/gateway.ts";
import { awaitSession, awaitStored, eventually } from "../../parts/sessions.ts";

const shown = "shown to ann";
const typed = "typed by ann";
/** Its terminal shows no key, so what was typed is in the input lane alone. */
const programEnding = (how: string) => `stty -echo; printf '%s to ann\\n' shown; read line; ${how}`;
const program = programEnding("echo over");

/** `asks`: told that somebody else has to approve it. `hidden`: answered like a session that never was. */
type Right = "yes" | "no" | "asks" | "hidden";
const rights = ["facts", "play", "take", "typed", "live"] as const;
type Needs = Exclude<(typeof rights)[number], "typed">;
/**
 * All of it is about sessions of ann's. Lea leads a team that ann is in. `player`, `taker` and `reader` have a role of the
 * operator's that allows just this, `elsewhere` one that allows all of it at other targets; `locked` is an auditor who is locked
 * out; `token` is a program of the analyst's with a token for facts alone.
 */
const table = {
  //                  facts   play    take    typed   live
  ann: "              yes     yes     yes     yes     no",
  lea: "              yes     yes     yes     no      yes",
  auditor: "          yes     yes     yes     yes     no",
  "security-analyst": "yes    yes     yes     yes     yes",
  "platform-admin": " yes     yes     yes     yes     yes",
  user: "             hidden  hidden  hidden  hidden  hidden",
  "team-lead": "      hidden  hidden  hidden  hidden  hidden",
  player: "           yes     yes     hidden  no      no",
  taker: "            yes     hidden  yes     yes     no",
  reader: "           yes     hidden  hidden  hidden  no",
  elsewhere: "        hidden  hidden  hidden  hidden  hidden",
  token: "            yes     hidden  hidden  hidden  no",
} satisfies Record<string, string>;
type Who = keyof typeof table;
const everybody = Object.keys(table) as Who[];
/** Of the audit log. */
const readers: ReadonlySet<Who> = new Set(["auditor", "security-analyst", "platform-admin"]);
/** The command line says what REST answered it, and that is asked of everybody. */
const typing: readonly Who[] = ["ann", "lea", "auditor", "user", "player", "taker", "token"];
/** Of a target whose recordings are opened by two. */
const alone: Record<"auditor" | "platform-admin" | "ann" | "user", string> = {
  ann: "              yes     asks    asks    asks    no",
  auditor: "          yes     asks    asks    asks    no",
  "platform-admin": " yes     asks    asks    asks    yes",
  user: "             hidden  hidden  hidden  hidden  hidden",
};
const rightsIn = (row: string) =>
  Object.fromEntries(
    row
      .trim()
      .split(/ +/)
      .map((right, i) => [rights[i], right]),
  ) as Record<(typeof rights)[number], Right>;

/** How one thing was asked for, and what came: `text` is all that could be read in it. */
type Answer = { right: Right; said: string; text: string };
type Way = {
  name: string;
  needs: Needs;
  /** What is in the answer of who may have it. `log`: what others searched for, where they may read the audit log. */
  holds: "shown" | "typed" | "both" | "sealed" | "log";
  /** Of the audit event. None where only facts leave. */
  tells?: Record<string, unknown> & { event: string };
  /** A further look within a viewing is told of with its first. */
  continues?: boolean;
  /** Nobody is refused: who may not see it finds nothing. */
  isForAll?: boolean;
  ask(who: Who, id: string): Promise<Answer>;
};
const access = "session.recording.access";
const checking = { event: access, action: "verify" };
const playing = { event: access, action: "play" };
const searching = (text: string) => ({ event: access, action: "search", query: text });
const taking = (format: string) => ({
  event: access,
  action: format === "bundle" ? "download" : "export",
  format,
});

export function checkWhoSeesWhat(stage: AccessStage): void {
  const { gateway, grpc, secrets } = stage;
  const { admin } = gateway;
  const workshop = createWorkshop();
  after(() => workshop.close());
  const clients: ChildProcess[] = [];
  after(() => clients.forEach((client) => client.kill()));
  const tokens = { ...stage.tokens } as Record<Who, string>;
  const names = new Map<Who, string>();

  async function newPeople(): Promise<void> {
    for (const who of everybody) names.set(who, who === "ann" ? who : `one-${who}`);
    names.set("token", "one-security-analyst");
    const here = { env: ["proof"] };
    const seen = ["session.view", "recording.play", "recording.export", "recording.view_input"];
    const roles = {
      player: [{ actions: ["session.view", "recording.play"], targets: here }],
      taker: [{ actions: ["session.view", "recording.export", "recording.view_input"], targets: here }],
      reader: [{ actions: ["session.view"], targets: here }],
      elsewhere: [{ actions: seen, targets: { env: ["other"] } }],
    };
    for (const [who, statements] of Object.entries(roles) as [Who, (typeof roles)["player"]][]) {
      await admin.roles.set(`proof-${who}`, { statements });
      const { id } = await admin.people.create({ name: `one-${who}`, roles: [`proof-${who}`] });
      await giveToken(who, id, ["session.*", "recording.*"]);
    }
    await giveToken("token", stage.ids["security-analyst"], ["session.list", "session.view"]);
  }
  async function giveToken(who: Who, personId: string, scopes: string[]): Promise<void> {
    const { token } = await admin.tokens.create(personId, { name: "proof", scopes });
    secrets.add(`an API token of ${who}`, token);
    tokens[who] = token;
  }
  /** A session of ann's in which something was shown and something else typed. */
  async function begin(target: string, command: string): Promise<ChildProcess> {
    const address = stage.address.replace("web-01", target);
    const client = spawn("ssh", [...sshOptions(gateway, stage.person), "-tt", address, command], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    clients.push(client);
    let said = "";
    for await (const [chunk] of on(client.stdout, "data")) if ((said += String(chunk)).includes(shown)) break;
    client.stdout.resume();
    client.stdin.write(`${typed}\n`);
    return client;
  }
  async function record(target: string): Promise<string> {
    await once(await begin(target, program), "close");
    const { id } = await awaitStored(gateway, (one) => one.target.name === target && one.command === program);
    return id;
  }

  const told = async (who: Who, event: string, session: string): Promise<AuditEvent | undefined> => {
    const user = names.get(who) ?? "";
    const about = event === "session.recording.search" ? {} : { session };
    return (await admin.audit.list({ event, user, ...about, limit: 1 })).items[0];
  };
  /** Asked once, and compared with the table; each difference in words. */
  async function cell(way: Way, who: Who, wanted: Record<(typeof rights)[number], Right>, id: string) {
    const wrong: string[] = [];
    const where = `${way.name} as ${who}`;
    const before = way.tells && (await told(who, way.tells.event, id));
    const got = await way.ask(who, id);
    const right = way.isForAll ? found(way, wanted) : wanted[way.needs];
    if (got.right !== right) wrong.push(`${where}: ${got.right} (${got.said}), and not ${right}`);
    const may = got.right === "yes";
    const readsLog = may && way.holds === "log" && readers.has(who);
    for (const [what, lane] of [
      [shown, "shown"],
      [typed, "typed"],
    ] as const) {
      const isDue = may && [lane, "both"].includes(way.holds) && (lane === "shown" || wanted.typed === "yes");
      const isThere = got.text.includes(what);
      if (isThere !== (isDue || readsLog))
        wrong.push(`${where}: "${what}" is ${isThere ? "there" : "missing"}`);
    }
    if (right === "hidden") {
      const gone = await way.ask(who, missingId);
      if (gone.right !== got.right || gone.said.replaceAll(missingId, "it") !== got.said.replaceAll(id, "it"))
        wrong.push(`${where} tells that there is one: ${got.said}; ${gone.said}`);
    }
    if (!way.tells) return wrong;
    // What is refused may be told of after the refusal; what leaves may not.
    const event =
      may || way.isForAll ? await told(who, way.tells.event, id) : await refused(who, way, id, before);
    const isAllowed = may || way.isForAll === true;
    if (!event || (event.uid === before?.uid && !way.continues))
      wrong.push(`${where} is not in the audit log`);
    else if (event.success !== isAllowed) wrong.push(`${where}: success ${event.success} in the audit log`);
    else if (isAllowed)
      for (const [name, value] of Object.entries({ ...way.tells, event: undefined }))
        if (event.fields[name] !== value)
          wrong.push(`${where}: ${name} ${String(event.fields[name])} in the audit log`);
    return wrong;
  }
  const refused = (who: Who, { tells }: Way, id: string, before: AuditEvent | undefined) =>
    eventually(`the refusal of ${who} in the audit log`, async () => {
      const event = await told(who, tells?.event ?? "", id);
      return event?.uid === before?.uid ? undefined : event;
    });

  test("who sees what of a recording, and who not even that there is one, in every way that it leaves", async (context) => {
    await newPeople();
    const sshd = {
      host: stage.sshd.host,
      port: stage.sshd.port,
      user: stage.sshd.user,
    } as AccessStage["sshd"];
    await addTarget(gateway, sshd, { name: "proof-01", labels: { env: "proof" } });
    await addTarget(gateway, sshd, {
      name: "proof-02",
      labels: { env: "proof" },
      access: {
        playback: { approvals: 1, reviewers: { roles: ["platform-admin"], users: [], teamLeads: false } },
      },
    });
    const [id, sealed] = [await record("proof-01"), await record("proof-02")];
    await admin.recordings.makeIndex(id);
    await begin("proof-01", programEnding("echo over; cat"));
    const live = (await awaitSession(gateway, (one) => one.live !== null && one.target.name === "proof-01"))
      .id;
    const { exports } = await admin.recordings.get(id);
    const others = exportFormats.filter((format) => !exports.includes(format));
    assert.ok(exports.length >= 6 && others.length >= 2, exports.join(" "));

    const ways = { REST: rest(exports), gRPC: overGrpc(exports), "the command line": commands(exports) };
    for (const [name, all] of Object.entries(ways))
      await context.test(name, async () => {
        const wrong: string[] = [];
        const row = async (who: Who, words: string, which: readonly Way[], about: string) => {
          for (const way of which)
            wrong.push(...(await cell(way, who, rightsIn(words), way.needs === "live" ? live : about)));
        };
        // Beside each other, but for who has the same name.
        const people = name === "the command line" ? typing : everybody;
        const others = people.filter((who) => who !== "token");
        await Promise.all(others.map((who) => row(who, table[who], all, id)));
        const ended = all.filter(({ needs }) => needs !== "live");
        await Promise.all([
          row("token", table.token, all, id),
          ...Object.entries(alone).map(([who, words]) => row(who as Who, words, ended, sealed)),
        ]);
        assert.deepEqual(wrong, []);
      });

    await context.test(
      "a format that a recording does not have is refused to who may not see it like any",
      async () => {
        for (const who of ["user", "team-lead", "player", "elsewhere"] as const)
          for (const format of others) {
            const [there, gone] = [
              await get(who, exporting(id, format)),
              await get(who, exporting(missingId, format)),
            ];
            assert.equal(there.right, "hidden", `${who} ${format}`);
            assert.equal(
              there.said.replaceAll(id, "it"),
              gone.said.replaceAll(missingId, "it"),
              `${who} ${format}`,
            );
          }
      },
    );
    await context.test("whoever is locked out sees nothing, and is told of the lock alone", async () => {
      const { lock } = await admin.locks.create({ on: "user", name: "one-auditor", reason: "left" });
      for (const way of Object.values(ways)
        .flat()
        .filter(({ needs }) => needs !== "live")) {
        const { right, said, text } = await way.ask("auditor", id);
        assert.notEqual(right, "yes", `${way.name}: ${said}`);
        assert.ok(!text.includes(shown) && !text.includes(typed), way.name);
      }
      await admin.locks.remove(lock.id);
    });
  });

  const exporting = (id: string, format: string) => `/recordings/${id}/export?format=${format}`;
  async function get(who: Who, path: string, body?: object, accept = "*/*"): Promise<Answer> {
    const gone = new AbortController();
    const response = await fetch(`${gateway.web}/api/v1${path}`, {
      method: body ? "POST" : "GET",
      signal: gone.signal,
      headers: {
        authorization: `Bearer ${tokens[who]}`,
        accept,
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      const { code, detail, hint } = (await response.json()) as Problem;
      return { right: rightIn(code, detail), said: `${code} ${detail} ${hint ?? ""}`, text: "" };
    }
    if (!path.endsWith("/live")) return seen(await response.text());
    // Looking on would last as long as the session.
    let text = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? [])
      if (readable((text += chunk)).includes("over")) break;
    gone.abort();
    return seen(text);
  }

  function rest(exports: readonly string[]): Way[] {
    type More = Partial<Way> & { body?: object };
    const way = (
      name: string,
      needs: Needs,
      holds: Way["holds"],
      path: string,
      { body, ...more }: More = {},
    ): Way => ({
      name,
      needs,
      holds,
      ask: (who, id) => get(who, path.replace("{id}", id), body),
      ...more,
    });
    const everywhere = (text: string, holds: Way["holds"]) => ({
      ...way(`search of all for what was ${holds}`, "play", holds, "/search", {
        tells: { event: "session.recording.search", query: text },
        isForAll: true,
      }),
      ask: async (who: Who, id: string) => only(id, await get(who, "/search", { text })),
    });
    const base = "/recordings/{id}";
    const more = { tells: playing, continues: true };
    return [
      way("session", "facts", "sealed", "/sessions/{id}"),
      way("recording", "facts", "sealed", base),
      way("verification", "facts", "sealed", `${base}/verify`, { body: {}, tells: checking }),
      way("index", "play", "sealed", `${base}/index`, { tells: playing }),
      way("frames", "play", "both", `${base}/frames`, { tells: playing }),
      way("later frames", "play", "sealed", `${base}/frames?fromUs=3600000000`, more),
      way("screen", "play", "sealed", `${base}/screen?atUs=0`, more),
      way("text", "play", "shown", `${base}/text?block=0`, more),
      way("pictures", "play", "sealed", `${base}/pictures`, more),
      way("making the index", "play", "sealed", `${base}/index`, { body: { anew: false }, ...more }),
      ...[shown, typed].map((text) =>
        way(`search for ${text}`, "play", text === shown ? "shown" : "typed", `${base}/search`, {
          body: { text },
          tells: searching(text),
        }),
      ),
      everywhere(shown, "shown"),
      everywhere(typed, "typed"),
      ...exports.map((format) =>
        way(format, "take", holdsOf(format), exporting("{id}", format), { tells: taking(format) }),
      ),
      // By now they have searched.
      way("events", "facts", "log", "/sessions/{id}/events?limit=200"),
      way("live", "live", "both", "/sessions/{id}/live", { tells: { event: "session.join" } }),
    ];
  }

  function overGrpc(exports: readonly string[]): Way[] {
    const way = (
      method: string,
      needs: Needs,
      holds: Way["holds"],
      { request = {}, ...more }: Partial<Way> & { request?: Record<string, unknown> } = {},
    ): Way => ({
      name: [method, ...Object.values(request)].join(" "),
      needs,
      holds,
      async ask(who, id) {
        const service = method.endsWith("Session") ? "Session" : "Recording";
        const about = more.isForAll ? {} : { session_id: id };
        const call = grpc.call(
          `gatehouse.v1.${service}Service`,
          method,
          { ...about, ...request },
          { token: tokens[who] },
        );
        let text = "";
        if (needs === "live")
          call.onMessage((message) => {
            if (readable((text += JSON.stringify(message))).includes("over")) call.cancel();
          });
        const { status, detail, messages } = await call.ended;
        if (status === "OK" || (status === "CANCELLED" && needs === "live")) {
          const answer = seen(JSON.stringify(messages));
          return more.isForAll ? only(id, answer) : answer;
        }
        const code = { PERMISSION_DENIED: "denied", NOT_FOUND: "not_found" }[status] ?? status;
        return { right: rightIn(code, detail), said: detail, text: "" };
      },
      ...more,
    });
    return [
      way("GetSession", "facts", "sealed"),
      way("GetRecording", "facts", "sealed"),
      way("VerifyRecording", "facts", "sealed", { tells: checking }),
      way("StreamFrames", "play", "both", { tells: playing }),
      ...[shown, typed].flatMap((text) => {
        const holds = text === shown ? "shown" : "typed";
        const everywhere = { event: "session.recording.search", query: text };
        return [
          way("SearchRecording", "play", holds, { request: { text }, tells: searching(text) }),
          way("SearchRecordings", "play", holds, { request: { text }, tells: everywhere, isForAll: true }),
        ];
      }),
      ...exports.map((format) =>
        way("ExportRecording", "take", holdsOf(format), { request: { format }, tells: taking(format) }),
      ),
      way("WatchSession", "live", "both", { tells: { event: "session.join" } }),
    ];
  }

  function commands(exports: readonly string[]): Way[] {
    const way = (
      words: string,
      needs: Needs,
      holds: Way["holds"],
      more: Partial<Way> & { text?: string } = {},
    ): Way => ({
      name: [words, more.text].join(" "),
      needs,
      holds,
      async ask(who, id) {
        const env = { XDG_CONFIG_HOME: join(workshop.folder, who) };
        await createProfiles(env).keep({ url: gateway.web, token: tokens[who], name: who, expiresAt: null });
        const { code, stdout, stderr } = await workshop.run(
          [
            ...words.replace("{id}", id).replace("{who}", who).split(" "),
            ...(more.text === undefined ? [] : [more.text]),
            "--gateway",
            gateway.web,
          ],
          { env },
        );
        // A search that finds nothing says so, and ends with 1.
        if (code === 0 || (more.text !== undefined && code === 1)) {
          const answer = seen(stdout);
          return more.isForAll ? only(id, answer) : answer;
        }
        const right = rightIn({ 3: "denied", 4: "not_found" }[code] ?? stderr, stderr);
        return { right, said: stderr.replace(/^request: .*\n/m, ""), text: stdout };
      },
      ...more,
    });
    return [
      way("sessions show {id}", "facts", "sealed"),
      way("recordings verify {id}", "facts", "sealed", { tells: checking }),
      way("play {id} --speed 8x", "play", "shown", { tells: playing }),
      ...(["text", "json", "yaml"] as const).map((format) =>
        way(`play {id} -f ${format}`, "play", format === "text" ? "shown" : "both", { tells: playing }),
      ),
      ...[shown, typed].flatMap((text) => {
        const holds = text === shown ? "shown" : "typed";
        const everywhere = { event: "session.recording.search", query: text };
        return [
          way("recordings search {id}", "play", holds, { text, tells: searching(text) }),
          way("search", "play", holds, { text, tells: everywhere, isForAll: true }),
        ];
      }),
      ...exports.map((format) =>
        way(`recordings export {id} -o - -f ${format}`, "take", holdsOf(format), { tells: taking(format) }),
      ),
      way("recordings download {id} -o {who}.tar --force", "take", "sealed", { tells: taking("bundle") }),
    ];
  }
}

/** What a search of all recordings shows of this one. */
function found(way: Way, wanted: Record<(typeof rights)[number], Right>): Right {
  const may = wanted.play === "yes" && (way.holds !== "typed" || wanted.typed === "yes");
  return may ? "yes" : "hidden";
}
function only(id: string, answer: Answer): Answer {
  if (answer.right !== "yes" || answer.text.includes(id)) return answer;
  return { right: "hidden", said: "nothing found", text: "" };
}

const seen = (text: string): Answer => ({ right: "yes", said: "", text: readable(text) });
/** With what stands in it as base64, as the bytes of frames and files do. */
function readable(text: string): string {
  const encoded = text.matchAll(/[A-Za-z0-9+/]{16,}={0,2}/g);
  return [text, ...encoded.map(([one]) => readable(Buffer.from(one, "base64").toString("latin1")))].join(
    "\n",
  );
}

function holdsOf(format: string): Way["holds"] {
  if (format === "bundle") return "log";
  if (format === "gif") return "sealed";
  // A cast is what was seen.
  return format === "json" ? "both" : "shown";
}

function rightIn(code: string, detail: string): Right {
  if (code === "not_found") return "hidden";
  if (code === "denied") return /somebody else has approved/.test(detail) ? "asks" : "no";
  throw new Error(`neither allowed nor refused: ${code} ${detail}`);
}
