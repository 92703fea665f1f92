import { type Clock, GatehouseError } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { Passwords, Users, WebSession, WebSessions } from "../directory/mod.ts";
import type { Attempts } from "./attempts.ts";
import type { Waiting } from "./factors/second-step.ts";
import type { PasswordHashes } from "./password-hash.ts";
import { requireGoodPassword } from "./password-rules.ts";
import type { From, SignedIn, WebSignIn } from "./web-sign-in.ts";

export type LocalAccounts = {
  /** Whether passwords let anybody in here. */
  readonly passwordsOpen: boolean;
  /**
   * `unauthenticated`, after the same work, whether there is no such person, they are shut out, have no password, or another
   * one. `rate_limited` where the account or the address must wait.
   */
  signInByPassword(name: string, password: string, from: From): Promise<SignedIn | Waiting>;
  /** When somebody's password was set; undefined where they have none. */
  passwordSetAtMs(userId: string): Promise<number | undefined>;
  /**
   * A person sets their own, in a session of theirs: with the password that they have, or soon after a sign-in by a
   * one-time link. Every other session of theirs ends. Throws `invalid` for one that would be guessed, `denied`, `rate_limited`.
   */
  setPassword(
    session: WebSession,
    change: { password: string; current?: string | undefined },
    remoteAddress: string,
  ): Promise<void>;
  /** False when there was none. */
  removePassword(userId: string): Promise<boolean>;
};

/** How long after signing in a person may change how they sign in. */
const freshMs = 15 * 60_000;

export function createLocalAccounts({
  users,
  passwords,
  webSessions,
  hashes,
  attempts,
  webSignIn,
  audit,
  clock,
  passwordsOpen,
}: {
  users: Pick<Users, "byId" | "byName">;
  passwords: Passwords;
  webSessions: Pick<WebSessions, "revokeOfUser">;
  hashes: PasswordHashes;
  attempts: Attempts;
  webSignIn: WebSignIn;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  passwordsOpen: boolean;
}): LocalAccounts {
  async function isPasswordOf(userId: string | undefined, password: string): Promise<boolean> {
    // The same questions to the database for nobody as for somebody.
    const kept = await passwords.ofUser(userId ?? "");
    const { ok, renewed } = await hashes.verify(kept?.stored, password);
    if (ok && renewed !== undefined && kept && userId !== undefined)
      await passwords.rehash(userId, kept.stored, renewed);
    return ok;
  }

  return {
    passwordsOpen,

    async signInByPassword(name, password, from) {
      if (!passwordsOpen)
        throw new GatehouseError({
          code: "denied",
          op: "identity.password",
          message: "passwords let nobody in here",
          hint: "Use another way in.",
        });
      const attempt = await attempts.begin(name, from.remoteAddress);
      const user = await users.byName(name);
      const ok = await isPasswordOf(user?.id, password);
      if (!user || user.disabled || !ok) {
        const error = "wrong name or password";
        await webSignIn.failed(user?.name, { method: "password", error, ...from });
        throw wrong(error);
      }
      // The password was right, whatever else keeps them out.
      await attempt.succeeded();
      return webSignIn.begin(user, { method: "password", ...from });
    },

    async passwordSetAtMs(userId) {
      return (await passwords.ofUser(userId))?.changedAtMs;
    },

    async setPassword(session, { password, current }, remoteAddress) {
      const user = await users.byId(session.userId);
      if (!user || user.disabled) throw wrong("you are not signed in");
      requireGoodPassword(password, user.name);
      const note = (error?: string) =>
        audit.append({
          event: "user.password_change",
          user: user.name,
          success: error === undefined,
          remoteAddress,
          fields: { user_id: user.id, name: user.name, ...(error !== undefined && { error }) },
        });
      const isFresh = clock.nowMs() - session.createdAtMs <= freshMs;
      // A link that an administrator made is how somebody who forgot their password gets in.
      const needsNone = isFresh && session.method === "link";
      if (!needsNone) {
        if (current === undefined) throw needsProof((await passwords.ofUser(user.id)) !== undefined);
        const attempt = await attempts.begin(user.name, remoteAddress);
        if (!(await isPasswordOf(user.id, current))) {
          await note("the current password is another one");
          throw new GatehouseError({
            code: "denied",
            op: "identity.password",
            message: "this is not your current password",
            hint: "If you forgot it, have a one-time link made: gatehouse users link <name>.",
          });
        }
        await attempt.succeeded();
      }
      const stored = await hashes.hash(password);
      await note();
      await passwords.set(user.id, stored);
      await webSessions.revokeOfUser(user.id, session.id);
    },

    removePassword: (userId) => passwords.remove(userId),
  };
}

function wrong(message: string): GatehouseError {
  return new GatehouseError({ code: "unauthenticated", op: "identity.password", message });
}

function needsProof(hasPassword: boolean): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "identity.password",
    message: hasPassword
      ? "your current password is needed to set another one"
      : "a first password can be set only soon after a sign-in by a one-time link",
    hint: hasPassword
      ? "Give it, or sign in anew with a one-time link."
      : "Have a link made, sign in with it, and set it within a quarter of an hour.",
  });
}
