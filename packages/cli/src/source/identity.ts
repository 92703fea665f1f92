import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type KeyOpener, ageOpener } from "@gatehouse/recording";
import { GatehouseError, checkLimit } from "@gatehouse/kernel";
import type { Cli } from "../cli.ts";
import { keyServiceOpeners } from "./key-services.ts";

export type IdentityOptions = { identity?: string[]; keyService?: string[] };

const fileBytesMax = 1 << 20;

/** Openers of every identity in the files named, and of the key services. The secrets are read from files, for a command line is seen by others. */
export async function openersOf(options: IdentityOptions, cli: Cli): Promise<KeyOpener[]> {
  const { workingDirectory } = cli;
  const openers: KeyOpener[] = [];
  for (const name of options.identity ?? []) {
    const path = resolve(workingDirectory, name);
    checkLimit("cli.identity.read", `${name}, in bytes,`, (await stat(path)).size, fileBytesMax);
    const identities = (await readFile(path, "utf8"))
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
    try {
      openers.push(ageOpener(identities));
    } catch {
      // age's own message may quote the line, which is the secret.
      throw new GatehouseError({
        code: "invalid",
        op: "cli.identity.read",
        message: `${name} is not a file of age identities`,
        hint: "Expected one AGE-SECRET-KEY-1... a line, as age-keygen writes it.",
      });
    }
  }
  return [...openers, ...(await keyServiceOpeners(options.keyService ?? [], cli))];
}
