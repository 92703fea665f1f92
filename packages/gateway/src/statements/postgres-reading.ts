import type { StatementKind } from "@gatehouse/contracts/rest";
import { type Part, type ReadStatements, holds } from "./reading.ts";

type Node = Record<string, unknown>;

/** PostgreSQL's own grammar, compiled to WebAssembly. */
export async function postgresReader(): Promise<ReadStatements> {
  const { default: parser } = await import("libpg-query");
  await parser.loadModule();
  return (text) => {
    const { stmts = [] } = parser.parseSync(text) as { stmts?: { stmt?: unknown }[] };
    return stmts.flatMap(({ stmt }) => partsOf(stmt));
  };
}

function partsOf(statement: unknown): Part[] {
  const parts: Part[] = [];
  visit(statement, undefined, parts);
  return parts;
}

/** Those that are a frame for another statement and do nothing beside it. */
const frames = new Set(["PrepareStmt", "ExplainStmt", "DeclareCursorStmt", "ReturnStmt"]);
/** By their names in PostgreSQL's parse nodes; the first that fits. */
const kinds: readonly [RegExp, StatementKind][] = [
  [/^SelectStmt$/, "select"],
  [/^InsertStmt$/, "insert"],
  [/^UpdateStmt$/, "update"],
  [/^DeleteStmt$/, "delete"],
  [/^MergeStmt$/, "merge"],
  [/^TruncateStmt$/, "truncate"],
  [/^CopyStmt$/, "copy"],
  [/^(Grant|AlterDefaultPrivileges|ReassignOwned|SecLabel)/, "grant"],
  [/Role|UserMapping/, "role"],
  [/^Drop/, "drop"],
  [/^(Call|Do|Execute)Stmt$/, "call"],
  [/^TransactionStmt$/, "transaction"],
  [/^(VariableSet|VariableShow|Discard|ConstraintsSet)Stmt$/, "set"],
  [/^(Vacuum|Cluster|Reindex|CheckPoint|RefreshMatView|Lock|Load)Stmt$/, "maintenance"],
  [/^(Alter|Rename|Comment)/, "alter"],
  [/^(Create|Define|View|Index|Rule|CompositeType|ImportForeign)/, "create"],
  [/^(Listen|Unlisten|Notify|Fetch|ClosePortal|Deallocate)Stmt$/, "other"],
];
const changes = new Set(["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"]);

/** `into` takes the tables that a node names. */
function visit(node: unknown, into: Part | undefined, parts: Part[]): void {
  if (Array.isArray(node)) {
    for (const one of node) visit(one, into, parts);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  for (const [name, value] of Object.entries(node)) {
    if (name === "RangeVar") into?.objects.push(nameOf(value as Node));
    else if (name === "FuncCall") {
      parts.push({ kind: "function", objects: [wordsOf((value as Node)["funcname"])] });
      visit(value, into, parts);
    } else if (frames.has(name)) visit(value, into, parts);
    else if (/^[A-Z]\w*Stmt$/.test(name)) statement(name, value as Node, parts);
    else visit(value, into, parts);
  }
}

function statement(name: string, node: Node, parts: Part[]): void {
  const kind = kinds.find(([pattern]) => pattern.test(name))?.[1] ?? "unclassified";
  const part: Part = { kind, objects: [] };
  parts.push(part);
  // By the protocol and by these the same names are meant.
  if (name === "ExecuteStmt") part.runs = { of: "prepared", name: String(node["name"]) };
  if (name === "FetchStmt") part.runs = { of: "portal", name: String(node["portalname"]) };
  if (changes.has(name)) {
    const { relation, ...rest } = node;
    if (relation) part.objects.push(nameOf(relation as Node));
    if (kind === "update" || kind === "delete") part.withoutWhere = !looksAtRows(node["whereClause"]);
    // What a change reads is read as by a query of its own.
    const reads: Part = { kind: "select", objects: [] };
    visit(rest, reads, parts);
    if (reads.objects.length > 0) parts.push(reads);
    return;
  }
  if (name === "DropStmt")
    for (const object of (node["objects"] ?? []) as Node[]) part.objects.push(wordsOf(object));
  for (const field of ["relation", "rel", "view", "table"] as const) {
    const direct = node[field];
    if (typeof direct === "object" && direct !== null && "relname" in direct)
      part.objects.push(nameOf(direct as Node));
  }
  for (const vacuumed of (node["rels"] ?? []) as { VacuumRelation?: { relation?: Node } }[])
    if (vacuumed.VacuumRelation?.relation) part.objects.push(nameOf(vacuumed.VacuumRelation.relation));
  // SELECT INTO makes a table.
  const into = (node["intoClause"] ?? node["into"]) as { rel?: Node } | undefined;
  if (into?.rel) {
    if (kind === "create") part.objects.push(nameOf(into.rel));
    else parts.push({ kind: "create", objects: [nameOf(into.rel)] });
  }
  for (const list of ["larg", "rarg"]) if (node[list]) statement("SelectStmt", node[list] as Node, parts);
  const { larg: _left, rarg: _right, ...rest } = node;
  visit(rest, part, parts);
}

/** A condition that no row can fail differently from another is none. */
function looksAtRows(where: unknown): boolean {
  return holds(where, (key) => key === "ColumnRef" || key === "CurrentOfExpr");
}

function nameOf({ schemaname, relname }: Node): string {
  return (typeof schemaname === "string" ? `${schemaname}.` : "").concat(String(relname)).toLowerCase();
}
/** A name that is kept as a list of its words; the database's own name before it does not count. */
function wordsOf(node: unknown): string {
  const words: string[] = [];
  holds(node, (key, value) => {
    if (key === "sval" && typeof value === "string") words.push(value);
    return false;
  });
  return words.slice(-2).join(".").toLowerCase();
}
