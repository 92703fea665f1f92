import {
  type Health,
  type Person,
  type Session,
  type SshKey,
  type Target,
  type Verification,
  type WireFrame,
  accessPolicy,
} from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError, fromUtf8, newId, systemRandom, utf8 } from "@gatehouse/kernel";
import { createHash } from "node:crypto";
import { decide, sessionScope } from "../../../access/mod.ts";
import { createParts } from "../../../playback/mod.ts";
import type { Entered, Principal, RestDoors } from "../../door.ts";
import { memoryAccounts } from "./memory-accounts.ts";
import { memoryFactors } from "./memory-factors.ts";
import { memoryAccess } from "./memory-access.ts";
import { mayKeep, memoryCustody } from "./memory-custody.ts";
import { memoryAudit, pageOf } from "./memory-audit.ts";
import { memorySearch } from "./memory-search.ts";
import { memoryIndexes } from "./memory-index.ts";
import { type MemoryLive, memoryLive } from "./memory-live.ts";
import { type Sample, samplePeople, sampleSessions, sampleTargets } from "./sample-sessions.ts";

/** What the doors were asked, for tests to look at. */
export type MemoryGate = {
  doors: RestDoors;
  samples: Sample[];
  audited: { event: string; user: string; sessionId?: string }[];
  say: MemoryLive["say"];
  /** An alarm of a recording. */
  raise(sessionId: string): void;
  /** Makes a one-time link's token for a person. */
  link(name: keyof typeof samplePeople): string;
};

function notFound(what: string): never {
  throw new GatehouseError({ code: "not_found", op: "memory", message: `there is no such ${what}` });
}

function recordingCounts(sessions: readonly Session[]): Health["recordings"] {
  const count = (state: Session["recording"]["state"]) =>
    sessions.filter((session) => session.recording.state === state).length;
  return {
    recording: count("recording"),
    shipping: count("shipping"),
    stored: count("stored"),
    interrupted: count("interrupted"),
    corrupt: count("corrupt"),
    expired: count("expired"),
    held: count("held"),
  };
}

/** Everything that the REST API stands on, in memory, over sample recordings: for tests and for working on the pages. */
export function memoryGate(clock: Clock): MemoryGate {
  const samples = sampleSessions(clock.nowMs());
  const links = new Map<string, string>();
  const webSessions = new Map<string, string>();
  const audited: MemoryGate["audited"] = [];
  const iso = (ms: number) => new Date(ms).toISOString();
  const startedAt = iso(clock.nowMs() - 41 * 3_600_000);

  const people: Person[] = Object.values(samplePeople).map((person, i) => ({
    id: person.id,
    name: person.name,
    displayName: ["Ada Lind", "Otto Brandt", "Jane Doe", "Sam Okafor"][i] as string,
    roles: [...person.roles],
    disabled: false,
    createdAt: iso(clock.nowMs() - 90 * 86_400_000),
    sshKeys: 1,
    lastSeenAt: i === 1 ? null : iso(clock.nowMs() - (i + 1) * 1_900_000),
  }));
  const keys = new Map<string, SshKey[]>(
    people.map((person, i) => [
      person.id,
      [
        {
          id: newId(clock.nowMs(), systemRandom),
          fingerprint: `SHA256:${createHash("sha256").update(person.name).digest("base64").slice(0, 43)}`,
          algorithm: i === 0 ? "sk-ssh-ed25519@openssh.com" : "ssh-ed25519",
          comment: `${person.name}@laptop`,
          publicKey: `ssh-ed25519 ${createHash("sha512").update(person.name).digest("base64")}`,
          addedAt: person.createdAt,
          lastUsedAt: person.lastSeenAt,
        },
      ],
    ]),
  );
  const hostKey = (name: string) => ({
    algorithm: "ssh-ed25519",
    fingerprint: `SHA256:${createHash("sha256").update(`host ${name}`).digest("base64").slice(0, 43)}`,
    publicKey: `ssh-ed25519 ${createHash("sha512").update(name).digest("base64")}`,
  });
  const targets: Target[] = sampleTargets.map((target, i) => ({
    id: target.id,
    name: target.name,
    protocol: "ssh",
    host: target.host,
    port: 22,
    labels: { env: i === 3 ? "build" : "production" },
    allowRoles: i < 2 ? ["user"] : [],
    allowUsers: i < 2 ? [] : ["sam.ops"],
    permits: { localForward: i === 2, remoteForward: false, agentForward: false, x11Forward: false },
    access: {},
    logins: [
      { name: "root", credential: "certificate", credentialSetAt: null },
      {
        name: "deploy",
        credential: i === 1 ? "none" : "private-key",
        credentialSetAt: i === 1 ? null : startedAt,
      },
    ],
    credentialKinds: ["certificate", "private-key", "password"],
    hostTrust: i === 3 ? { kind: "none", keys: [] } : { kind: "pinned", keys: [hostKey(target.name)] },
    createdAt: iso(clock.nowMs() - 60 * 86_400_000),
  }));

  const audit = memoryAudit({ samples, clock });
  const { note } = audit;

  const principalFor = (userId: string, via: Principal["via"]): Principal | undefined => {
    const person = people.find((one) => one.id === userId && !one.disabled);
    return person
      ? {
          subject: { id: person.id, name: person.name, roles: person.roles, leads: [] },
          via,
          channel: via === "web" ? "web" : "cli",
          remoteAddress: "127.0.0.1",
          ...(via === "web" ? { expiresAtMs: clock.nowMs() + 8 * 3_600_000 } : {}),
        }
      : undefined;
  };
  const sampleOf = (id: string) => samples.find((one) => one.session.id === id) ?? notFound("session");
  const targetOf = (id: string) => targets.find((one) => one.id === id) ?? notFound("target");
  const personOf = (id: string) => people.find((one) => one.id === id) ?? notFound("person");
  const has = (text: string, part: string | undefined) =>
    part === undefined || text.toLowerCase().includes(part.toLowerCase());

  /** Decides and notes, as the playback room does. */
  const watched = (
    principal: Principal,
    sessionId: string,
    action: "session.view" | "recording.play" | "recording.export",
  ) => {
    const one = sampleOf(sessionId);
    const decision = decide({
      subject: principal.subject,
      action,
      resource: { ownerId: one.session.user.id },
    });
    if (!decision.allowed)
      throw new GatehouseError({
        code: "denied",
        op: "playback",
        message: `${principal.subject.name} may not watch this recording`,
      });
    audited.push({ event: action, user: principal.subject.name, sessionId });
    return one;
  };

  const indexes = memoryIndexes();
  const live = memoryLive({ samples, clock, audited });
  const accounts = memoryAccounts();
  const custody = memoryCustody({ samples, clock, audited });
  const enter = (userId: string, principal: Principal): Entered => {
    const cookie = newId(clock.nowMs(), systemRandom);
    webSessions.set(cookie, userId);
    audited.push({ event: "user.login", user: principal.subject.name });
    return { principal, cookie, expiresAtMs: clock.nowMs() + 8 * 3_600_000 };
  };
  const doors: RestDoors = {
    identity: {
      async signInByLink(token) {
        const userId = links.get(token);
        links.delete(token);
        const principal = userId === undefined ? undefined : principalFor(userId, "web");
        if (!principal || userId === undefined)
          throw new GatehouseError({
            code: "unauthenticated",
            op: "identity.link",
            message: "this link was used already, has expired, or was never made",
            hint: "Make a new one with `gatehouse users link <name>` on the gateway.",
          });
        return enter(userId, principal);
      },
      async signInByPassword({ name, password }) {
        const person = people.find((one) => one.name === name);
        const principal = person && principalFor(person.id, "web");
        if (!principal || !accounts.isPassword(person.id, password))
          throw new GatehouseError({
            code: "unauthenticated",
            op: "identity.password",
            message: "wrong name or password",
          });
        return enter(person.id, principal);
      },
      ...memoryFactors.identity,
      async whoIs(credential) {
        if (credential.kind === "admin-socket")
          return {
            subject: {
              id: "local-administrator",
              name: "local administrator",
              roles: ["platform-admin"],
              leads: [],
            },
            via: "admin-socket",
            channel: "cli",
            remoteAddress: "",
          };
        const userId = webSessions.get(credential.token);
        const via = credential.kind === "bearer" ? "token" : "web";
        return userId === undefined ? undefined : principalFor(userId, via);
      },
      async signOut(cookie) {
        webSessions.delete(cookie);
      },
    },
    accounts: accounts.door,
    factors: memoryFactors.factors,
    signIns: memoryFactors.signIns,
    access: {
      decide: ({ subject, remoteAddress }, action, resource) =>
        decide({ subject, action, resource, context: { remoteAddress, nowMs: clock.nowMs() } }),
      sessionScope: ({ subject, remoteAddress }) =>
        sessionScope(subject, { remoteAddress, nowMs: clock.nowMs() }),
    },
    sessions: {
      async list(query, scope) {
        const fits = (session: Session) =>
          (scope === "all" || session.user.id === scope.ownerId) &&
          (query.user === undefined || session.user.name === query.user || session.user.id === query.user) &&
          (query.target === undefined ||
            session.target.name === query.target ||
            session.target.id === query.target) &&
          (query.kind === undefined || session.kind === query.kind) &&
          (query.state === undefined || session.state === query.state) &&
          (query.recording === undefined || session.recording.state === query.recording) &&
          (query.from === undefined || session.startedAt >= query.from) &&
          (query.to === undefined || session.startedAt < query.to) &&
          has(
            `${session.user.name} ${session.login} ${session.target.name} ${session.command ?? ""}`,
            query.q,
          );
        return pageOf(samples.map((one) => one.session).filter(fits), query);
      },
      get: async (id) => sampleOf(id).session,
      events: audit.ofSession,
      resourceOf: async (id) => ({ ownerId: sampleOf(id).session.user.id, ownerTeams: [] }),
    },
    moderation: live.door,
    custody: custody.door,
    searching: memorySearch(samples),
    playback: {
      overview: async (principal, id) => indexes.overview(watched(principal, id, "recording.play")),
      screen: async (principal, id, { atUs }) =>
        indexes.screen(watched(principal, id, "recording.play"), atUs),
      text: async (principal, id, { block }) => indexes.text(watched(principal, id, "recording.play"), block),
      pictures: async (principal, id) => indexes.pictures(watched(principal, id, "recording.play")),
      async search(principal, id, search) {
        const { text } = search;
        const sample = watched(principal, id, "recording.play");
        const { frames } = sample;
        const indexed = await indexes.search(sample, search);
        if (indexed) return indexed;
        const frame = frames.find(({ kind, data }) => kind === "output" && fromUtf8(data).includes(text));
        const found = { source: "screen" as const, text, at: 0, length: text.length };
        return {
          hits: frame ? [{ timeUs: frame.timeUs, ...found }] : [],
          next: null,
          watermark: null,
          isWhole: true,
        };
      },
      watermark: async (_principal, id) => sampleOf(id).recording.watermark ?? undefined,
      async makeIndex(principal, id) {
        const sample = watched(principal, id, "recording.play");
        if (sample.session.recording.state === "corrupt")
          throw new GatehouseError({
            code: "corrupt",
            op: "index.make",
            message: "no index could be made: segment 2 does not carry the hash of segment 1",
          });
        indexes.make(sample);
        return { name: "index-0001", bytes: 0, keyframes: 0, isNew: true };
      },
      async get(principal, id) {
        const { recording, session } = watched(principal, id, "session.view");
        return {
          ...recording,
          state: session.recording.state,
          may: mayKeep(principal.subject, session),
        };
      },
      async frames(principal, id, window) {
        const { frames, session } = watched(principal, id, "recording.play");
        return inWindow(frames, window, session.recording.state === "corrupt");
      },
      async export(principal, id, format, reader, { cut = {} } = {}) {
        const head = format === "gif" ? `gif ${JSON.stringify(cut)}` : format;
        const { frames, session } = watched(principal, id, "recording.export");
        return {
          fileName: `${session.id}.${format}`,
          contentType: "text/plain; charset=utf-8",
          chunks: exportOf(frames, head),
          ...(session.state !== "live" && {
            same: {
              tag: `7-${format}`,
              ...(format !== "gif" && {
                part: (asked) => createParts().of(asked, () => exportOf(frames, head), reader),
              }),
            },
          }),
        };
      },
      async verify(principal, id): Promise<Verification> {
        const { session } = watched(principal, id, "session.view");
        const bad = session.recording.state === "corrupt";
        const isOpen = session.state === "live";
        const absent = { status: "absent" as const, detail: "the recording is still being made" };
        return {
          sessionId: id,
          ok: !bad && !isOpen,
          checkedAt: iso(clock.nowMs()),
          checks: [
            { name: "segments", status: "ok", detail: "3 segments read and decrypted" },
            bad
              ? { name: "chain", status: "failed", detail: "segment 2 does not carry the hash of segment 1" }
              : { name: "chain", status: "ok", detail: "every segment carries the hash of the one before" },
            {
              name: "signature",
              ...(isOpen ? absent : { status: "ok" as const, detail: "signed by this gateway's key" }),
            },
            {
              name: "audit",
              ...(isOpen ? absent : { status: "ok" as const, detail: "the audit log names the same head" }),
            },
          ],
          headSha256: session.recording.headSha256,
          frames: session.recording.frames,
          firstFault: bad ? "segment 2" : null,
        };
      },
    },
    people: {
      list: async (query) =>
        pageOf(
          people.filter((one) => has(`${one.name} ${one.displayName ?? ""}`, query.q)),
          query,
        ),
      get: async (id) => personOf(id),
      async create(principal, person) {
        if (people.some((one) => one.name === person.name))
          throw new GatehouseError({
            code: "conflict",
            op: "people.create",
            message: `there is already a ${person.name}`,
          });
        const made: Person = {
          id: newId(clock.nowMs(), systemRandom),
          name: person.name,
          displayName: person.displayName ?? null,
          roles: person.roles ?? ["user"],
          disabled: false,
          createdAt: iso(clock.nowMs()),
          sshKeys: 0,
          lastSeenAt: null,
        };
        people.push(made);
        keys.set(made.id, []);
        note("user.create", "T1002I", principal.subject.name, { fields: { name: made.name } });
        return made;
      },
      async update(_principal, id, change) {
        const person = personOf(id);
        if (change.displayName !== undefined) person.displayName = change.displayName;
        if (change.roles) person.roles = change.roles;
        if (change.disabled !== undefined) person.disabled = change.disabled;
        return person;
      },
      async signInLink(_principal, id) {
        const token = newId(clock.nowMs(), systemRandom);
        links.set(token, personOf(id).id);
        return {
          personId: id,
          url: `http://localhost/sign-in#token=${token}`,
          expiresAt: iso(clock.nowMs() + 900_000),
        };
      },
      sshKeys: async (id) => keys.get(personOf(id).id) ?? [],
      async addSshKey(_principal, id, publicKey) {
        const [algorithm, blob, ...comment] = publicKey.split(" ");
        if (!algorithm || !blob)
          throw new GatehouseError({
            code: "invalid",
            op: "people.addSshKey",
            message: "that is no SSH public key",
          });
        const key: SshKey = {
          id: newId(clock.nowMs(), systemRandom),
          fingerprint: `SHA256:${createHash("sha256").update(blob).digest("base64").slice(0, 43)}`,
          algorithm,
          comment: comment.join(" "),
          publicKey: `${algorithm} ${blob}`,
          addedAt: iso(clock.nowMs()),
          lastUsedAt: null,
        };
        keys.get(personOf(id).id)?.push(key);
        personOf(id).sshKeys++;
        return key;
      },
      async removeSshKey(_principal, id, keyId) {
        const all = keys.get(personOf(id).id) ?? [];
        const at = all.findIndex((key) => key.id === keyId);
        if (at < 0) notFound("key");
        all.splice(at, 1);
        personOf(id).sshKeys--;
      },
    },
    ...memoryAccess(clock),
    credentials: {
      rekey: async () => ({ keyId: "0011223344556677", resealed: 0, keysDropped: 1, unreadable: [] }),
    },
    connections: {
      async resourceOf(targetId, login) {
        const { id, name, protocol, labels, allowRoles, allowUsers, logins } = targetOf(targetId);
        const accounts = logins.map((one) => one.name);
        const target = { id, name, protocol, labels, allowRoles, allowUsers, logins: accounts, policy: {} };
        return { login, target };
      },
      async open(_principal, targetId, login) {
        const { name, protocol } = targetOf(targetId);
        const expiresAt = new Date(clock.nowMs() + 900_000).toISOString();
        return {
          protocol,
          host: "127.0.0.1",
          port: 5433,
          user: `${login}+${name}`,
          password: "of-the-memory-door",
          expiresAt,
          certificate: "",
        };
      },
    },
    targets: {
      async list(query, scope) {
        const visible = targets.filter(
          (one) =>
            scope === "all" ||
            one.allowUsers.includes(scope.subject.name) ||
            scope.subject.roles.some((role) => one.allowRoles.includes(role)),
        );
        return pageOf(
          visible.filter((one) => has(`${one.name} ${one.host}`, query.q)),
          query,
        );
      },
      get: async (id) => targetOf(id),
      async create(_principal, target) {
        const made: Target = {
          id: newId(clock.nowMs(), systemRandom),
          name: target.name,
          protocol: target.protocol ?? "ssh",
          host: target.host,
          port: target.port,
          labels: target.labels ?? {},
          access: accessPolicy.parse(target.access ?? {}),
          allowRoles: target.allowRoles ?? [],
          allowUsers: target.allowUsers ?? [],
          permits: {
            localForward: false,
            remoteForward: false,
            agentForward: false,
            x11Forward: false,
            ...definedOf(target.permits ?? {}),
          },
          logins: (target.logins ?? []).map((name) => ({
            name,
            credential: "certificate",
            credentialSetAt: null,
          })),
          credentialKinds: ["certificate", "private-key", "password"],
          hostTrust: { kind: "none", keys: [] },
          createdAt: iso(clock.nowMs()),
        };
        targets.push(made);
        return made;
      },
      async update(_principal, id, change) {
        const target = targetOf(id);
        const { logins, permits, ...plain } = change;
        Object.assign(target, definedOf(plain));
        if (permits) Object.assign(target.permits, definedOf(permits));
        if (logins)
          target.logins = logins.map(
            (name) =>
              target.logins.find((one) => one.name === name) ?? {
                name,
                credential: "certificate",
                credentialSetAt: null,
              },
          );
        return target;
      },
      async remove(_principal, id) {
        targets.splice(targets.indexOf(targetOf(id)), 1);
      },
      async rotateCredential(_principal, id, login, credential) {
        const found = targetOf(id).logins.find((one) => one.name === login) ?? notFound("login");
        found.credential = credential.kind;
        found.credentialSetAt = iso(clock.nowMs());
      },
      async setCredential(_principal, id, login, credential) {
        const found = targetOf(id).logins.find((one) => one.name === login) ?? notFound("login");
        found.credential = credential.kind;
        found.credentialSetAt = credential.kind === "certificate" ? null : iso(clock.nowMs());
      },
      async removeCredential(_principal, id, login) {
        const found = targetOf(id).logins.find((one) => one.name === login) ?? notFound("login");
        found.credential = "certificate";
        found.credentialSetAt = null;
      },
      async scanHostKeys(_principal, id) {
        const target = targetOf(id);
        return {
          scannedAt: iso(clock.nowMs()),
          address: `${target.host}:${target.port}`,
          keys: [hostKey(target.name)],
        };
      },
      async trustHostKeys(_principal, id, trust) {
        const target = targetOf(id);
        target.hostTrust = {
          kind: trust.keys.length > 0 ? trust.kind : "none",
          keys: trust.keys.map((publicKey) => ({ ...hostKey(target.name), publicKey })),
        };
        return target;
      },
    },
    audit: audit.door,
    health: {
      status: async () => ({
        status: "degraded",
        findings: [
          {
            level: "warning",
            message: "the store refuses overwriting by itself, but early deletion only through Gatehouse",
            hint: "Use a store with object lock to have it refused by the store itself.",
          },
        ],
        gateway: { id: "gate-1", version: "0.1.0", startedAt },
        sessions: { live: samples.filter((one) => one.session.state === "live").length },
        journal: {
          capacityBytes: 1_073_741_824,
          usedBytes: 38_120_448,
          reservedBytes: 67_108_864,
          failure: null,
        },
        shipping: { waitingSegments: 2, waitingBytes: 1_310_720, lastError: null },
        store: {
          kind: "filesystem",
          location: "/var/lib/gatehouse/recordings",
          reachable: true,
          lastError: null,
          overwrite: "backend",
          deletion: "gatehouse",
        },
        keyServices: [
          {
            service: "aws",
            key: "arn:aws:kms:eu-central-1:111122223333:key/0d1f5b0e-5f0c-4f0e-9a53-0f6a2b6f2a11",
            wraps: "all",
            reachable: true,
            lastError: null,
            failedForMs: null,
          },
        ],
        recordings: recordingCounts(samples.map((one) => one.session)),
        audit: { appendable: true, events: audit.eventCount(), lastError: null },
      }),
    },
    authorities: {
      sshHost: async () =>
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBqSYWyUfqvJwJbTTn4rZz2Q5m1v8o2xuDpTtUxJZb3o gatehouse-host-ca",
      sshUser: async () => undefined,
      recordings: async () =>
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA12rMoCEBwtT4hLyBXhFvYlYBa5WhLGTu7UkxUHGkqBU=\n-----END PUBLIC KEY-----\n",
      database: async () => undefined,
      grpc: async () => undefined,
    },
  };
  return {
    doors,
    samples,
    audited,
    raise: custody.raise,
    say: live.say,
    link(name) {
      const token = newId(clock.nowMs(), systemRandom);
      links.set(token, samplePeople[name].id);
      return token;
    },
  };
}

function definedOf(change: Record<string, unknown>): Record<string, never> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Record<
    string,
    never
  >;
}

async function* inWindow(
  frames: readonly WireFrame[],
  window: { fromUs: number; toUs?: number },
  breaksOff: boolean,
): AsyncGenerator<WireFrame> {
  for (const frame of frames) {
    if (frame.timeUs < window.fromUs) continue;
    if (window.toUs !== undefined && frame.timeUs >= window.toUs) return;
    if (breaksOff && frame.seq > frames.length / 2)
      throw new GatehouseError({
        code: "corrupt",
        op: "playback.frames",
        message: "segment 2 does not carry the hash of segment 1",
      });
    yield frame;
  }
}

async function* exportOf(frames: readonly WireFrame[], head: string): AsyncGenerator<Uint8Array> {
  yield utf8(`${head}\n`);
  for (const frame of frames) if (frame.kind === "output") yield frame.data;
}
