import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { GatehouseError } from "@gatehouse/kernel";

const derive = promisify(pbkdf2);

/**
 * What is kept of a connection secret: enough to verify it, however a client proves that it has it, and nothing to sign in
 * with. RFC 5802 §3.
 */
export type SecretVerifier = { storedKey: Uint8Array; serverKey: Uint8Array };

/**
 * What SCRAM tells a client before it knows whose secret it has. The same for all: a salt, and many iterations, make guessing
 * dear, and nobody guesses 256 random bits. So one proof can be held against every secret that may be meant.
 */
export const scramTerms = {
  salt: Buffer.from("gatehouse connection secret"),
  // RFC 7677 §4: the least that clients accept.
  iterations: 4096,
} as const;

export async function verifierOf(secret: string): Promise<SecretVerifier> {
  const { salt, iterations } = scramTerms;
  const salted = await derive(secret, salt, iterations, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  return {
    storedKey: createHash("sha256").update(hmac("Client Key")).digest(),
    serverKey: hmac("Server Key"),
  };
}

/** As it lies in the database. */
export function verifierText({ storedKey, serverKey }: SecretVerifier): string {
  return `${Buffer.from(storedKey).toString("hex")}:${Buffer.from(serverKey).toString("hex")}`;
}

export function verifierFrom(text: string): SecretVerifier {
  const [storedKey = "", serverKey = ""] = text.split(":");
  if (!/^[0-9a-f]{64}$/.test(storedKey) || !/^[0-9a-f]{64}$/.test(serverKey))
    throw new GatehouseError({
      code: "corrupt",
      op: "identity.connection",
      message: "what the database keeps of a connection secret is no verifier",
    });
  return { storedKey: Buffer.from(storedKey, "hex"), serverKey: Buffer.from(serverKey, "hex") };
}
