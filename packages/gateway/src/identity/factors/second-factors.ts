import { type Clock, GatehouseError, type Random, fromBase64, newId, toBase64 } from "@gatehouse/kernel";
import type { AuditLog } from "../../audit/mod.ts";
import type { Factor, Factors, JsonObject, NewFactor, User, WebSession } from "../../directory/mod.ts";
import type { PasskeyMade, PasskeyShown } from "@gatehouse/contracts/rest";
import type { Attempts } from "../attempts.ts";
import { digitsOf, newTotpSecret, stepOfCode, totpWords } from "./one-time-codes.ts";
import {
  type PasskeyAsked,
  askForNewPasskey,
  askForPasskey,
  counterOfShown,
  newPasskeyOf,
} from "./passkeys.ts";
import { hashOfRecoveryCode, newRecoveryCodes } from "./recovery-codes.ts";

/** What somebody shows as their second factor. */
export type Shown = { code: string } | { passkey: PasskeyShown };
/** What shows that a new one works. */
export type Made = { code: string } | { passkey: PasskeyMade };

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
  /** What to ask the browser for. `conflict` where nobody can have passkeys, or this person has none. */
  askForPasskey(userId: string, origin: string): Promise<PasskeyAsked>;
  /** The same of somebody who has not said who they are. */
  askForAnyPasskey(origin: string): Promise<PasskeyAsked>;
  /** Whose passkey this is, where its holder unlocked it. Throws `unauthenticated`, not saying why. */
  ownerOfPasskey(shown: PasskeyShown, facts: JsonObject): Promise<string>;
  offerPasskey(user: Who, origin: string): Promise<PasskeyAsked>;
  /** A secret for an authenticator app, and what to keep of it until a code of it has come. */
  offerTotp(user: Who): { secret: string; uri: string; facts: JsonObject };
  /**
   * Adds what was offered, once it was shown to work. With the first factor come recovery codes, shown once. Throws `invalid`
   * for a code that is not of it, `conflict` for one factor too many.
   */
  add(
    user: Who,
    added: { name: string; made: Made; facts: JsonObject; remoteAddress: string },
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

  async function isPasskeyOf(
    userId: string | undefined,
    shown: PasskeyShown,
    facts: JsonObject,
  ): Promise<string | undefined> {
    const passkey = await factors.byCredential(shown.id);
    if (passkey?.kind !== "passkey" || (userId !== undefined && passkey.userId !== userId)) return undefined;
    const mustVerifyUser = userId === undefined;
    const counter = await counterOfShown(shown, { passkey, facts, mustVerifyUser });
    if (counter === undefined || !(await factors.usedPasskey(passkey.id, counter))) return undefined;
    return passkey.userId;
  }

  const passkeysOf = async (userId: string) =>
    (await factors.ofUser(userId)).filter((factor) => factor.kind === "passkey");

  async function offered(
    { name, made, facts }: { name: string; made: Made; facts: JsonObject },
    user: Who,
  ): Promise<NewFactor> {
    if ("passkey" in made) {
      const passkey = await newPasskeyOf(made.passkey, facts);
      if (!passkey) throw notVerified();
      return { ...passkey, id: newId(clock.nowMs(), random), userId: user.id, name };
    }
    const { id, envelope } = facts;
    if (typeof id !== "string" || typeof envelope !== "string") throw notOffered();
    const sealed = fromBase64(envelope);
    const secret = sealing.open(sealed, { id, kind: "totp" });
    const digits = digitsOf(made.code);
    const step = digits === undefined ? undefined : stepOfCode(secret, digits, clock.nowMs());
    secret.fill(0);
    if (step === undefined) throw notOfIt();
    // The code that showed that it works must not let anybody in afterwards.
    return { kind: "totp", id, userId: user.id, name, envelope: sealed, lastStep: step };
  }

  async function isGood(user: Who, shown: Shown, how: { remoteAddress: string; facts: JsonObject }) {
    if ("passkey" in shown) return (await isPasskeyOf(user.id, shown.passkey, how.facts)) !== undefined;
    const digits = digitsOf(shown.code);
    return digits === undefined
      ? isRecoveryCodeOf(user, shown.code, how.remoteAddress)
      : isCodeOf(user, digits);
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
    async prove(user, shown, how) {
      const attempt = await attempts.begin(user.id, how.remoteAddress, "second-factor");
      if (!(await isGood(user, shown, how))) throw wrong();
      return attempt;
    },
    async askForPasskey(userId, origin) {
      const among = await passkeysOf(userId);
      if (among.length > 0) return askForPasskey({ origin, random }, among);
      throw new GatehouseError({
        code: "conflict",
        op: "identity.passkey",
        message: "you have no passkey",
        hint: "Add one on your account page.",
      });
    },
    askForAnyPasskey: (origin) => askForPasskey({ origin, random }),
    async ownerOfPasskey(shown, facts) {
      const owner = await isPasskeyOf(undefined, shown, facts);
      if (owner !== undefined) return owner;
      throw new GatehouseError({
        code: "unauthenticated",
        op: "identity.passkey",
        message: "this passkey is not known here, or it was not unlocked",
        hint: "Sign in another way, and add it on your account page.",
      });
    },
    async offerPasskey(user, origin) {
      return askForNewPasskey(user, { origin, had: await passkeysOf(user.id), random });
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
      const wanted = await offered(added, user);
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

function notVerified(): GatehouseError {
  return new GatehouseError({
    code: "invalid",
    op: "identity.passkey",
    message: "what the browser made of the passkey does not verify here",
    hint: "Begin again, on the page of this gateway that browsers find it by.",
  });
}

function notThere(id: string): GatehouseError {
  return new GatehouseError({
    code: "not_found",
    op: "identity.factors",
    message: `there is no second factor ${id}`,
  });
}
