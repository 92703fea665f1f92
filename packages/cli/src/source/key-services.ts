import { resolve } from "node:path";
import type { KeyOpener } from "@gatehouse/recording";
import type { Cli } from "../cli.ts";

const named = /^(aws|gcp|azure|vault)=(.+)$/;

/**
 * Openers by key services: each name is `aws=<key>` and the like, or a file whose section `kms` says which. Credentials are found by
 * each vendor's own chain; the key's name says where to ask, and older versions and other keys of the same place open as well.
 */
export async function keyServiceOpeners(
  names: readonly string[],
  { env, workingDirectory, clock }: Pick<Cli, "env" | "workingDirectory" | "clock">,
): Promise<KeyOpener[]> {
  if (names.length === 0) return [];
  // Loaded here alone: an age identity needs none of the vendors' clients.
  const { loadConfig } = await import("@gatehouse/gateway/config");
  const { configSections, openKms } = await import("@gatehouse/gateway/registry");
  const settings = Object.entries(env).filter(([name]) => name.startsWith("GATEHOUSE_KMS__"));
  const openers: KeyOpener[] = [];
  for (const name of names) {
    const [, service, key] = named.exec(name) ?? [];
    const given = service === undefined ? [] : [[`GATEHOUSE_KMS__${service.toUpperCase()}__KEY`, key]];
    const config = loadConfig({
      file: service === undefined ? resolve(workingDirectory, name) : undefined,
      env: Object.fromEntries([...settings, ...given]),
      sections: configSections,
      workingDirectory,
    });
    openers.push(...(await openKms(config.kms, { clock, env: { ...env } })).openers);
  }
  return openers;
}
