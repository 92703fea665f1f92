import { type Clock, GatehouseError, type Random, fromBase64, newId, toBase64 } from "@gatehouse/kernel";
import type { AuditLog } from "../../audit/mod.ts";
import type { Factor, Factors, JsonObject, NewFactor, User, WebSession } from "../../directory/mod.ts";
import type { Attempts } from "../attempts.ts";
import { digitsOf, newTotpSecret, stepOfCode, totpWords } from "./one-time-codes.ts";
import { hashOfRecoveryCode, newRecoveryCodes } from "./recovery-codes.ts";

/** What somebody shows as their second factor. */
export type Shown = { code: string };

/** How the secrets of factors are kept from whoever has the database. */
export type FactorSealing = {
  seal(secret: Uint8Array, place: { id: string; kind: string }): Uint8Array;
  /** Throws `corrupt` or `unavailable`. */
  open(envelope: Uint8Array, place: { id: string; kind: string }): Uint8Array;
};

type Who = Pick<User, "id" | "name">;

export type SecondFactors = {
  /** Whether everybody with a local account must have one. */
  readonly isRequired: boolean;
  /** What stands between a first proof of who somebody is and a session. */
  needOf(userId: string): Promise<"second_factor" | "enrolment" | undefined>;
  ofUser(userId: string): Promise<{ factors: readonly Factor[]; recoveryCodesLeft: number }>;
  /**
   * Throws `unauthenticated`, not saying what of it is wrong, and `rate_limited`. What follows from it comes before
   * `succeeded`.
   */
  prove(
    user: Who,
    shown: Shown,
    how: { remoteAddress: string; facts: JsonObject },
  ): Promise<{ succeeded(): Promise<void> }>;
  /** A secret for an authenticator app, and what to keep of it until a code of it has come. */
  offerTotp(user: Who): { secret: string; uri: string; facts: JsonObject };
  /**
   * Adds what was offered, once it was shown to work. With the first factor come recovery codes, shown once. Throws `invalid`
   * for a code that is not of it, `conflict` for one factor too many.
   */
  add(
    user: Who,
    added: { name: string; shown: Shown; facts: JsonObject; remoteAddress: string },
  ): Promise<{ factor: Factor; recoveryCodes: string[] | undefined }>;
  /** Throws `not_found`. */
  rename(userId: string, id: string, name: string): Promise<Factor>;
  /** Theirs, all or one, taken away by `by`. Throws `not_found`. */
  remove(owner: Who, which: string | "all", by: { name: string; remoteAddress: string }): Promise<void>;
  /** Ten others instead of those there were. Throws `conflict` without a factor. */
  renewRecoveryCodes(user: Who, remoteAddress: string): Promise<string[]>;
  /** Throws `denied` unless this session has proved of late that it is the person's own. */
  requireFresh(session: WebSession, what: string): Promise<void>;
};

const factorsMax = 16;
/** How long after proving who they are a person may change how they do. */
const freshMs = 15 * 60_000;

export function createSecondFactors(options: {
  factors: Factors;
  sealing: FactorSealing;
  attempts: Attempts;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  random: Random;
  isRequired: boolean;
  /** What authenticator apps call this gate. */
  issuer: string;
}): SecondFactors {
  const { factors, sealing, attempts, audit, clock, random } = options;

  async function isCodeOf(user: Who, digits: string): Promise<boolean> {
    for (const factor of await factors.ofUser(user.id)) {
      if (factor.kind !== "totp") continue;
      const secret = sealing.open(factor.envelope, factor);
      const step = stepOfCode(secret, digits, clock.nowMs());
      secret.fill(0);
      if (step !== undefined && (await factors.takeStep(factor.id, step))) return true;
    }
    return false;
  }

  async function isRecoveryCodeOf(user: Who, typed: string, remoteAddress: string): Promise<boolean> {
    const ok = await factors.takeRecoveryCode(user.id, hashOfRecoveryCode(user.id, typed));
    await audit.append({
      event: "recovery_code.used",
      user: user.name,
      success: ok,
      remoteAddress,
      fields: { left: await factors.recoveryCodesLeft(user.id) },
    });
    return ok;
  }

  const noteCodes = (user: Who, remoteAddress: string) =>
    audit.append({
      event: "recovery_code.generated",
      user: user.name,
      success: true,
      remoteAddress,
      fields: { owner: user.name },
    });

  const note = (
    event: "mfa.add" | "mfa.delete",
    owner: Who,
    { id, name, kind }: Pick<Factor, "id" | "name" | "kind">,
    by: { name: string; remoteAddress: string },
  ) =>
    audit.append({
      event,
      user: by.name,
      success: true,
      ...(by.remoteAddress !== "" && { remoteAddress: by.remoteAddress }),
      fields: { owner: owner.name, mfa_device_uuid: id, mfa_device_name: name, mfa_device_type: kind },
    });

  function offered({ name, shown, facts }: { name: string; shown: Shown; facts: JsonObject }, user: Who) {
    const { id, envelope } = facts;
    if (typeof id !== "string" || typeof envelope !== "string") throw notOffered();
    const sealed = fromBase64(envelope);
    const secret = sealing.open(sealed, { id, kind: "totp" });
    const digits = digitsOf(shown.code);
    const step = digits === undefined ? undefined : stepOfCode(secret, digits, clock.nowMs());
    secret.fill(0);
    if (step === undefined) throw notOfIt();
    const factor: NewFactor = {
      kind: "totp",
      id,
      userId: user.id,
      name,
      envelope: sealed,
      // The code that showed that it works must not let anybody in afterwards.
      lastStep: step,
    };
    return factor;
  }

  return {
    isRequired: options.isRequired,
    async needOf(userId) {
      if ((await factors.ofUser(userId)).length > 0) return "second_factor";
      return options.isRequired ? "enrolment" : undefined;
    },
    ofUser: async (userId) => ({
      factors: await factors.ofUser(userId),
      recoveryCodesLeft: await factors.recoveryCodesLeft(userId),
    }),
    async prove(user, shown, { remoteAddress }) {
      const attempt = await attempts.begin(user.id, remoteAddress, "second-factor");
      const digits = digitsOf(shown.code);
      const ok =
        digits === undefined
          ? await isRecoveryCodeOf(user, shown.code, remoteAddress)
          : await isCodeOf(user, digits);
      if (!ok) throw wrong();
      return attempt;
    },
    offerTotp(user) {
      const id = newId(clock.nowMs(), random);
      const secret = newTotpSecret(random);
      const words = totpWords(secret, { issuer: options.issuer, name: user.name });
      const envelope = toBase64(sealing.seal(secret, { id, kind: "totp" }));
      secret.fill(0);
      return { ...words, facts: { id, envelope } };
    },
    async add(user, { remoteAddress, ...added }) {
      const before = await factors.ofUser(user.id);
      if (before.length >= factorsMax)
        throw new GatehouseError({
          code: "conflict",
          op: "identity.factors",
          message: `nobody has more than ${factorsMax} second factors`,
          hint: "Remove one that you do not use.",
        });
      const wanted = offered(added, user);
      const codes = before.length === 0 ? newRecoveryCodes(random) : undefined;
      await note("mfa.add", user, wanted, { name: user.name, remoteAddress });
      if (codes) await noteCodes(user, remoteAddress);
      const factor = await factors.add(
        wanted,
        codes?.map((code) => hashOfRecoveryCode(user.id, code)),
      );
      return { factor, recoveryCodes: codes };
    },
    async rename(userId, id, name) {
      if (!(await factors.rename(userId, id, name))) throw notThere(id);
      const renamed = (await factors.ofUser(userId)).find((factor) => factor.id === id);
      if (!renamed) throw notThere(id);
      return renamed;
    },
    async remove(owner, which, by) {
      const had = await factors.ofUser(owner.id);
      const chosen = which === "all" ? had : had.filter(({ id }) => id === which);
      if (chosen.length === 0 && which !== "all") throw notThere(which);
      for (const factor of chosen) {
        await note("mfa.delete", owner, factor, by);
        await factors.remove(owner.id, factor.id);
      }
    },
    async renewRecoveryCodes(user, remoteAddress) {
      if ((await factors.ofUser(user.id)).length === 0)
        throw new GatehouseError({
          code: "conflict",
          op: "identity.factors",
          message: "recovery codes stand in for a second factor, and you have none",
          hint: "Add one first.",
        });
      const codes = newRecoveryCodes(random);
      await noteCodes(user, remoteAddress);
      await factors.setRecoveryCodes(
        user.id,
        codes.map((code) => hashOfRecoveryCode(user.id, code)),
      );
      return codes;
    },
    async requireFresh({ userId, createdAtMs, mfaAtMs }, what) {
      const has = (await factors.ofUser(userId)).length > 0;
      const provedAtMs = has ? mfaAtMs : createdAtMs;
      if (provedAtMs !== undefined && clock.nowMs() - provedAtMs <= freshMs) return;
      throw new GatehouseError({
        code: "denied",
        op: "identity.factors",
        message: has
          ? `to ${what}, give a second factor once more`
          : `to ${what}, sign in anew: it must have been within the last quarter of an hour`,
        hint: has ? "On your account page, or: gatehouse mfa verify." : "Sign out, and sign in again.",
      });
    },
  };
}

function wrong(): GatehouseError {
  return new GatehouseError({
    code: "unauthenticated",
    op: "identity.second_factor",
    message: "this code is not good, or was used already",
    hint: "Take the next code that your app shows, or a recovery code.",
  });
}

function notOfIt(): GatehouseError {
  return new GatehouseError({
    code: "invalid",
    op: "identity.factors",
    message: "this code is not one of the secret that was shown",
    hint: "Type the six digits that the app shows now. Is the clock of the device right?",
  });
}

function notOffered(): GatehouseError {
  return new GatehouseError({
    code: "conflict",
    op: "identity.factors",
    message: "no factor was offered here that this could be",
    hint: "Begin again.",
  });
}

function notThere(id: string): GatehouseError {
  return new GatehouseError({
    code: "not_found",
    op: "identity.factors",
    message: `there is no second factor ${id}`,
  });
}
