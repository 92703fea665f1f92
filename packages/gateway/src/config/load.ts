import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { GatehouseError, messageOf } from "@gatehouse/kernel";
import type { z } from "zod";
import { configKeys } from "./keys.ts";
import { type Config, type CoreConfig, type Sections, configSchema, crossChecks } from "./schema.ts";
import { type ConfigFinding, readSource } from "./source.ts";
import { suggest } from "./suggest.ts";

export type ConfigRequest<S extends Sections> = {
  /** Path of the YAML file. Absent: the environment and the defaults alone. */
  file?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  /** Sections of the plug-ins, by name. */
  sections: S;
  /** Variables that begin with GATEHOUSE_ and belong to somebody else, such as the command-line client. */
  ignoredVariables?: readonly string[];
  /** Where relative paths begin when there is no file. */
  workingDirectory?: string;
};

export type ConfigCheck<S extends Sections> =
  | { ok: true; config: Config<S> }
  | { ok: false; findings: readonly ConfigFinding[] };

/** Reads and checks the whole configuration, and tells everything that is wrong at once. */
export function checkConfig<S extends Sections>(request: ConfigRequest<S>): ConfigCheck<S> {
  const { file, env, sections, ignoredVariables = [], workingDirectory = process.cwd() } = request;
  let text = "";
  if (file !== undefined) {
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      return {
        ok: false,
        findings: [{ path: "", message: `cannot be read: ${messageOf(error)}`, where: file }],
      };
    }
  }
  const keys = configKeys(sections);
  const fileName = file === undefined ? "configuration" : basename(file);
  const source = readSource({ fileName, text, env, keys, ignored: ignoredVariables });
  const findings = [...source.findings];
  const parsed = configSchema(sections).safeParse(source.values);
  const secrets = new Set(keys.filter((key) => key.secret).map((key) => key.path));

  for (const issue of parsed.error?.issues ?? []) findings.push(...findingsOf(issue));
  if (parsed.success)
    for (const { path, message } of crossChecks(parsed.data as CoreConfig))
      findings.push({ path: path.join("."), message, where: source.whereIs(path) });
  if (findings.length > 0 || !parsed.success) return { ok: false, findings };

  const config = parsed.data as CoreConfig;
  const base = file === undefined ? workingDirectory : dirname(resolve(workingDirectory, file));
  return { ok: true, config: { ...config, data_dir: resolve(base, config.data_dir) } as Config<S> };

  function findingsOf(issue: z.core.$ZodIssue): ConfigFinding[] {
    const path = issue.path.join(".");
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((name) => {
        const full = path === "" ? name : `${path}.${name}`;
        return { path: full, message: unknown(name, path), where: source.whereIs([...issue.path, name]) };
      });
    const given = valueAt(source.values, issue.path);
    const shown = secrets.has(path) ? "a value" : show(given);
    return [{ path, message: `got ${shown}, ${expectedBy(issue, path)}`, where: source.whereIs(issue.path) }];
  }

  function expectedBy(issue: z.core.$ZodIssue, path: string): string {
    if (issue.message.startsWith("expected ")) return issue.message;
    if (issue.code === "invalid_type" && issue.expected === "object")
      return `expected a section with the keys ${namesUnder(path).join(", ")}`;
    if (issue.code === "too_small") return `expected at least ${issue.minimum}${unitOf(issue.origin)}`;
    if (issue.code === "too_big") return `expected at most ${issue.maximum}${unitOf(issue.origin)}`;
    const expected = keys.find((key) => key.path === path)?.expected;
    return expected === undefined ? issue.message : `expected ${expected}`;
  }

  function unknown(name: string, path: string): string {
    const here = namesUnder(path);
    // Plug-ins choose their keys by `type`: the key is right, and stands beside the wrong one.
    if (here.includes(name)) return "this key belongs to another `type`";
    // The same word elsewhere: somebody put a right key into a wrong section.
    const meant = suggest(name, here) ?? keys.find((key) => key.path.split(".").at(-1) === name)?.path;
    return meant === undefined ? "unknown key" : `unknown key; did you mean \`${meant}\`?`;
  }

  /** The names that may stand in a section. */
  function namesUnder(path: string): string[] {
    const prefix = path === "" ? "" : `${path}.`;
    return [
      ...new Set(
        keys
          .filter((key) => key.path.startsWith(prefix))
          .map((key) => key.path.slice(prefix.length).split(".")[0] as string),
      ),
    ];
  }
}

/** As `checkConfig`, for a start: throws `invalid` with every finding on a line of its own. */
export function loadConfig<S extends Sections>(request: ConfigRequest<S>): Config<S> {
  const check = checkConfig(request);
  if (check.ok) return check.config;
  throw new GatehouseError({
    code: "invalid",
    op: "config.load",
    message: ["the configuration is not valid:", ...check.findings.map((f) => `  ${formatFinding(f)}`)].join(
      "\n",
    ),
    hint: "Every key is described in docs/configuration.md; `gatehouse config check` reads the file without starting.",
  });
}

export function formatFinding({ path, message, where }: ConfigFinding): string {
  return `${where}: ${path === "" || path === where ? "" : `${path}: `}${message}`;
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " entries" : "";
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  let value = values;
  for (const part of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a section";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
