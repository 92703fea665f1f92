import type { QueryValue } from "./query-payloads.ts";
import type { Statement } from "./statements.ts";

/** How a statement ended, in one word. */
export function statementState(
  statement: Statement,
): "done" | "failed" | "refused" | "discarded" | "suspended" | "prepared" | "open" {
  if (statement.refused) return "refused";
  if (statement.error) return "failed";
  if (statement.discarded) return "discarded";
  if (statement.suspended) return "suspended";
  if (statement.type === "prepare") return "prepared";
  return statement.durationUs === undefined && statement.type !== "cancel" ? "open" : "done";
}

/** One line for people: the statement with its parameters, and what came of it. */
export function statementLine(statement: Statement): string {
  const { type, values, durationUs } = statement;
  const parts = [type === "server" ? "(the server)" : statementText(statement)];
  if (values.length > 0)
    parts.push(`[${values.map((value, i) => `$${i + 1}=${valueText(value)}`).join(", ")}]`);
  if (type === "cancel") return parts.join(" ");
  const ends = endsOf(statement);
  if (ends.length === 0) ends.push(durationUs === undefined ? "no outcome" : "done");
  if (durationUs !== undefined && type !== "server") ends.push(`${(durationUs / 1000).toFixed(1)} ms`);
  return `${parts.join(" ")} -> ${ends.join(", ")}`;
}

function statementText({ type, text }: Statement): string {
  return type === "cancel" ? "cancel" : onOneLine(text) || "(not seen prepared)";
}

function endsOf(statement: Statement): string[] {
  const { results, error, notifications, settings } = statement;
  const ends = results.map(({ tag }) => tag);
  if (statement.suspended) ends.push("suspended");
  if (statementState(statement) === "prepared") ends.push("prepared, not run");
  if (statement.discarded) ends.push("discarded");
  if (error)
    ends.push(
      `${statement.refused ? "refused: " : ""}${error.severity} ${error.code} ${onOneLine(error.message)}`,
    );
  for (const { channel, payload } of notifications)
    ends.push(`notification ${onOneLine(channel)} ${onOneLine(payload)}`.trimEnd());
  for (const { name, value } of settings) ends.push(`set ${onOneLine(name)} = ${onOneLine(value)}`);
  if (statement.type === "server")
    for (const { severity, message } of statement.notices) ends.push(`${severity} ${onOneLine(message)}`);
  return ends;
}

/** What was kept of the rows and copies of a statement, for people: a line for each row. */
export function keptLines({ results, copiedIn, copiedOut }: Statement): string[] {
  const lines: string[] = [];
  for (const { columns, kept } of results) {
    if (!kept) continue;
    if (columns) lines.push(columns.map(({ name }) => onOneLine(name)).join(" | "));
    for (const row of kept) lines.push(row.map(valueText).join(" | "));
  }
  for (const copy of [copiedIn, copiedOut])
    for (const value of copy?.kept ?? [])
      lines.push(
        ...(value.text === undefined ? [valueText(value)] : value.text.trimEnd().split("\n").map(onOneLine)),
      );
  return lines;
}

export function valueText(value: QueryValue): string {
  if (value.masked) return "(masked)";
  if (value.null) return "NULL";
  const shown = value.hex !== undefined ? `0x${value.hex}` : `'${onOneLine(value.text ?? "")}'`;
  return value.bytes === undefined ? shown : `${shown} (cut, ${value.bytes} bytes)`;
}

/** Nothing in a statement may draw on the terminal that shows it. */
export function onOneLine(text: string): string {
  return (
    text
      .replaceAll(/\s*[\r\n]\s*/g, " ")
      // eslint-disable-next-line no-control-regex
      .replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd")
      .trim()
  );
}
