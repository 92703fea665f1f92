import { z } from "zod";
import { me } from "./auth.ts";
import { id, time } from "./shapes.ts";

/** Names a step that was begun, and opens nothing else. */
const ticket = z.string().min(1).max(128);

/** What a person proves themselves with beside a password. */
export const factor = z
  .object({
    id,
    kind: z.enum(["totp", "passkey"]),
    name: z.string(),
    createdAt: time,
    lastUsedAt: time.nullable(),
  })
  .meta({ id: "Factor" });
export type Factor = z.infer<typeof factor>;

export const factorList = z
  .object({
    items: z.array(factor),
    recoveryCodesLeft: z.int(),
    required: z.boolean().meta({ description: "Whether everybody with a local account must have one" }),
  })
  .meta({ id: "FactorList" });
export type FactorList = z.infer<typeof factorList>;

/** The first step was right; this is what is needed before there is a session. */
export const secondStep = z
  .object({
    needs: z.enum(["second_factor", "enrolment"]).meta({
      description: "`enrolment`: a second factor is required here, and this person has none yet",
    }),
    ticket: ticket.meta({ description: "For the next step" }),
    ways: z.array(z.enum(["totp", "recovery_code", "passkey"])),
    expiresAt: time,
  })
  .meta({ id: "SecondStep" });
export type SecondStep = z.infer<typeof secondStep>;

/** What a sign-in answers: a session, or what must come before it. */
export const signInAnswer = z.union([me, secondStep]);
export type SignInAnswer = z.infer<typeof signInAnswer>;

const code = z
  .string()
  .trim()
  .min(6)
  .max(64)
  .meta({ description: "Six digits of an authenticator app, or a recovery code" });
const name = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[^\p{C}]+$/u, "no control characters")
  .meta({ description: "What you call it" });

/** Bytes of WebAuthn in base64url. */
const bytes = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[A-Za-z0-9_-]*$/);
const credential = {
  id: bytes(2048),
  rawId: bytes(2048),
  type: z.literal("public-key"),
  clientExtensionResults: z.record(z.string().max(64), z.unknown()).default({}),
};

/** What a browser is told: `PublicKeyCredential…OptionsJSON` of WebAuthn. */
export const passkeyOptions = z
  .object({ ticket, options: z.looseObject({ challenge: z.string() }), expiresAt: time })
  .meta({ id: "PasskeyOptions" });
export type PasskeyOptions = z.infer<typeof passkeyOptions>;

/** What it answers: `AuthenticationResponseJSON`. */
const passkeyShown = z
  .object({
    ...credential,
    response: z.object({
      authenticatorData: bytes(8192),
      clientDataJSON: bytes(8192),
      signature: bytes(8192),
      userHandle: bytes(256).optional(),
    }),
  })
  .meta({ id: "PasskeyShown" });
export type PasskeyShown = z.infer<typeof passkeyShown>;

/** And for a new one: `RegistrationResponseJSON`. */
const passkeyMade = z
  .object({
    ...credential,
    response: z.object({
      attestationObject: bytes(65_536),
      clientDataJSON: bytes(8192),
      transports: z.array(z.string().max(32)).max(8).optional(),
    }),
  })
  .meta({ id: "PasskeyMade" });
export type PasskeyMade = z.infer<typeof passkeyMade>;

export const passkeySignIn = z.strictObject({ ticket, passkey: passkeyShown }).meta({ id: "PasskeySignIn" });
export type PasskeySignIn = z.infer<typeof passkeySignIn>;

export const secondFactorShown = z
  .union([z.strictObject({ ticket, code }), passkeySignIn])
  .meta({ id: "SecondFactorShown" });
export type SecondFactorShown = z.infer<typeof secondFactorShown>;

export const stepTicket = z.strictObject({ ticket }).meta({ id: "StepTicket" });
export type StepTicket = z.infer<typeof stepTicket>;

/** For an authenticator app: shown once. */
export const totpOffer = z
  .object({
    ticket,
    secret: z.string().meta({ description: "Base32" }),
    uri: z.string().meta({ description: "`otpauth:`, to show as a QR code" }),
    expiresAt: time,
  })
  .meta({ id: "TotpOffer" });
export type TotpOffer = z.infer<typeof totpOffer>;

export const factorAdd = z
  .union([z.strictObject({ ticket, name, code }), z.strictObject({ ticket, name, passkey: passkeyMade })])
  .meta({ id: "FactorAdd" });
export type FactorAdd = z.infer<typeof factorAdd>;

const recoveryCodesShown = z
  .array(z.string())
  .nullable()
  .meta({ description: "With the first factor: shown once, each good once" });

export const factorAdded = z
  .object({ factor, recoveryCodes: recoveryCodesShown })
  .meta({ id: "FactorAdded" });
export type FactorAdded = z.infer<typeof factorAdded>;

/** Enrolled while signing in. */
export const enrolled = z.object({ me, recoveryCodes: recoveryCodesShown }).meta({ id: "Enrolled" });
export type Enrolled = z.infer<typeof enrolled>;

export const factorRename = z.strictObject({ name }).meta({ id: "FactorRename" });
export type FactorRename = z.infer<typeof factorRename>;

export const recoveryCodes = z.object({ recoveryCodes: z.array(z.string()) }).meta({ id: "RecoveryCodes" });
export type RecoveryCodes = z.infer<typeof recoveryCodes>;

export const stepUpShown = z.union([z.strictObject({ code }), passkeySignIn]).meta({ id: "StepUpShown" });
export type StepUpShown = z.infer<typeof stepUpShown>;

/** The session is known by another token from now on. */
export const steppedUp = z
  .object({
    me,
    token: z
      .string()
      .nullable()
      .meta({ description: "For whoever showed a bearer token; null for a cookie" }),
  })
  .meta({ id: "SteppedUp" });
export type SteppedUp = z.infer<typeof steppedUp>;
