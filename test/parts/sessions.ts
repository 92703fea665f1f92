/**
 * Sessions of a whole gateway as a test looks at them: waited for by what they are, and read back from the store.
 */
import assert from "node:assert/strict";
import type { Session } from "@gatehouse/contracts/rest";
import type { WireFrame } from "@gatehouse/contracts/rest";
import { type Statement, statements } from "@gatehouse/recording";
import type { Gateway } from "./gateway.ts";

/** Long enough for a busy machine; a test that waits so long has failed. */
const deadlineMs = 30_000;
const pollMs = 15;

/** Resolves with what `look` finds; the API tells of no change, so it is asked until the deadline. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  withinMs = deadlineMs,
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > until) throw new Error(`waited ${withinMs / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** The newest session that fits, as soon as it is listed. */
export function awaitSession(gateway: Gateway, fits: (session: Session) => boolean): Promise<Session> {
  return eventually("a session", async () => {
    const { items } = await gateway.admin.sessions.list({ limit: 100 });
    return items.find(fits);
  });
}

/** The newest session that fits, when all of its recording is in the store, read back and verified. */
export function awaitStored(
  gateway: Gateway,
  fits: (session: Session) => boolean = () => true,
): Promise<Session> {
  let last: Session | undefined;
  return eventually("a stored recording", async () => {
    const { items } = await gateway.admin.sessions.list({ limit: 100 });
    last = items.find(fits);
    return last?.recording.state === "stored" ? last : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; last seen ${JSON.stringify(last)}\n${gateway.output().slice(-4000)}`);
  });
}

export type Recorded = {
  readonly session: Session;
  readonly frames: readonly WireFrame[];
  /** All bytes of these kinds, in order. */
  bytes(...kinds: string[]): Buffer;
  /** The frames of a kind whose data is JSON. */
  json(kind: string): Record<string, unknown>[];
};

/** What the store holds of a session. */
export async function recorded(gateway: Gateway, session: Session): Promise<Recorded> {
  const frames: WireFrame[] = [];
  for await (const frame of gateway.admin.recordings.frames(session.id))
    // A frame's data is a view into its chunk.
    frames.push({ ...frame, data: Uint8Array.from(frame.data) });
  const of = (kinds: readonly string[]) => frames.filter(({ kind }) => kinds.includes(kind));
  return {
    session,
    frames,
    bytes: (...kinds) => Buffer.concat(of(kinds).map(({ data }) => data)),
    json: (kind) =>
      of([kind]).map(({ data }) => JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>),
  };
}

/** The statements of a session of a database. */
export async function recordedStatements(gateway: Gateway, session: Session): Promise<Statement[]> {
  const all: Statement[] = [];
  for await (const statement of statements((await recorded(gateway, session)).frames)) all.push(statement);
  return all;
}

/** Waits until it is stored, and reads it. */
export async function recordedSession(
  gateway: Gateway,
  fits?: (session: Session) => boolean,
): Promise<Recorded> {
  return recorded(gateway, await awaitStored(gateway, fits));
}

/** Events of a kind, oldest first, as `[code, fields]`; waits until there are as many as expected. */
export async function awaitEvents(
  gateway: Gateway,
  query: { event: string; session?: string; user?: string },
  count = 1,
): Promise<{ code: string; user: string; success: boolean; fields: Record<string, unknown> }[]> {
  let seen = 0;
  return eventually(`${count} ${query.event} in the audit log`, async () => {
    const { items } = await gateway.admin.audit.list({ ...query, limit: 200 });
    seen = items.length;
    return items.length >= count ? items.toReversed() : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; there are ${seen}`);
  });
}

/** The events of a session by name, in the order of the log. */
export async function eventNames(gateway: Gateway, session: Session): Promise<string[]> {
  const { items } = await gateway.admin.audit.list({ session: session.id, limit: 200 });
  assert.ok(items.every((event) => event.sessionId === session.id));
  return items.toReversed().map(({ event, code }) => `${event} ${code}`);
}
