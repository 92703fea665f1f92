import { type DeclaredKind, type DeclaredOf, declaredKinds } from "@gatehouse/contracts/declared";
import { checkWritten } from "./check.ts";
import { type Difference, differences } from "./differences.ts";
import { faulty } from "./faults.ts";
import type { Written } from "./read.ts";
import { type WantedSecret, wantedSecrets } from "./secrets.ts";
import { type Ids, type Step, stepsOf } from "./steps.ts";
import { type Fields, type Known, fieldsOf } from "./things.ts";

/** All that happens to one thing. */
export type Change = {
  action: "create" | "change";
  kind: DeclaredKind;
  name: string;
  differences: Difference[];
  /** Credentials that are set, in words without them. */
  secrets: string[];
  steps: Step[];
};
export type Plan = { changes: Change[]; unchanged: number; ids: Ids };

/** What must become other so that the gate is as the files say, in an order that works. Throws `invalid` with all faults. */
export async function plan(
  written: readonly Written[],
  known: readonly Known[],
  options: { secretsAnew: boolean; workingDirectory: string },
): Promise<Plan> {
  const current = new Map(known.map((one) => [`${one.kind} ${one.name}`, one]));
  const faults = checkWritten(written, known, current);
  const changes: Change[] = [];
  let unchanged = 0;
  const ordered = declaredKinds.flatMap((kind) => written.filter(({ thing }) => thing.kind === kind));
  for (const one of ordered) {
    const { thing } = one;
    const before = current.get(`${thing.kind} ${thing.name}`);
    let secrets: WantedSecret[] = [];
    if (thing.kind === "target") {
      const found = await wantedSecrets(
        { ...one, thing },
        before?.thing as DeclaredOf<"target"> | undefined,
        {
          anew: options.secretsAnew,
          workingDirectory: options.workingDirectory,
        },
      );
      faults.push(...found.faults);
      secrets = found.wanted;
    }
    const wanted = fieldsOf(thing);
    const differ = differences(before ? comparable(fieldsOf(before.thing), wanted) : {}, wanted);
    if (before && differ.length === 0 && secrets.length === 0) {
      unchanged++;
      continue;
    }
    changes.push({
      action: before ? "change" : "create",
      kind: thing.kind,
      name: thing.name,
      differences: differ,
      secrets: secrets.map(({ login, credential }) => `${credential.kind} of ${login} is set`),
      steps: stepsOf(thing, before, { differences: differ, secrets }),
    });
  }
  if (faults.length > 0) throw faulty(faults);
  return { changes, unchanged, ids: new Map(known.map(({ kind, name, id }) => [`${kind} ${name}`, id])) };
}

const leftAsTheyAre = new Set(["disabled", "sshKeys", "hostTrust"]);

/** What the gate has, without what the file leaves as it is. */
function comparable(before: Fields, wanted: Fields): Fields {
  const kept = Object.fromEntries(
    Object.entries(before).filter(([name]) => name in wanted || !leftAsTheyAre.has(name)),
  );
  const logins = kept["logins"] as Record<string, { credential?: string }> | undefined;
  if (!logins) return kept;
  const named = wanted["logins"] as typeof logins;
  return {
    ...kept,
    logins: Object.fromEntries(
      Object.entries(logins).map(([name, login]) => [
        name,
        named[name] && named[name].credential === undefined ? {} : login,
      ]),
    ),
  };
}
