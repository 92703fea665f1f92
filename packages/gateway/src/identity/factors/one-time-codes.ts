import type { Random } from "@gatehouse/kernel";
import { Secret, TOTP } from "otpauth";

/** What every authenticator app does when it is told nothing else: RFC 6238 with SHA-1, 6 digits, 30 seconds. */
const form = { algorithm: "SHA1", digits: 6, period: 30 } as const;
/** RFC 4226 §4: as long as the hash. */
const secretBytes = 20;
/** RFC 6238 §5.2: one step either way, for clocks that differ and people who type. */
const stepsAside = 1;

export const newTotpSecret = (random: Random): Uint8Array => random.bytes(secretBytes);

const totpOf = (secret: Uint8Array, more: { issuer?: string; label?: string } = {}) =>
  new TOTP({ ...form, ...more, secret: new Secret({ buffer: new Uint8Array(secret).buffer }) });

/** What an authenticator app is given: the secret as text, and an `otpauth:` address with it to show as a picture. */
export function totpWords(
  secret: Uint8Array,
  { issuer, name }: { issuer: string; name: string },
): { secret: string; uri: string } {
  const totp = totpOf(secret, { issuer, label: name });
  return { secret: totp.secret.base32, uri: totp.toString() };
}

/** The step that this code is of; undefined where it is of none that may be used now. */
export function stepOfCode(secret: Uint8Array, code: string, nowMs: number): number | undefined {
  const totp = totpOf(secret);
  const aside = totp.validate({ token: code, timestamp: nowMs, window: stepsAside });
  return aside === null ? undefined : totp.counter({ timestamp: nowMs }) + aside;
}

/** The six digits of a code, however they were typed. */
export function digitsOf(typed: string): string | undefined {
  const digits = typed.replaceAll(/[\s-]/g, "");
  return /^\d{6}$/.test(digits) ? digits : undefined;
}
