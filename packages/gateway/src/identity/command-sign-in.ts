import { createHash, timingSafeEqual } from "node:crypto";
import { type Clock, GatehouseError, type Random, newId } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { CommandSignIn as Kept, CommandSignIns, Users } from "../directory/mod.ts";
import type { BeginSession } from "./begin-session.ts";
import { hashOf, secret } from "./identity.ts";

/**
 * Signing the command line in with a browser. The command keeps a secret and shows its hash. Where the browser is on the same
 * machine the answer goes to a port there, with a code that only that machine sees, so a link that somebody else sent leads
 * nowhere; where it is not, the person types a short code that the command showed, and the command asks until it is answered
 * (after RFC 8628).
 */
export type CommandSignIn = {
  ask(asked: {
    challenge: string;
    client: string;
    remoteAddress: string;
    /** A port of the person's own machine, and what the command wants to find again there. */
    callback?: { port: number; state: string };
  }): Promise<{ id: string; userCode: string | undefined; intervalMs: number; expiresAtMs: number }>;
  /** What is asked for; undefined for what is not there, was answered, or is not found in this way. */
  find(by: { id: string } | { userCode: string }): Promise<Kept | undefined>;
  /** Where to lead the browser, if anywhere. `conflict` when it was answered before. */
  answer(
    asked: Kept,
    how: {
      approved: boolean;
      user: { id: string; name: string };
      remoteAddress: string;
      /** When they last gave a second factor: the command's session knows it too. */
      mfaAtMs?: number | undefined;
    },
  ): Promise<string | undefined>;
  /** For the command: a session, or how long to wait. `denied` and `unauthenticated` end the asking. */
  fetch(shown: {
    id: string;
    verifier: string;
    code: string | undefined;
    remoteAddress: string;
  }): Promise<
    | { status: "pending" | "slow_down"; intervalMs: number }
    | { status: "done"; token: string; expiresAtMs: number }
  >;
};

const lifetimeMs = 10 * 60_000;
const intervalMs = 2_000;
/** Anybody may ask, so the number that wait is held. */
const waitingMax = 1_000;
/** RFC 8628 §6.1: no vowels, so that no words come about. 8 of 20 letters are 34 bits for ten minutes. */
const codeLetters = "BCDFGHJKLMNPQRSTVWXZ";
const codeLength = 8;

export function createCommandSignIn(options: {
  commandSignIns: CommandSignIns;
  users: Pick<Users, "byId">;
  begin: BeginSession;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): CommandSignIn {
  const { commandSignIns, users, begin, audit, clock, random } = options;
  return {
    async ask({ challenge, client, remoteAddress, callback }) {
      if ((await commandSignIns.count()) >= waitingMax)
        throw new GatehouseError({
          code: "unavailable",
          op: "identity.command",
          message: "too many sign-ins wait for their answer",
          hint: "Try again in a few minutes.",
        });
      const id = newId(clock.nowMs(), random);
      const userCode = callback ? undefined : newUserCode(random);
      const expiresAtMs = clock.nowMs() + lifetimeMs;
      await commandSignIns.create({
        id,
        challenge,
        client,
        remoteAddress,
        ...(userCode !== undefined && { userCode }),
        ...(callback && { callback: callbackUrl(callback) }),
        intervalMs,
        expiresAtMs,
      });
      return { id, userCode, intervalMs, expiresAtMs };
    },
    async find(by) {
      const found = await commandSignIns.find(by);
      if (found?.state !== "pending") return undefined;
      // By its id alone it is found only where the answer goes to the person's own machine: else a link would be enough to make
      // somebody sign a stranger in.
      return "id" in by && found.callback === undefined ? undefined : found;
    },
    async answer({ id, callback, client }, { approved, user, remoteAddress, mfaAtMs }) {
      const code = callback === undefined ? undefined : secret(random);
      const done = await commandSignIns.answer(
        id,
        approved
          ? {
              userId: user.id,
              approvedFrom: remoteAddress,
              ...(mfaAtMs !== undefined && { mfaAtMs }),
              ...(code !== undefined && { codeHash: hashOf(code) }),
            }
          : { denied: true },
      );
      if (!done)
        throw new GatehouseError({
          code: "conflict",
          op: "identity.command",
          message: "this sign-in was answered already, or has expired",
          hint: "Begin again on the command line.",
        });
      if (!approved)
        await audit.append({
          event: "user.login",
          user: user.name,
          success: false,
          remoteAddress,
          fields: { method: methodOf(callback), client, error: "refused by the person" },
        });
      if (callback === undefined) return undefined;
      return `${callback}&${code !== undefined && approved ? `code=${code}` : "error=denied"}`;
    },
    async fetch({ id, verifier, code, remoteAddress }) {
      const found = await commandSignIns.find({ id });
      if (!found || !isSame(found.challenge, challengeOf(verifier))) throw gone();
      if (found.state === "denied")
        throw new GatehouseError({
          code: "denied",
          op: "identity.command",
          message: "the sign-in was refused in the browser",
        });
      if (found.state === "pending") {
        const asked = await commandSignIns.asked(id);
        return { status: asked.tooSoon ? "slow_down" : "pending", intervalMs: asked.intervalMs };
      }
      if (found.codeHash !== undefined && (code === undefined || !isSame(found.codeHash, hashOf(code))))
        throw gone();
      const user = await users.byId(found.userId);
      if (!(await commandSignIns.take(id)) || !user || user.disabled) throw gone();
      const session = await begin(user, {
        method: methodOf(found.callback),
        remoteAddress,
        client: found.client,
        approvedFrom: found.approvedFrom,
        ...(found.mfaAtMs !== undefined && { mfaAtMs: found.mfaAtMs }),
      });
      return { status: "done", ...session };
    },
  };
}

const methodOf = (callback: string | undefined) => (callback === undefined ? "device_code" : "browser");

/** RFC 8252 §7.3: the address, not the name, which a hosts file could send elsewhere. */
const callbackUrl = ({ port, state }: { port: number; state: string }) =>
  `http://127.0.0.1:${port}/signed-in?state=${encodeURIComponent(state)}`;

/** RFC 7636 §4.2, S256. */
const challengeOf = (verifier: string) => createHash("sha256").update(verifier).digest("base64url");

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function newUserCode(random: Random): string {
  let code = "";
  // Bytes past the last whole round of letters would make some of them likelier.
  const limit = 256 - (256 % codeLetters.length);
  while (code.length < codeLength)
    for (const byte of random.bytes(codeLength))
      if (byte < limit && code.length < codeLength) code += codeLetters[byte % codeLetters.length];
  return code;
}

function gone(): GatehouseError {
  return new GatehouseError({
    code: "unauthenticated",
    op: "identity.command",
    message: "this sign-in has expired, was used, or was never asked for",
    hint: "Begin again: gatehouse login.",
  });
}
