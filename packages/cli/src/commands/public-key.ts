import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { GatehouseError, fromBase64, fromHex, toBase64 } from "@gatehouse/kernel";
import type { Command } from "commander";
import { again, usage } from "./options.ts";

export type TrustedKeyOptions = { trustedKey?: string[]; key?: string };

export function withTrustedKey(command: Command): Command {
  return command
    .option(
      "-k, --trusted-key <key>",
      "the gateway's public key: a PEM file, 32 bytes in base64 or hexadecimal; may be given again",
      again,
    )
    .option("--key <key>", "the same as --trusted-key");
}

export function trustedKeysOf(
  { trustedKey = [], key }: TrustedKeyOptions,
  workingDirectory: string,
): Promise<Uint8Array[]> {
  return Promise.all(
    [...trustedKey, ...(key === undefined ? [] : [key])].map((one) => publicKeyOf(one, workingDirectory)),
  );
}

/** A PEM file, base64 or hexadecimal of the 32 bytes of an Ed25519 public key. Public, so it may stand in the command line. */
async function publicKeyOf(text: string, workingDirectory: string): Promise<Uint8Array> {
  if (/^[0-9a-f]{64}$/i.test(text)) return fromHex(text.toLowerCase());
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return fromBase64(text);
  const pem = await readFile(resolve(workingDirectory, text), "utf8").catch((cause: unknown) => {
    throw new GatehouseError({
      code: "invalid",
      op: "cli.usage.key",
      message: `${text} is neither a public key nor a file that can be read`,
      hint: "Expected the path of a PEM file, or 32 bytes in base64 or hexadecimal.",
      cause,
    });
  });
  return publicKeyIn(pem);
}

/** Of a PEM. */
export function publicKeyIn(pem: string): Uint8Array {
  const base64 = /-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----/.exec(pem)?.[1];
  const der = base64 === undefined ? undefined : fromBase64(base64.replaceAll(/\s/g, ""));
  // RFC 8410 §4: 12 bytes say that it is Ed25519, 32 are the key.
  if (der?.length !== 44 || toBase64(der.subarray(0, 12)) !== "MCowBQYDK2VwAyEA")
    throw usage("that is not the PEM of an Ed25519 public key", "Expected what `ca recordings` prints.");
  return der.subarray(12);
}
