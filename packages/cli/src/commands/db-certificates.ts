import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Client } from "@gatehouse/contracts/client";
import type { DatabaseCertificateMade } from "@gatehouse/contracts/rest";
import { messageOf } from "@gatehouse/kernel";
import type { Cli } from "../cli.ts";
import { createProfiles } from "../connection/mod.ts";
import { replaceFile } from "../output/mod.ts";

/** A certificate and its key where clients of databases read them. */
type DatabaseCertificate = { made: DatabaseCertificateMade; certificateFile: string; keyFile: string };

type Wanted = { target: { id: string; name: string }; login: string; everyTarget: boolean };

/** How a certificate is come by, and what becomes of it behind the use. */
export type Certified = <T>(
  client: Pick<Client, "auth" | "certificates">,
  gateway: string,
  cli: Pick<Cli, "env" | "stderr">,
  wanted: Wanted,
  use: (certificate: DatabaseCertificate) => Promise<T>,
) => Promise<T>;

/**
 * Makes a new key pair and has it certified. Both go into files of this command's own, in place of earlier ones for the same
 * target and login, and stay there; the private half goes nowhere else.
 */
export const withKeptCertificate: Certified = async (client, gateway, { env }, wanted, use) => {
  const { target, login, everyTarget } = wanted;
  const folder = join(folderOf(gateway, env), everyTarget ? "" : fileName(target.name));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return use(await certify(client, join(folder, everyTarget ? "every-target" : fileName(login)), wanted));
};

/** The same in files that nobody else reads; behind the use they are gone, and the certificate is revoked. */
export const withPassingCertificate: Certified = async (client, gateway, { env, stderr }, wanted, use) => {
  await mkdir(folderOf(gateway, env), { recursive: true, mode: 0o700 });
  // No target's folder has such a name.
  const folder = await mkdtemp(join(folderOf(gateway, env), "~passing-"));
  try {
    const certificate = await certify(client, join(folder, "own"), wanted);
    const { serial, expiresAt } = certificate.made;
    try {
      return await use(certificate);
    } finally {
      await client.auth
        .me()
        .then(({ id }) => client.certificates.remove(id, serial))
        .catch((error: unknown) =>
          stderr.write(
            `certificate ${serial} could not be revoked (${messageOf(error)}) and is good until ${expiresAt}\n`,
          ),
        );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function certify(
  client: Pick<Client, "certificates">,
  place: string,
  { target, login, everyTarget }: Wanted,
): Promise<DatabaseCertificate> {
  // What every client can use: some of Java's know neither Ed25519 nor other curves.
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const made = await client.certificates.createForDatabase(target.id, login, {
    publicKey: publicKey.export({ type: "spki", format: "pem" }),
    everyTarget,
  });
  const [certificateFile, keyFile] = [`${place}.crt`, `${place}.key`];
  await replaceFile(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }), 0o600);
  // PostgreSQL's driver for Java reads keys only so.
  await replaceFile(`${place}.pk8`, privateKey.export({ type: "pkcs8", format: "der" }), 0o600);
  await replaceFile(certificateFile, made.certificate, 0o600);
  return { made, certificateFile, keyFile };
}

/** Takes what was made for this gateway away again. */
export async function forgetDatabaseCertificates(gateway: string, { env }: Pick<Cli, "env">): Promise<void> {
  await rm(folderOf(gateway, env), { recursive: true, force: true });
}

/** Where this command keeps certificates, the gates' own too. */
export function certificatesFolder(env: Cli["env"]): string {
  return join(dirname(createProfiles(env).path), "certificates");
}

const folderOf = (gateway: string, env: Cli["env"]) =>
  join(certificatesFolder(env), fileName(gateway.replace(/^https?:\/\//, "")));

/** One name of a file for each text, which no client reads as something else where it stands in an address. */
function fileName(text: string): string {
  return encodeURIComponent(text).replaceAll("~", "~7E").replaceAll("%", "~");
}
