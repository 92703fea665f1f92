import type { StatementKind } from "@gatehouse/contracts/rest";
import type { Dialect } from "./tokens.ts";

/** One thing that a text does: a statement, a statement within it, or a function that it calls. */
export type Part = {
  kind: StatementKind;
  /** `name` or `schema.name`, in small letters. */
  objects: string[];
  /** An UPDATE or DELETE of all rows. */
  withoutWhere?: boolean;
  /** It runs what stands under a name of the session's, whoever gave it that. */
  runs?: NamedRun;
};
export type NamedRun = { of: "prepared" | "portal"; name: string };

/** What a text does; a single part `unclassified` where that cannot be said for certain. */
export type ReadStatements = (text: string) => Part[];

/** Reading takes time that every session shares: a text beyond this is not read. */
export const readCharsMax = 64 * 1024;
export const unclassified: Part[] = [{ kind: "unclassified", objects: [] }];

/** The parser of a dialect. It is loaded when the first target that has rules is entered. */
export async function statementReader(protocol: "postgres" | "mysql" | "mariadb"): Promise<ReadStatements> {
  if (protocol === "postgres") {
    const { postgresReader } = await import("./postgres-reading.ts");
    return certain("postgres", await postgresReader());
  }
  const { mysqlReader } = await import("./mysql-reading.ts");
  return certain("mysql", await mysqlReader(protocol));
}

/**
 * A server may cut a text into tokens otherwise than a parser here: with `standard_conforming_strings` or
 * `NO_BACKSLASH_ESCAPES` turned, a backslash before a quote ends a literal or does not. Such a text, one that is no UTF-8,
 * and one that the parser stumbles over, is not taken for read.
 */
function certain(dialect: Dialect, read: ReadStatements): ReadStatements {
  const doubtful = dialect === "postgres" ? /\\'|\ufffd/ : /\\['"`]|\ufffd|\/\*M?!/i;
  return (text) => {
    if (text.length > readCharsMax || doubtful.test(text)) return unclassified;
    try {
      const parts = read(text);
      return parts.some(({ kind }) => kind === "unclassified") ? unclassified : parts;
    } catch {
      // A syntax error, an empty text, or one nested so deep that the parser's stack ends.
      return /^[\s;]*$/.test(text) ? [] : unclassified;
    }
  };
}

/** Whether a part of a parsed statement, however deep, has one of these fields or nodes. */
export function holds(node: unknown, found: (key: string, value: unknown) => boolean): boolean {
  if (Array.isArray(node)) return node.some((one) => holds(one, found));
  if (typeof node !== "object" || node === null) return false;
  return Object.entries(node).some(([key, value]) => found(key, value) || holds(value, found));
}
