import { readFile, readdir, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import {
  type Declared,
  type DeclaredKind,
  declaredFields,
  declaredKinds,
  declaredSchemas,
} from "@gatehouse/contracts/declared";
import { suggest } from "@gatehouse/gateway/config";
import { messageOf } from "@gatehouse/kernel";
import { type Document, LineCounter, isMap, isNode, isScalar, isSeq, parseAllDocuments } from "yaml";
import { type Fault, type Place, faulty } from "./faults.ts";

/** One thing, as a file says it. */
export type Written = {
  thing: Declared;
  /** Its file; undefined for standard input, where nothing can be seen from. */
  file: string | undefined;
  placeOf(path: readonly PropertyKey[]): Place;
};

const bytesMax = 16 * 1024 * 1024;
const thingsMax = 10_000;
const aliasesMax = 100;
const nameOfInput = "standard input";

type Source = { file: string; text: string; path: string | undefined };

/**
 * Every document of these files and directories (`-` is standard input), each of a good shape. Throws `invalid` with all that
 * is wrong in them.
 */
export async function readDeclared(
  given: readonly string[],
  { workingDirectory, stdin }: { workingDirectory: string; stdin: AsyncIterable<unknown> },
): Promise<Written[]> {
  const faults: Fault[] = [];
  const written: Written[] = [];
  let bytes = 0;
  for (const one of given)
    for await (const source of sourcesOf(one)) {
      bytes += source.text.length;
      if (bytes > bytesMax) throw faulty([{ place: start(source.file), message: "more than 16 MiB" }]);
      readInto({ written, faults }, source);
      if (written.length > thingsMax)
        throw faulty([{ place: start(source.file), message: `more than ${thingsMax} things` }]);
    }
  const seen = new Map<string, Written>();
  for (const one of written) {
    const key = `${one.thing.kind} ${one.thing.name}`;
    const before = seen.get(key)?.placeOf(["name"]);
    if (before)
      faults.push({
        place: one.placeOf(["name"]),
        message: `${key} stands in ${before.file}:${before.line} already`,
      });
    else seen.set(key, one);
  }
  if (faults.length > 0) throw faulty(faults);
  return written;

  async function* sourcesOf(name: string): AsyncGenerator<Source> {
    if (name === "-") {
      let text = "";
      for await (const chunk of stdin) {
        text += String(chunk);
        if (text.length > bytesMax) break;
      }
      yield { file: nameOfInput, text, path: undefined };
      return;
    }
    const path = resolve(workingDirectory, name);
    let files: string[];
    try {
      files = (await stat(path)).isDirectory()
        ? (await readdir(path, { recursive: true }))
            .filter((file) => /\.(ya?ml|json)$/.test(file) && !/(^|\/)\./.test(file))
            .sort()
            .map((file) => join(path, file))
        : [path];
    } catch (error) {
      throw faulty([{ place: start(name), message: `cannot be read: ${messageOf(error)}` }]);
    }
    for (const file of files) {
      const shown = file === path ? name : join(name, relative(path, file));
      if ((await stat(file)).size > bytesMax)
        throw faulty([{ place: start(shown), message: "more than 16 MiB" }]);
      yield { file: shown, text: await readFile(file, "utf8"), path: file };
    }
  }
}

const start = (file: string): Place => ({ file, line: 1, column: 1 });

function readInto(into: { written: Written[]; faults: Fault[] }, { file, text, path }: Source): void {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  for (const document of documents as Document[]) {
    for (const error of document.errors)
      into.faults.push({ place: at(error.pos[0]), message: error.message });
    if (document.errors.length > 0) continue;
    let values: unknown;
    try {
      values = document.toJS({ maxAliasCount: aliasesMax });
    } catch (error) {
      into.faults.push({ place: at(document.range?.[0] ?? 0), message: messageOf(error) });
      continue;
    }
    if (values === null) continue;
    // A list is as many documents: what `get -o json` gives.
    const things = Array.isArray(values)
      ? values.map((value: unknown, i) => ({ value, prefix: [i] }))
      : [{ value: values, prefix: [] }];
    for (const { value, prefix } of things) {
      const placeOf = (steps: readonly PropertyKey[]) => at(offsetIn(document, [...prefix, ...steps]));
      const found = thingIn(value, placeOf);
      if (Array.isArray(found)) into.faults.push(...found);
      else into.written.push({ thing: found, file: path, placeOf });
    }
  }
}

function thingIn(value: unknown, placeOf: Written["placeOf"]): Declared | Fault[] {
  const written = (value as { kind?: unknown } | undefined)?.kind;
  const kind = declaredKinds.find((one) => one === written);
  if (!kind) {
    const wanted = `it is one of ${declaredKinds.join(", ")}`;
    const near = typeof written === "string" ? suggest(written, declaredKinds) : undefined;
    const message =
      written === undefined
        ? `kind is missing: ${wanted}`
        : `there is no kind ${JSON.stringify(written)}${near === undefined ? `: ${wanted}` : `; did you mean ${near}?`}`;
    return [{ place: placeOf(["kind"]), message }];
  }
  const parsed = declaredSchemas[kind].safeParse(value);
  if (parsed.success) return parsed.data;
  return parsed.error.issues.flatMap((issue) => faultsOf(kind, issue, placeOf));
}

type Issue = { code: string; path: PropertyKey[]; message: string; keys?: string[]; errors?: Issue[][] };

function faultsOf(kind: DeclaredKind, issue: unknown, placeOf: Written["placeOf"]): Fault[] {
  const { code, path, message, keys = [], errors = [] } = issue as Issue;
  if (code === "unrecognized_keys")
    return keys.map((name) => {
      const near = suggest(name, declaredFields(kind, path));
      const full = [...path, name];
      return {
        place: placeOf(full),
        message: `${shownPath(full)}: there is no such field${near === undefined ? "" : `; did you mean ${near}?`}`,
      };
    });
  // Of a choice the last is told: what it must be is in all of them alike.
  const said = code === "invalid_union" ? (errors.at(-1)?.[0]?.message ?? message) : message;
  return [{ place: placeOf(path), message: `${shownPath(path)}: ${said.replace(/^Invalid input: /, "")}` }];
}

export function shownPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === "number" ? `${text}[${step}]` : `${text}${text === "" ? "" : "."}${String(step)}`,
    "",
  );
}

/** Where what a path names begins, or the nearest thing around it. */
function offsetIn(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const step of path) {
    if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = isNode(node) ? (node.range?.[0] ?? offset) : offset;
    } else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) return offset;
      offset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else return offset;
  }
  return offset;
}
