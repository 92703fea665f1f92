import { stringify } from "yaml";
import { type Column, renderTable } from "./table.ts";
import { shownText, textWidth } from "./text-width.ts";

export const outputFormats = ["text", "json", "yaml"] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Says an answer in the format that was asked for. JSON and YAML hold the API's own words, unshortened. */
export type Printer = {
  readonly format: OutputFormat;
  list<T>(rows: readonly T[], columns: readonly Column<T>[], empty: string): void;
  /** One thing: `fields` for people, the thing itself for machines. */
  thing(thing: unknown, fields: readonly (readonly [string, string | undefined])[]): void;
  /** What was done: a sentence for people, the outcome for machines. */
  done(outcome: unknown, sentence: string): void;
  time(iso: string | null | undefined): string;
  bold(text: string): string;
  line(text: string): void;
};

export function createPrinter(options: {
  format: OutputFormat;
  utc: boolean;
  color: boolean;
  /** Undefined where the output is no terminal: nothing is cut then. */
  columnsMax: number | undefined;
  write(text: string): void;
}): Printer {
  const { format, write } = options;
  const bold = (text: string) => (options.color ? `\u001b[1m${text}\u001b[22m` : text);
  /** True when it was said for a machine. */
  const machine = (value: unknown): boolean => {
    if (format === "json") write(`${JSON.stringify(value, null, 2)}\n`);
    else if (format === "yaml") write(stringify(value));
    return format !== "text";
  };
  return {
    format,
    bold,
    line: (text) => write(`${text}\n`),
    list(rows, columns, empty) {
      if (machine(rows)) return;
      if (rows.length === 0) write(`${empty}\n`);
      else write(renderTable(rows, columns, { columnsMax: options.columnsMax, bold }));
    },
    thing(thing, fields) {
      if (machine(thing)) return;
      const shown = fields.filter((field): field is [string, string] => field[1] !== undefined);
      const width = Math.max(...shown.map(([name]) => textWidth(name)));
      for (const [name, value] of shown)
        write(
          `${bold(name.padEnd(width))}  ${shownText(value).replaceAll("\n", `\n${" ".repeat(width + 2)}`)}\n`,
        );
    },
    done(outcome, sentence) {
      if (!machine(outcome)) write(`${shownText(sentence)}\n`);
    },
    time(iso) {
      if (iso === null || iso === undefined) return "-";
      return formatTime(iso, options.utc);
    },
  };
}

/** `2026-02-10 14:30:00` in the zone of this machine, or in UTC with a Z to say so. */
function formatTime(iso: string, utc: boolean): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  if (utc) return `${date.toISOString().slice(0, 19).replace("T", " ")}Z`;
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
