import {
  type Identity,
  type LocalAccounts,
  type SecondStep,
  type SignedIn,
  type Waiting,
  apiTokenPrefix,
  localAdministrator,
} from "../../identity/mod.ts";
import { ownSession } from "../decided.ts";
import type { Entered, IdentityDoor } from "../door.ts";
import { passkeyWords } from "./factors.ts";
import { isoTime } from "./page.ts";

/** Signing in and out, as the API tells people apart. */
export function restIdentity(
  identity: Identity,
  accounts: Pick<LocalAccounts, "signInByPassword">,
  secondStep: SecondStep,
): IdentityDoor {
  const entered = ({ token, person, session }: SignedIn): Entered => {
    const { expiresAtMs, remoteAddress } = session;
    return {
      principal: { subject: person, via: "web", channel: "web", expiresAtMs, session, remoteAddress },
      cookie: token,
      expiresAtMs,
    };
  };
  const stepped = (answer: SignedIn | Waiting) => {
    if ("token" in answer) return entered(answer);
    const { expiresAtMs, ...waiting } = answer;
    return { ...waiting, expiresAt: isoTime(expiresAtMs) };
  };
  return {
    signInByLink: async (token, from) => stepped(await identity.signInByLink(token, from)),
    signInByPassword: async ({ name, password }, from) =>
      stepped(await accounts.signInByPassword(name, password, from)),
    secondFactor: async ({ ticket, ...shown }, from) => entered(await secondStep.finish(ticket, shown, from)),
    secondFactorByPasskey: async ({ ticket }, origin) =>
      passkeyWords(await secondStep.askPasskeyOf(ticket, origin)),
    passkeyOptions: async (origin) => passkeyWords(await secondStep.askAnyPasskey(origin)),
    signInByPasskey: async ({ ticket, passkey }, from) =>
      entered(await secondStep.signInByPasskey(ticket, passkey, from)),
    offerPasskeyTo: async ({ ticket }, origin) =>
      passkeyWords(await secondStep.offerPasskeyTo(ticket, origin)),
    stepUpByPasskey: async (principal, origin) =>
      passkeyWords(await secondStep.askStepUp(ownSession(principal, "give a second factor"), origin)),
    async offerTotpTo({ ticket }) {
      const { expiresAtMs, ...offer } = await secondStep.offerTotpTo(ticket);
      return { ...offer, expiresAt: isoTime(expiresAtMs) };
    },
    async enrol({ ticket, name, ...made }, from) {
      const { recoveryCodes = null, ...signedIn } = await secondStep.enrol(ticket, { name, made }, from);
      return { entered: entered(signedIn), recoveryCodes };
    },
    async stepUp(principal, shown, from) {
      const before = ownSession(principal, "give a second factor");
      const { token, session } = await secondStep.stepUp(before, shown, from);
      const { subject } = principal;
      const proof = { ...subject.proof, mfaAtMs: session.mfaAtMs };
      return {
        principal: { ...principal, subject: { ...subject, proof }, session },
        cookie: token,
        expiresAtMs: session.expiresAtMs,
      };
    },
    async whoIs(credential, { remoteAddress, api, isAttended = true }) {
      if (credential.kind === "admin-socket")
        return { subject: localAdministrator, via: "admin-socket", channel: "cli", remoteAddress };
      // A browser has a session of its own; a program's token in a cookie would be sent by every page.
      if (credential.kind === "cookie" && credential.token.startsWith(apiTokenPrefix)) return undefined;
      const found = await identity.personByToken(credential.token, { isAttended });
      if (!found) return undefined;
      const { person: subject, expiresAtMs, session } = found;
      const known = { subject, expiresAtMs, remoteAddress, ...(session && { session }) };
      if (credential.kind === "cookie") return { ...known, via: "web", channel: "web" };
      // A sign-in that travels as a bearer token is the command line's; a program has a token of its own.
      return { ...known, via: "token", channel: api === "rest" && session ? "cli" : api };
    },
    signOut: (cookie) => identity.signOut(cookie, ""),
  };
}
