import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { DeclaredOf } from "@gatehouse/contracts/declared";
import type { CredentialWrite } from "@gatehouse/contracts/rest";
import { messageOf } from "@gatehouse/kernel";
import type { Fault } from "./faults.ts";
import type { Written } from "./read.ts";

/** A credential that will be set, and as whom. */
export type WantedSecret = { login: string; credential: CredentialWrite };

const bytesMax = 65_536;

/**
 * What must be set so that each login has the credential that its file names. One that the gate has already is left, unless
 * all are to be set anew: nobody can read it back to compare.
 */
export async function wantedSecrets(
  { thing, file, placeOf }: Written & { thing: DeclaredOf<"target"> },
  before: DeclaredOf<"target"> | undefined,
  { anew, workingDirectory }: { anew: boolean; workingDirectory: string },
): Promise<{ wanted: WantedSecret[]; faults: Fault[] }> {
  const wanted: WantedSecret[] = [];
  const faults: Fault[] = [];
  for (const [i, { name: login, credential, from }] of thing.logins.entries()) {
    const wrong = (field: string, message: string) =>
      faults.push({ place: placeOf(["logins", i, field]), message });
    const has = before?.logins.find(({ name }) => name === login)?.credential;
    if (credential === undefined || credential === "certificate") {
      if (from !== undefined)
        wrong("from", "a file holds a password or a private-key: say which in credential");
      // A new login has one anyway.
      else if (credential && has !== undefined && has !== credential)
        wanted.push({ login, credential: { kind: "certificate" } });
      continue;
    }
    if (has === credential && !(anew && from !== undefined)) continue;
    if (from === undefined) {
      wrong(
        "credential",
        `the gate has no ${credential} of ${login} on ${thing.name}, and no file says it: add from`,
      );
      continue;
    }
    const path = resolve(file === undefined ? workingDirectory : dirname(file), from);
    try {
      if ((await stat(path)).size > bytesMax) throw new Error("it is longer than any secret");
      const text = await readFile(path, "utf8");
      // An editor ends a file with a line end that is no part of the password.
      const secret = credential === "password" ? text.replace(/\r?\n$/, "") : text;
      if (secret === "") throw new Error("it is empty");
      wanted.push({
        login,
        credential:
          credential === "password"
            ? { kind: "password", password: secret }
            : { kind: "private-key", privateKey: secret },
      });
    } catch (error) {
      wrong("from", `the file with the ${credential} cannot be used: ${messageOf(error)}`);
    }
  }
  return { wanted, faults };
}
