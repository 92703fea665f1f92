import type { StatementPolicy, StatementRule } from "@gatehouse/contracts/rest";
import { type Part, type ReadStatements, statementReader } from "./reading.ts";

/** Why a statement does not pass, or not before somebody else has approved it. */
export type StatementVerdict = {
  action: "deny" | "approve";
  rule: string;
  kind: Part["kind"];
  /** For the person, where it does not pass. */
  message: string;
  hint: string;
};

/** The rules of a target for one login; undefined where it has none, and nothing is parsed. */
export type StatementRules = {
  ofText(text: string): StatementVerdict | undefined;
  /** What a text does: for `ofParts`. */
  read: ReadStatements;
  /** Also of what is asked for by a command of the protocol, and not by a text. */
  ofParts(parts: readonly Part[]): StatementVerdict | undefined;
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
  function ofParts(parts: readonly Part[]): StatementVerdict | undefined {
    let approval: StatementVerdict | undefined;
    for (const part of parts) {
      const rule =
        part.kind === "unclassified" ? ofUnclassified(rules) : rules.find((one) => fits(one, part));
      if (rule?.action === "deny") return denial(rule, part);
      if (rule?.action === "approve") approval ??= waiting(rule, part);
    }
    return approval;
  }
  return { read, ofParts, ofText: (text) => ofParts(read(text)) };
}

/** It may be anything, so every rule may be meant: the first that names it decides, else the strictest that there is. */
function ofUnclassified(rules: readonly StatementRule[]): StatementRule | undefined {
  const ofAction = (wanted: StatementRule["action"]) => rules.find(({ action }) => action === wanted);
  return (
    rules.find(({ kinds }) => kinds?.includes("unclassified")) ?? ofAction("deny") ?? ofAction("approve")
  );
}

function fits(rule: StatementRule, { kind, objects, withoutWhere }: Part): boolean {
  if (rule.kinds && !rule.kinds.includes(kind)) return false;
  if (rule.withoutWhere && !withoutWhere) return false;
  const { objects: patterns } = rule;
  if (!patterns) return true;
  const isAgainst = rule.action !== "allow";
  const isNamed = (name: string) => patterns.some((pattern) => names(pattern, name, isAgainst));
  // What is allowed by name is allowed only where everything is named.
  return isAgainst ? objects.some(isNamed) : objects.length > 0 && objects.every(isNamed);
}

/** A name without its schema may lie in any: that counts against it, and never for it. */
function names(pattern: string, name: string, isAgainst: boolean): boolean {
  const [table = "", schema] = pattern.toLowerCase().split(".").toReversed();
  const [ownTable = "", ownSchema] = name.split(".").toReversed();
  if (!like(table, ownTable)) return false;
  if (schema === undefined) return true;
  return ownSchema === undefined ? isAgainst : like(schema, ownSchema);
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

function denial({ name }: StatementRule, part: Part): StatementVerdict {
  const { kind } = part;
  const what =
    kind === "unclassified"
      ? "the gate cannot read this statement for certain, and"
      : `this statement (${shortly(part)}) does not pass:`;
  return {
    action: "deny",
    rule: name,
    kind,
    message: `${what} the rule ${name} of this target denies it; it was not run`,
    hint:
      kind === "unclassified"
        ? "Write it more simply, or ask an administrator of the gate."
        : "An administrator of the gate may change the rule.",
  };
}

function waiting({ name }: StatementRule, part: Part): StatementVerdict {
  return {
    action: "approve",
    rule: name,
    kind: part.kind,
    message: `this statement (${shortly(part)}) needs an approval by the rule ${name} of this target, and has none; it was not run`,
    hint: "Ask a security analyst or an administrator of the gate to approve it, and send it again.",
  };
}

function shortly({ kind, objects }: Part): string {
  return [kind, ...objects.slice(0, 1)].join(" ").slice(0, 200);
}
