import { checkLimit, messageOf } from "@gatehouse/kernel";
import { LineCounter, type Node, isCollection, isMap, isPair, isScalar, parse, parseDocument } from "yaml";
import type { ConfigKey } from "./keys.ts";
import { suggest } from "./suggest.ts";

/** Something wrong with the configuration, told so that it can be put right without reading this code. */
export type ConfigFinding = {
  /** `recording.exec_limit`; empty where the file as a whole is meant. */
  path: string;
  message: string;
  /** `gatehouse.yaml:12:3`, or the variable's name, or `default`. */
  where: string;
};

/** What the file and the environment say, laid over each other, and where each part came from. */
export type ConfigSource = {
  values: Record<string, unknown>;
  findings: ConfigFinding[];
  whereIs(path: readonly PropertyKey[]): string;
};

const fileBytesMax = 2 ** 20;

type Env = Readonly<Record<string, string | undefined>>;

/** Names that begin like configuration and are none: they choose the file, or belong to the command. */
const reserved = new Set(["GATEHOUSE_CONFIG"]);

export function readSource({
  fileName,
  text,
  env,
  keys,
  ignored,
}: {
  fileName: string;
  text: string;
  env: Env;
  keys: readonly ConfigKey[];
  ignored: readonly string[];
}): ConfigSource {
  checkLimit("config.read", `size of ${fileName} in bytes`, text.length, fileBytesMax);
  const findings: ConfigFinding[] = [];
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${fileName}:${line}:${col}`;
  };
  for (const error of [...document.errors, ...document.warnings])
    findings.push({ path: "", message: `not valid YAML: ${error.message}`, where: place(error.pos[0]) });

  let values: Record<string, unknown> = {};
  if (findings.length === 0) {
    if (document.contents === null) values = {};
    else if (isMap(document.contents)) {
      try {
        values = withoutNulls(document.toJS({ maxAliasCount: 100 })) as Record<string, unknown>;
      } catch (error) {
        findings.push({
          path: "",
          message: `not usable YAML: ${messageOf(error)}`,
          where: `${fileName}:1:1`,
        });
      }
    } else
      findings.push({ path: "", message: "expected a mapping of keys to values", where: `${fileName}:1:1` });
  }

  const variables = new Map<string, string>();
  const byVariable = new Map(keys.map((key) => [key.variable, key]));
  for (const name of Object.keys(env)
    .filter((n) => n.startsWith("GATEHOUSE_"))
    .sort()) {
    const value = env[name];
    if (value === undefined || reserved.has(name) || ignored.includes(name)) continue;
    const key = byVariable.get(name);
    if (!key) {
      const near = suggest(name, [...byVariable.keys()]);
      findings.push({
        path: name,
        message: `no key has this variable${near ? `; did you mean ${near}?` : ""}`,
        where: name,
      });
      continue;
    }
    let read: unknown = value;
    if (key.reading === "yaml") {
      try {
        read = parse(value, { maxAliasCount: 0 });
      } catch {
        // The schema says what is expected; here it stays the text that it is.
      }
    }
    put(values, key.path.split("."), read);
    variables.set(key.path, name);
  }

  return {
    values,
    findings,
    whereIs(path) {
      const parts = path.map(String);
      for (let length = parts.length; length > 0; length--) {
        const variable = variables.get(parts.slice(0, length).join("."));
        if (variable) return variable;
      }
      const offset = isMap(document.contents) ? offsetOf(document.contents, parts) : undefined;
      return offset === undefined ? "default" : place(offset);
    },
  };
}

/** `key:` with nothing after it says nothing, so the default holds. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) return value;
  const out: Record<string, unknown> = Object.create(null);
  for (const [name, inner] of Object.entries(value)) if (inner !== null) out[name] = withoutNulls(inner);
  return { ...out };
}

function put(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    values[name] = value;
    return;
  }
  const inner = values[name];
  // A value where a section belongs stays, and the schema complains about it.
  if (inner !== undefined && (typeof inner !== "object" || inner === null || Array.isArray(inner))) return;
  const section = (inner ?? {}) as Record<string, unknown>;
  values[name] = section;
  put(section, rest, value);
}

/** Where the deepest part of the path that the file has begins: the key of a pair, the value of an item. */
function offsetOf(root: Node, path: readonly string[]): number | undefined {
  let node: unknown = root;
  let found: number | undefined;
  for (const part of path) {
    if (!isCollection(node)) break;
    const item: unknown = isMap(node)
      ? node.items.find((pair) => isPair(pair) && isScalar(pair.key) && String(pair.key.value) === part)
      : node.items[Number(part)];
    if (item === undefined) break;
    const at = (isPair(item) ? item.key : item) as Node | null;
    if (at?.range) found = at.range[0];
    node = isPair(item) ? item.value : item;
  }
  return found;
}
