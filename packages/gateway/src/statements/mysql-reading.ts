import type { StatementKind } from "@gatehouse/contracts/rest";
import { type Part, type ReadStatements, holds, unclassified } from "./reading.ts";
import { tokens } from "./tokens.ts";

type Node = Record<string, unknown>;

/** A grammar made for MySQL's dialect: it does not know all of it, and what it does not know is not taken for read. */
export async function mysqlReader(protocol: "mysql" | "mariadb"): Promise<ReadStatements> {
  const { default: parsers } =
    protocol === "mysql"
      ? await import("node-sql-parser/build/mysql.js")
      : await import("node-sql-parser/build/mariadb.js");
  const parser = new parsers.Parser();
  const database = protocol === "mysql" ? "MySQL" : "MariaDB";
  return (text) => {
    const count = statementCount(text);
    if (count === undefined) return unclassified;
    if (count === 0) return [];
    const { ast, tableList } = parser.parse(text, { database });
    const all = (Array.isArray(ast) ? ast : [ast]) as unknown as Node[];
    // Both must cut the text at the same places.
    if (all.length !== count) return unclassified;
    return [...all.flatMap(partsOf), ...tableList.map(partOfTable)];
  };
}

const kinds: Readonly<Record<string, StatementKind>> = {
  select: "select",
  union: "select",
  insert: "insert",
  replace: "insert",
  update: "update",
  delete: "delete",
  truncate: "truncate",
  load_data: "copy",
  create: "create",
  alter: "alter",
  rename: "alter",
  drop: "drop",
  grant: "grant",
  revoke: "grant",
  call: "call",
  set: "set",
  use: "set",
  transaction: "transaction",
  commit: "transaction",
  rollback: "transaction",
  show: "other",
  desc: "other",
  describe: "other",
  lock: "maintenance",
  unlock: "maintenance",
  kill: "maintenance",
};

function partsOf(ast: Node): Part[] {
  const kind = kinds[String(ast["type"]).toLowerCase()];
  if (kind === undefined) return unclassified;
  const parts: Part[] = [{ kind, objects: [] }];
  const [part] = parts as [Part];
  if (kind === "update" || kind === "delete") part.withoutWhere = !looksAtRows(ast["where"]);
  if (kind === "copy") part.objects.push(nameOf(ast["table"] as Node));
  holds(ast, (key, value) => {
    const node = (value ?? {}) as Node;
    if (node["type"] === "function") parts.push({ kind: "function", objects: [functionName(node["name"])] });
    // SELECT ... INTO OUTFILE
    if (key === "into" && typeof node["keyword"] === "string") parts.push({ kind: "copy", objects: [] });
    return false;
  });
  return parts;
}

/** `select::schema::table`, of each table that a text names. */
function partOfTable(entry: string): Part {
  const [verb = "", schema = "", table = ""] = entry.split("::");
  const names = [schema, table].filter((name) => name !== "" && name !== "null");
  return {
    kind: kinds[verb.toLowerCase()] ?? "other",
    objects: names.length > 0 ? [names.join(".").toLowerCase()] : [],
  };
}

function looksAtRows(where: unknown): boolean {
  return holds({ where }, (_key, value) => (value as Node | null)?.["type"] === "column_ref");
}
function nameOf({ db, table }: Node): string {
  return (typeof db === "string" ? `${db}.` : "").concat(String(table)).toLowerCase();
}
function functionName(name: unknown): string {
  const words: string[] = [];
  holds(name, (key, value) => {
    if (key === "value" && typeof value === "string") words.push(value);
    return false;
  });
  return words.join(".").toLowerCase();
}

/** Undefined where a `--` stands that MySQL reads as two minuses, and others as a comment. */
function statementCount(text: string): number | undefined {
  let count = 0;
  let inside = false;
  let minus = -1;
  for (const { kind, from } of tokens(text, "mysql")) {
    if (kind === "comment") continue;
    if (kind === "symbol" && text[from] === ";") {
      inside = false;
      continue;
    }
    if (kind === "symbol" && text[from] === "-") {
      if (minus === from - 1) return undefined;
      minus = from;
    }
    if (!inside) count++;
    inside = true;
  }
  return count;
}
