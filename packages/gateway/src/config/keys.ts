import { z } from "zod";
import { type Sections, configSchema } from "./schema.ts";

/** One key of the configuration as a person sees it, taken from the schema itself. */
export type ConfigKey = {
  /** `recording.journal.capacity`. */
  path: string;
  /** The variable of the environment that sets it. */
  variable: string;
  description: string;
  /** What may stand there, in words. */
  expected: string;
  /** As it would be written in the file; absent where there is none. */
  default?: unknown;
  /** Its value is never printed. */
  secret: boolean;
  /** How text from the environment is read. */
  reading: "text" | "yaml";
};

type Node = {
  type?: string;
  description?: string;
  default?: unknown;
  expected?: string;
  secret?: boolean;
  enum?: readonly unknown[];
  const?: unknown;
  pattern?: string;
  items?: Node;
  properties?: Record<string, Node>;
  anyOf?: readonly Node[];
  oneOf?: readonly Node[];
};

function variableOf(path: readonly string[]): string {
  return `GATEHOUSE_${path.join("__").toUpperCase()}`;
}

/** Every key that holds a value, in the order of the schema; sections that plug-ins choose by `type` are merged. */
export function configKeys(sections: Sections): readonly ConfigKey[] {
  const root = z.toJSONSchema(configSchema(sections), { io: "input", unrepresentable: "any" }) as Node;
  const keys = new Map<string, ConfigKey>();
  const visit = (node: Node, path: readonly string[]): void => {
    const choices = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
    const isSection = node.properties !== undefined || choices.some((choice) => choice.properties);
    if (!isSection) {
      const text = path.join(".");
      const before = keys.get(text);
      const expected = expectedOf(node);
      keys.set(text, {
        path: text,
        variable: variableOf(path),
        description: node.description ?? before?.description ?? "",
        // A key that several choices have, such as `type`, may hold what any of them may hold.
        expected: before && before.expected !== expected ? `${before.expected} or ${expected}` : expected,
        ...("default" in node
          ? { default: node.default }
          : before && "default" in before
            ? { default: before.default }
            : {}),
        secret: node.secret === true || before?.secret === true,
        reading: node.type === "string" || node.enum || node.const !== undefined ? "text" : "yaml",
      });
      return;
    }
    for (const choice of [node, ...choices])
      for (const [name, child] of Object.entries(choice.properties ?? {})) visit(child, [...path, name]);
  };
  visit(root, []);
  return [...keys.values()];
}

function expectedOf(node: Node): string {
  if (node.expected) return node.expected;
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(" or ");
  switch (node.type) {
    case "boolean":
      return "true or false";
    case "integer":
      return "a whole number";
    case "number":
      return "a number";
    case "array":
      return "a list";
    case "object":
      return "a mapping";
    case "string":
      return "text";
    default:
      return "a value";
  }
}
