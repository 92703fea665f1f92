import { isIP } from "node:net";
import { GatehouseError, type Random, utf8 } from "@gatehouse/kernel";
import type { PasskeyMade, PasskeyShown } from "@gatehouse/contracts/rest";
import type { Factor, JsonObject, NewFactor, User } from "../../directory/mod.ts";

type Who = Pick<User, "id" | "name">;
export type Passkey = Extract<Factor, { kind: "passkey" }>;
/** What a browser is told, and what to keep until it answers. */
export type PasskeyAsked = { options: { challenge: string }; facts: JsonObject };

/** EdDSA, ES256 and RS256 (IANA COSE): every authenticator has one of them, and the others are experiments still. */
const algorithms = [-8, -7, -257];
/** Read only where one is used: it brings much along, and a start should not wait for it. */
const webauthn = () => import("@simplewebauthn/server");

/**
 * Options for making a passkey (WebAuthn §5.4). It may be kept by the device as who somebody is, which lets them in without a
 * name; what made it is not asked, so nobody is told apart by their device.
 */
export async function askForNewPasskey(
  user: Who,
  { origin, had, random }: { origin: string; had: readonly Passkey[]; random: Random },
): Promise<PasskeyAsked> {
  const rpId = hostOf(origin);
  const options = await (
    await webauthn()
  ).generateRegistrationOptions({
    rpName: "Gatehouse",
    rpID: rpId,
    userName: user.name,
    userID: new Uint8Array(utf8(user.id)),
    challenge: new Uint8Array(random.bytes(32)),
    attestationType: "none",
    supportedAlgorithmIDs: algorithms,
    excludeCredentials: had.map(({ credentialId, transports }) => ({
      id: credentialId,
      transports: [...transports],
    })),
    authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" },
  });
  return { options: { ...options }, facts: { challenge: options.challenge, rpId, origin } };
}

/** Undefined for an answer that does not verify. */
export async function newPasskeyOf(
  made: PasskeyMade,
  facts: JsonObject,
): Promise<Omit<Extract<NewFactor, { kind: "passkey" }>, "id" | "userId" | "name"> | undefined> {
  const asked = askedIn(facts);
  if (!asked) return undefined;
  const verified = await (
    await webauthn()
  )
    .verifyRegistrationResponse({
      response: made as Parameters<
        Awaited<ReturnType<typeof webauthn>>["verifyRegistrationResponse"]
      >[0]["response"],
      expectedChallenge: asked.challenge,
      expectedOrigin: asked.origin,
      expectedRPID: asked.rpId,
      supportedAlgorithmIDs: algorithms,
      requireUserVerification: false,
    })
    // It throws for whatever is wrong with what a stranger sent.
    .catch(() => undefined);
  if (!verified?.verified) return undefined;
  const { credential } = verified.registrationInfo;
  return {
    kind: "passkey",
    credentialId: credential.id,
    publicKey: credential.publicKey,
    signCount: credential.counter,
    transports: made.response.transports ?? [],
    rpId: asked.rpId,
  };
}

/**
 * Options for showing a passkey (WebAuthn §5.5): one of these, or any that the device has for this host and that its holder
 * unlocks, which is something one has and something one is or knows.
 */
export async function askForPasskey(
  { origin, random }: { origin: string; random: Random },
  among?: readonly Passkey[],
): Promise<PasskeyAsked> {
  const rpId = hostOf(origin);
  const options = await (
    await webauthn()
  ).generateAuthenticationOptions({
    rpID: rpId,
    challenge: new Uint8Array(random.bytes(32)),
    userVerification: among ? "preferred" : "required",
    ...(among && {
      allowCredentials: among.map(({ credentialId, transports }) => ({
        id: credentialId,
        transports: [...transports],
      })),
    }),
  });
  return { options: { ...options }, facts: { challenge: options.challenge, rpId, origin } };
}

/** The authenticator's counter; undefined for what does not verify. */
export async function counterOfShown(
  shown: PasskeyShown,
  { passkey, facts, mustVerifyUser }: { passkey: Passkey; facts: JsonObject; mustVerifyUser: boolean },
): Promise<number | undefined> {
  const asked = askedIn(facts);
  if (!asked || asked.rpId !== passkey.rpId) return undefined;
  const { userHandle } = shown.response;
  if (userHandle !== undefined && Buffer.from(userHandle, "base64url").toString() !== passkey.userId)
    return undefined;
  const verified = await (
    await webauthn()
  )
    .verifyAuthenticationResponse({
      response: shown as Parameters<
        Awaited<ReturnType<typeof webauthn>>["verifyAuthenticationResponse"]
      >[0]["response"],
      expectedChallenge: asked.challenge,
      expectedOrigin: asked.origin,
      expectedRPID: asked.rpId,
      credential: {
        id: passkey.credentialId,
        publicKey: new Uint8Array(passkey.publicKey),
        counter: passkey.signCount,
        transports: [...passkey.transports],
      },
      requireUserVerification: mustVerifyUser,
    })
    .catch(() => undefined);
  return verified?.verified ? verified.authenticationInfo.newCounter : undefined;
}

function askedIn({ challenge, rpId, origin }: JsonObject) {
  return typeof challenge === "string" && typeof rpId === "string" && typeof origin === "string"
    ? { challenge, rpId, origin }
    : undefined;
}

/** WebAuthn §5.1.2: a passkey belongs to a name, never to an address. */
function hostOf(origin: string): string {
  const { hostname } = new URL(origin);
  if (isIP(hostname.replaceAll(/[[\]]/g, "")) === 0) return hostname;
  throw new GatehouseError({
    code: "conflict",
    op: "identity.passkey",
    message: "passkeys belong to a host's name, and this page was opened by an address",
    hint: "Open it by its name; on this machine that is localhost.",
  });
}
