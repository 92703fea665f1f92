import type { StatementPolicy, StatementRule } from "@gatehouse/contracts/rest";
import { type Part, type ReadStatements, statementReader } from "./reading.ts";

/** Why a statement does not pass. */
export type StatementRefusal = { rule: string; kind: Part["kind"]; message: string; hint: string };

/** The rules of a target for one login; undefined where it has none, and nothing is parsed. */
export type StatementRules = {
  ofText(text: string): StatementRefusal | undefined;
  /** Of what is asked for by a command of the protocol, and not by a text. */
  ofParts(parts: readonly Part[]): StatementRefusal | undefined;
};

export async function statementRules(
  policy: StatementPolicy | undefined,
  protocol: "postgres" | "mysql" | "mariadb",
  login: string,
): Promise<StatementRules | undefined> {
  const rules = (policy?.rules ?? []).filter(({ logins }) => logins === undefined || logins.includes(login));
  if (rules.length === 0) return undefined;
  return rulesBy(rules, await statementReader(protocol));
}

export function rulesBy(rules: readonly StatementRule[], read: ReadStatements): StatementRules {
  function ofParts(parts: readonly Part[]): StatementRefusal | undefined {
    for (const part of parts) {
      const rule =
        part.kind === "unclassified" ? ofUnclassified(rules) : rules.find((one) => fits(one, part));
      if (rule?.action === "deny") return refusal(rule, part);
    }
    return undefined;
  }
  return { ofParts, ofText: (text) => ofParts(read(text)) };
}

/** It may be anything, so every rule may be meant: the first that names it decides, else the strictest that there is. */
function ofUnclassified(rules: readonly StatementRule[]): StatementRule | undefined {
  return (
    rules.find(({ kinds }) => kinds?.includes("unclassified")) ??
    rules.find(({ action }) => action === "deny")
  );
}

function fits(rule: StatementRule, { kind, objects, withoutWhere }: Part): boolean {
  if (rule.kinds && !rule.kinds.includes(kind)) return false;
  if (rule.withoutWhere && !withoutWhere) return false;
  const { objects: patterns } = rule;
  if (!patterns) return true;
  const isNamed = (name: string) => patterns.some((pattern) => names(pattern, name, rule.action === "deny"));
  // What is allowed by name is allowed only where everything is named.
  return rule.action === "deny" ? objects.some(isNamed) : objects.length > 0 && objects.every(isNamed);
}

/** A name without its schema may lie in any: that counts against it, and never for it. */
function names(pattern: string, name: string, isDenied: boolean): boolean {
  const [table = "", schema] = pattern.toLowerCase().split(".").toReversed();
  const [ownTable = "", ownSchema] = name.split(".").toReversed();
  if (!like(table, ownTable)) return false;
  if (schema === undefined) return true;
  return ownSchema === undefined ? isDenied : like(schema, ownSchema);
}
function like(pattern: string, word: string): boolean {
  const parts = pattern.split("*");
  if (parts.length === 1) return pattern === word;
  const first = parts[0] as string;
  const last = parts.at(-1) as string;
  if (!word.startsWith(first) || !word.endsWith(last) || word.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = word.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= word.length - last.length;
}

function refusal({ name }: StatementRule, { kind, objects }: Part): StatementRefusal {
  const what =
    kind === "unclassified"
      ? "the gate cannot read this statement for certain, and"
      : `this statement (${[kind, ...objects.slice(0, 1)].join(" ").slice(0, 200)}) does not pass:`;
  return {
    rule: name,
    kind,
    message: `${what} the rule ${name} of this target denies it; it was not run`,
    hint:
      kind === "unclassified"
        ? "Write it more simply, or ask an administrator of the gate."
        : "An administrator of the gate may change the rule.",
  };
}
