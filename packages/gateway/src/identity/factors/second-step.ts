import { type Clock, GatehouseError, type Random, isGatehouseError } from "@gatehouse/kernel";
import type { PasskeyShown } from "@gatehouse/contracts/rest";
import type { AuditLog } from "../../audit/mod.ts";
import type {
  Factor,
  JsonObject,
  SignInStep,
  SignInSteps,
  User,
  Users,
  WebSession,
  WebSessions,
} from "../../directory/mod.ts";
import type { BeginSession } from "../begin-session.ts";
import { hashOf, secret } from "../identity.ts";
import { noteRefusal } from "../note-refusal.ts";
import type { Standing } from "../standing.ts";
import { type From, type SignedIn, personOf } from "../web-sign-in.ts";
import type { PasskeyAsked } from "./passkeys.ts";
import type { Made, SecondFactors, Shown } from "./second-factors.ts";

/** Somebody whom the first step has proved: what they still must show before they are anybody here. */
export type Waiting = {
  needs: "second_factor" | "enrolment";
  /** Good for the next step and for nothing else. */
  ticket: string;
  ways: ("totp" | "recovery_code" | "passkey")[];
  expiresAtMs: number;
};

/** What to ask the browser for, and the ticket to bring its answer with. */
export type PasskeyAsk = Pick<PasskeyAsked, "options"> & { ticket: string; expiresAtMs: number };
export type TotpOffer = { ticket: string; secret: string; uri: string; expiresAtMs: number };
type Added = { factor: Factor; recoveryCodes: string[] | undefined };

/** Between a password and a session, and between a session and what it asks for more. */
export type SecondStep = {
  /** Undefined where nothing more is needed. */
  waitFor(user: User, how: { method: string }): Promise<Waiting | undefined>;
  /** Throws `unauthenticated` for a ticket or a code that is not good, `rate_limited`. */
  finish(ticket: string, shown: Shown, from: From): Promise<SignedIn>;
  /** To show a passkey with `finish`. `origin`: as the browser names the page. */
  askPasskeyOf(ticket: string, origin: string): Promise<PasskeyAsk>;
  /** A passkey instead of all other steps: it says who somebody is, and is two factors in one. */
  askAnyPasskey(origin: string): Promise<PasskeyAsk>;
  signInByPasskey(ticket: string, shown: PasskeyShown, from: From): Promise<SignedIn>;
  /** For whoever must have a factor and has none yet. */
  offerTotpTo(ticket: string): Promise<TotpOffer>;
  offerPasskeyTo(ticket: string, origin: string): Promise<PasskeyAsk>;
  enrol(
    ticket: string,
    added: { name: string; made: Made },
    from: From,
  ): Promise<SignedIn & Pick<Added, "recoveryCodes">>;
  /** The same for somebody who is signed in. Throws `denied` unless they have proved of late who they are, `conflict`. */
  offerTotp(session: WebSession): Promise<TotpOffer>;
  offerPasskey(session: WebSession, origin: string): Promise<PasskeyAsk>;
  add(
    session: WebSession,
    added: { ticket: string; name: string; made: Made },
    remoteAddress: string,
  ): Promise<Added>;
  /** The session as it is from now on, known by another token. Throws `invalid` for a code that is not good, `conflict`. */
  stepUp(
    session: WebSession,
    shown: Shown & { ticket?: string },
    from: From,
  ): Promise<{ token: string; session: WebSession }>;
  askStepUp(session: WebSession, origin: string): Promise<PasskeyAsk>;
};

const lifetimeMs = 10 * 60_000;
/** Anybody may begin to sign in by a passkey, so the number that wait is held. */
const waitingMax = 10_000;

export function createSecondStep(options: {
  secondFactors: SecondFactors;
  signInSteps: SignInSteps;
  users: Pick<Users, "byId">;
  webSessions: Pick<WebSessions, "renew">;
  beginSession: BeginSession;
  standing: Standing;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): SecondStep {
  const { secondFactors, signInSteps, users, audit, clock, random } = options;

  async function open(kind: string, userId: string | undefined, facts: JsonObject) {
    const ticket = secret(random);
    const expiresAtMs = clock.nowMs() + lifetimeMs;
    await signInSteps.create({
      hash: hashOf(ticket),
      kind,
      facts,
      expiresAtMs,
      ...(userId !== undefined && { userId }),
    });
    return { ticket, expiresAtMs };
  }

  /** The step that this ticket names, with its person. */
  async function stepOf(ticket: string, kind: string): Promise<{ step: SignInStep; user: User }> {
    const step = await signInSteps.byHash(hashOf(ticket));
    const user = step?.userId === undefined ? undefined : await users.byId(step.userId);
    if (!step || step.kind !== kind || !user || user.disabled) throw gone();
    return { step, user };
  }

  async function enter(user: User, { facts }: SignInStep, from: From): Promise<SignedIn> {
    const { token, session } = await options.beginSession(user, {
      ...from,
      method: String(facts["method"]),
      mfaAtMs: clock.nowMs(),
    });
    const proof = { mfaAtMs: session.mfaAtMs };
    return { token, person: { ...(await personOf(user, options.standing)), proof }, session };
  }

  async function noted(
    step: SignInStep,
    ticket: string,
    { options, facts }: PasskeyAsked,
  ): Promise<PasskeyAsk> {
    if (!(await signInSteps.note(step.hash, { ...step.facts, ...facts }))) throw gone();
    return { options, ticket, expiresAtMs: step.expiresAtMs };
  }

  /** What a passkey was asked for with, once. */
  async function factsOfStepUp({ id }: WebSession, ticket: string | undefined): Promise<JsonObject> {
    const step = ticket === undefined ? undefined : await signInSteps.take(hashOf(ticket));
    return step?.kind === "step_up" && step.facts["sessionId"] === id ? step.facts : {};
  }

  async function activeUser({ userId }: WebSession): Promise<User> {
    const user = await users.byId(userId);
    if (!user || user.disabled) throw gone();
    return user;
  }

  return {
    async waitFor(user, { method }) {
      const needs = await secondFactors.needOf(user.id);
      if (!needs) return undefined;
      const { factors, recoveryCodesLeft } = await secondFactors.ofUser(user.id);
      return {
        needs,
        ...(await open(needs, user.id, { method })),
        ways: [
          ...(factors.some(({ kind }) => kind === "passkey") || needs === "enrolment"
            ? ["passkey" as const]
            : []),
          ...(factors.some(({ kind }) => kind === "totp") || needs === "enrolment" ? ["totp" as const] : []),
          ...(recoveryCodesLeft > 0 ? ["recovery_code" as const] : []),
        ],
      };
    },
    async finish(ticket, shown, from) {
      const { step, user } = await stepOf(ticket, "second_factor");
      const { remoteAddress } = from;
      const attempt = await secondFactors
        .prove(user, shown, { remoteAddress, facts: step.facts })
        .catch(async (error: unknown) => {
          const method = String(step.facts["method"]);
          await noteRefusal(audit, user.name, { ...from, method, error: "the second factor is not good" });
          throw error;
        });
      if (!(await signInSteps.take(step.hash))) throw gone();
      const signedIn = await enter(user, step, from);
      await attempt.succeeded();
      return signedIn;
    },
    async askPasskeyOf(ticket, origin) {
      const { step, user } = await stepOf(ticket, "second_factor");
      return noted(step, ticket, await secondFactors.askForPasskey(user.id, origin));
    },
    async askAnyPasskey(origin) {
      if ((await signInSteps.count()) >= waitingMax)
        throw new GatehouseError({
          code: "unavailable",
          op: "identity.passkey",
          message: "too many sign-ins wait for their next step",
          hint: "Try again in a few minutes.",
        });
      const { options, facts } = await secondFactors.askForAnyPasskey(origin);
      return { options, ...(await open("passkey", undefined, facts)) };
    },
    async signInByPasskey(ticket, shown, from) {
      // Used up by the first answer, whatever it is worth.
      const step = await signInSteps.take(hashOf(ticket));
      if (step?.kind !== "passkey") throw gone();
      const refused = (name: string | undefined, error: string) =>
        noteRefusal(audit, name, { ...from, method: "passkey", error });
      const owner = await secondFactors.ownerOfPasskey(shown, step.facts).catch(async (error: unknown) => {
        await refused(undefined, "the passkey is unknown or does not verify");
        throw error;
      });
      const user = await users.byId(owner);
      if (!user || user.disabled) {
        await refused(user?.name, "the account is shut");
        throw gone();
      }
      return enter(user, { ...step, facts: { method: "passkey" } }, from);
    },
    async offerPasskeyTo(ticket, origin) {
      const { step, user } = await stepOf(ticket, "enrolment");
      return noted(step, ticket, await secondFactors.offerPasskey(user, origin));
    },
    async offerTotpTo(ticket) {
      const { step, user } = await stepOf(ticket, "enrolment");
      const { facts, ...words } = secondFactors.offerTotp(user);
      if (!(await signInSteps.note(step.hash, { ...step.facts, ...facts }))) throw gone();
      return { ...words, ticket, expiresAtMs: step.expiresAtMs };
    },
    async enrol(ticket, { name, made }, from) {
      const { step, user } = await stepOf(ticket, "enrolment");
      const { remoteAddress } = from;
      // A ticket made before somebody had a factor must not add another beside it.
      if ((await secondFactors.needOf(user.id)) !== "enrolment") throw gone();
      const { recoveryCodes } = await secondFactors.add(user, {
        name,
        made,
        facts: step.facts,
        remoteAddress,
      });
      if (!(await signInSteps.take(step.hash))) throw gone();
      return { ...(await enter(user, step, from)), recoveryCodes };
    },
    async offerTotp(session) {
      await secondFactors.requireFresh(session, "add a second factor");
      const { facts, ...words } = secondFactors.offerTotp(await activeUser(session));
      return { ...words, ...(await open("offer", session.userId, { ...facts, sessionId: session.id })) };
    },
    async offerPasskey(session, origin) {
      await secondFactors.requireFresh(session, "add a second factor");
      const { options, facts } = await secondFactors.offerPasskey(await activeUser(session), origin);
      return { options, ...(await open("offer", session.userId, { ...facts, sessionId: session.id })) };
    },
    async askStepUp(session, origin) {
      const { options, facts } = await secondFactors.askForPasskey(session.userId, origin);
      return { options, ...(await open("step_up", session.userId, { ...facts, sessionId: session.id })) };
    },
    async add(session, { ticket, name, made }, remoteAddress) {
      await secondFactors.requireFresh(session, "add a second factor");
      const { step, user } = await stepOf(ticket, "offer").catch((error: unknown) => {
        throw whileSignedIn(error, "conflict");
      });
      if (step.facts["sessionId"] !== session.id) throw whileSignedIn(gone(), "conflict");
      const added = await secondFactors.add(user, { name, made, facts: step.facts, remoteAddress });
      await signInSteps.take(step.hash);
      return added;
    },
    async stepUp(session, shown, { remoteAddress }) {
      const user = await activeUser(session);
      if ((await secondFactors.ofUser(user.id)).factors.length === 0)
        throw new GatehouseError({
          code: "conflict",
          op: "identity.second_step",
          message: "you have no second factor",
          hint: "Add one first, on your account page or with: gatehouse mfa add.",
        });
      const note = (error?: string) =>
        audit.append({
          event: "mfa_auth_challenge.validate",
          user: user.name,
          success: error === undefined,
          ...(remoteAddress !== "" && { remoteAddress }),
          fields: { web_session_id: session.id, ...(error !== undefined && { error }) },
        });
      const attempt = await secondFactors
        .prove(user, shown, { remoteAddress, facts: await factsOfStepUp(session, shown.ticket) })
        .catch(async (error: unknown) => {
          await note("the second factor is not good");
          throw whileSignedIn(error, "invalid");
        });
      await note();
      const token = secret(random);
      const renewed = await options.webSessions.renew(session.hash, {
        hash: hashOf(token),
        mfaAtMs: clock.nowMs(),
      });
      if (!renewed) throw gone();
      await attempt.succeeded();
      return { token, session: renewed };
    },
  };
}

/** Whoever is signed in stays so, whatever of this went wrong: to a browser `unauthenticated` says the opposite. */
function whileSignedIn(error: unknown, code: "invalid" | "conflict"): unknown {
  if (!isGatehouseError(error, "unauthenticated")) return error;
  const { op, message, hint } = error;
  return new GatehouseError({ code, op, message, hint });
}

function gone(): GatehouseError {
  return new GatehouseError({
    code: "unauthenticated",
    op: "identity.second_step",
    message: "this took too long, or was done already",
    hint: "Begin again.",
  });
}
