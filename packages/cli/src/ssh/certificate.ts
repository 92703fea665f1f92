import { readFile } from "node:fs/promises";
import type { Client } from "@gatehouse/contracts/client";
import { generateKey, parseKeyLine, publicKeyLine, writePrivateKey } from "@gatehouse/gateway/ssh-keys";
import { GatehouseError, systemRandom } from "@gatehouse/kernel";
import type { Cli } from "../cli.ts";
import { replaceFile } from "../output/mod.ts";
import { sshAgent } from "./agent.ts";

export type KeptCertificate = {
  serial: string;
  fingerprint: string;
  expiresAt: string;
  /** `agent`, or the file of the private key. */
  place: string;
};

type Where = Pick<Cli, "env" | "clock">;

/**
 * Makes a new key pair and has it certified. Both go to the file that is named, or else to the agent, where they take the place
 * of earlier ones for the same gateway. Undefined where there is neither.
 */
export async function fetchCertificate(
  client: Pick<Client, "certificates">,
  gateway: string,
  { env, clock }: Where,
  identityFile?: string,
): Promise<KeptCertificate | undefined> {
  const socket = env["SSH_AUTH_SOCK"];
  if (identityFile === undefined && (socket === undefined || socket === "")) return undefined;
  if (identityFile !== undefined) await requireReplaceable(identityFile);
  const comment = commentFor(gateway);
  const key = generateKey("ed25519", comment);
  const publicLine = publicKeyLine(key.public.blob, comment);
  const { serial, fingerprint, expiresAt, certificate } = await client.certificates.createForSsh(publicLine);
  const { blob } = parseKeyLine(certificate);
  if (identityFile !== undefined) {
    await replaceFile(identityFile, writePrivateKey(key, { random: systemRandom }), 0o600);
    await replaceFile(`${identityFile}.pub`, `${publicLine}\n`, 0o644);
    await replaceFile(certificateFile(identityFile), `${publicKeyLine(blob, comment)}\n`, 0o644);
    return { serial, fingerprint, expiresAt, place: identityFile };
  }
  await forgetCertificates(gateway, { env });
  const lifetimeS = Math.max(1, Math.floor((Date.parse(expiresAt) - clock.nowMs()) / 1000));
  await sshAgent(socket ?? "").add(key, blob, comment, lifetimeS);
  return { serial, fingerprint, expiresAt, place: "agent" };
}

/** Takes what was put into the agent for this gateway out again. */
export async function forgetCertificates(gateway: string, { env }: Pick<Where, "env">): Promise<void> {
  const socket = env["SSH_AUTH_SOCK"];
  if (socket === undefined || socket === "") return;
  const agent = sshAgent(socket);
  const comment = commentFor(gateway);
  for (const identity of await agent.list())
    if (identity.comment === comment) await agent.remove(identity.blob);
}

const commentFor = (gateway: string) => `gatehouse:${gateway}`;
/** Where `ssh -i file` looks for it. */
const certificateFile = (identityFile: string) => `${identityFile}-cert.pub`;

/** A key that this command made is replaced by the next one; any other is its owner's. */
async function requireReplaceable(identityFile: string): Promise<void> {
  if ((await textOf(identityFile)) === undefined) return;
  const beside = await textOf(certificateFile(identityFile));
  if (beside !== undefined && / gatehouse:\S+\s*$/.test(beside)) return;
  throw new GatehouseError({
    code: "conflict",
    op: "cli.certificate",
    message: `${identityFile} is there already, and is no key that a sign-in made`,
    hint: "Name another file with --identity-file.",
  });
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
