import type { QueryValue } from "./query-payloads.ts";
import { keptLines, onOneLine, statementState, valueText } from "./statement-line.ts";
import type { Statement } from "./statements.ts";

/** `sql`: to be read, and run again where somebody means to. `csv`: for a table. `jsonl`: everything, for a program. */
export const statementFormats = ["sql", "csv", "jsonl"] as const;
export type StatementFormat = (typeof statementFormats)[number];

/** `startedAt` is ISO 8601. `watermark`: what has to be in it of who takes it away. */
type About = { startedAt: string; title: string; watermark?: string | undefined };

/**
 * The statements of one session as text, in chunks that are whole lines. A watermark is a comment in SQL, a column of a table, and an
 * object of its own before those of the statements.
 */
export async function* statementsAs(
  format: StatementFormat,
  all: AsyncIterable<Statement> | Iterable<Statement>,
  about: About,
): AsyncGenerator<string> {
  const startedMs = Date.parse(about.startedAt);
  const timeOf = ({ startedUs }: Statement) => new Date(startedMs + startedUs / 1000).toISOString();
  const { watermark } = about;
  const marked = watermark === undefined ? [] : [watermark];
  if (format === "sql")
    for (const line of [about.title, ...marked, about.startedAt]) yield `-- ${onOneLine(line)}\n`;
  if (format === "csv") yield csvLine([...Object.keys(columns), ...marked.map(() => "watermark")]);
  if (format === "jsonl" && watermark !== undefined) yield `${JSON.stringify({ watermark })}\n`;
  for await (const statement of all)
    switch (format) {
      case "sql":
        yield annotated(statement, timeOf(statement));
        break;
      case "csv":
        yield csvLine([
          ...Object.values(columns).map((field) => field(statement, timeOf(statement))),
          ...marked,
        ]);
        break;
      case "jsonl":
        yield `${JSON.stringify({ time: timeOf(statement), state: statementState(statement), ...statement })}\n`;
        break;
    }
}

/** What did not run, or failed, is a comment: what is left could be run again in its order. */
function annotated(statement: Statement, time: string): string {
  const { text, type, values, results, error, notices, masked, cut } = statement;
  const state = statementState(statement);
  const took = statement.durationUs === undefined ? "" : `, ${(statement.durationUs / 1000).toFixed(1)} ms`;
  const lines = ["", `-- ${time}  ${state}${took}`];
  for (const { tag, rows, sha256 } of results) {
    const counted = rows === undefined || tag.endsWith(` ${rows}`) ? "" : ` (${rows} rows)`;
    lines.push(`--   ${onOneLine(tag)}${counted}${sha256 === undefined ? "" : `, rows sha256 ${sha256}`}`);
  }
  if (error) lines.push(`--   ${error.severity} ${error.code}: ${onOneLine(error.message)}`);
  for (const { severity, message } of notices) lines.push(`--   ${severity}: ${onOneLine(message)}`);
  for (const [word, copy] of [
    ["in", statement.copiedIn],
    ["out", statement.copiedOut],
  ] as const)
    if (copy) lines.push(`--   copied ${word} ${copy.bytes} bytes, sha256 ${copy.sha256}`);
  for (const line of keptLines(statement)) lines.push(`--   | ${line}`);
  if (masked) lines.push("--   secrets are masked");
  if (cut) lines.push("--   cut: the recording has the beginning and the digest");
  values.forEach((value, i) => lines.push(`--   $${i + 1} = ${typed(value)}`));
  if (type === "server" || type === "cancel") lines.push(`-- ${type === "cancel" ? "cancel" : "the server"}`);
  else if (runsAgain(state) && !cut) lines.push(shown(text), ...(/;\s*$/.test(text) ? [] : [";"]));
  else
    lines.push(
      ...shown(text)
        .split(/\r\n|\r|\n/)
        .map((line) => `-- ${line}`),
    );
  return `${lines.join("\n")}\n`;
}

const runsAgain = (state: ReturnType<typeof statementState>) => state === "done" || state === "suspended";

/** Lines and tabs stay; nothing else may draw on a terminal. */
function shown(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, "\ufffd");
}

function typed(value: QueryValue): string {
  return value.type === undefined ? valueText(value) : `${valueText(value)} (${onOneLine(value.type)})`;
}

type Field = (statement: Statement, time: string) => string | number | undefined;
const columns: Readonly<Record<string, Field>> = {
  time: (_, time) => time,
  number: ({ number, type }) => (type === "server" ? undefined : number),
  type: ({ type }) => type,
  state: (statement) => statementState(statement),
  statement: ({ text }) => text,
  parameters: ({ values }) => (values.length === 0 ? undefined : JSON.stringify(values.map(valueText))),
  result: ({ results }) => results.map(({ tag }) => tag).join("; "),
  rows: ({ results }) => {
    const counted = results.flatMap(({ rows }) => rows ?? []);
    return counted.length === 0 ? undefined : counted.reduce((sum, rows) => sum + rows, 0);
  },
  duration_ms: ({ durationUs }) => (durationUs === undefined ? undefined : durationUs / 1000),
  error_code: ({ error }) => error?.code,
  error: ({ error }) => error?.message,
  transaction: ({ status }) => status,
  masked: ({ masked }) => (masked ? "yes" : undefined),
};

/**
 * RFC 4180. A field that a table program would take for a formula gets an apostrophe before it: what a person typed into a
 * database must not run on an auditor's desk.
 */
function csvLine(fields: readonly (string | number | undefined)[]): string {
  const written = fields.map((field) => {
    if (field === undefined || field === "") return "";
    if (typeof field === "number") return String(field);
    const safe = /^[=+\-@\t\r]/.test(field) ? `'${field}` : field;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  });
  return `${written.join(",")}\r\n`;
}
