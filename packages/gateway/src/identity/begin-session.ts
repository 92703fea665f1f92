import { type Clock, GatehouseError, type Random } from "@gatehouse/kernel";
import { decide } from "../access/mod.ts";
import type { AuditLog } from "../audit/mod.ts";
import type { User, Users, WebSession, WebSessions } from "../directory/mod.ts";
import { hashOf, secret } from "./identity.ts";
import { noteRefusal } from "./note-refusal.ts";
import type { Standing } from "./standing.ts";

/** How somebody showed who they are. */
export type SignInMethod = {
  method: string;
  remoteAddress: string;
  /** What the other side says of itself. */
  client?: string;
  userAgent?: string;
  /** When a second factor was given. */
  mfaAtMs?: number;
  /** Where it was approved, where that was elsewhere. */
  approvedFrom?: string;
};

/** What every way in ends with, whatever it asked for before. */
export type BeginSession = (
  user: Pick<User, "id" | "name">,
  how: SignInMethod,
) => Promise<{ token: string; expiresAtMs: number; session: WebSession }>;

const userAgentCharsMax = 256;

/** Rejects with `denied`, and says why, for somebody who is locked: whoever proved who they are may know. */
export function createBeginSession(options: {
  users: Pick<Users, "byId">;
  standing: Standing;
  webSessions: Pick<WebSessions, "create">;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  random: Random;
  sessionMs: number;
}): BeginSession {
  const { users, standing, webSessions, audit, clock, random, sessionMs } = options;

  /** What stands against what everybody may: only a lock can. */
  async function whyShut(userId: string, remoteAddress: string): Promise<string | undefined> {
    const user = await users.byId(userId);
    if (!user) return "this account is gone";
    const subject = { id: user.id, name: user.name, ...(await standing(user)) };
    const context = { remoteAddress, nowMs: clock.nowMs() };
    return decide({ subject, action: "self.read", resource: {}, context }).because;
  }

  return async (user, { method, remoteAddress, client, userAgent, mfaAtMs, approvedFrom }) => {
    const shut = await whyShut(user.id, remoteAddress);
    if (shut !== undefined) {
      await noteRefusal(audit, user.name, { method, error: shut, remoteAddress });
      throw new GatehouseError({ code: "denied", op: "identity.session", message: shut });
    }
    // Audited before it takes effect: a sign-in that the log did not take does not happen.
    await audit.append({
      event: "user.login",
      user: user.name,
      success: true,
      remoteAddress,
      fields: {
        method,
        ...(client !== undefined && { client }),
        ...(mfaAtMs !== undefined && { second_factor: true }),
        ...(approvedFrom !== undefined && { approved_from: approvedFrom }),
      },
    });
    const token = secret(random);
    const expiresAtMs = clock.nowMs() + sessionMs;
    const session = await webSessions.create({
      hash: hashOf(token),
      userId: user.id,
      method,
      remoteAddress,
      userAgent: (userAgent ?? client ?? "").slice(0, userAgentCharsMax),
      expiresAtMs,
      ...(mfaAtMs !== undefined && { mfaAtMs }),
    });
    return { token, expiresAtMs, session };
  };
}
