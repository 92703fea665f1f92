import type { Clock, Random } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { User, WebSession, WebSessions } from "../directory/mod.ts";
import { hashOf, secret } from "./identity.ts";

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

export function createBeginSession(options: {
  webSessions: Pick<WebSessions, "create">;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  random: Random;
  sessionMs: number;
}): BeginSession {
  const { webSessions, audit, clock, random, sessionMs } = options;
  return async (user, { method, remoteAddress, client, userAgent, mfaAtMs, approvedFrom }) => {
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
