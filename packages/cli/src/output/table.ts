import { cutText, shownText, textWidth } from "./text-width.ts";

export type Column<T> = {
  title: string;
  value(row: T): string;
  align?: "right";
  /** Columns that may be cut where the terminal is narrow, and to what width at least. Without it: never cut. */
  narrowTo?: number;
};

/** Columns side by side, two blanks between. With `columnsMax` the widest that may be cut are cut until all fit. */
export function renderTable<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  options: { columnsMax: number | undefined; bold(text: string): string },
): string {
  const cells = rows.map((row) =>
    columns.map((column) => shownText(column.value(row)).replaceAll("\n", " ")),
  );
  const widths = columns.map((column, i) =>
    Math.max(textWidth(column.title), ...cells.map((line) => textWidth(line[i] ?? ""))),
  );
  if (options.columnsMax !== undefined) narrow(widths, columns, options.columnsMax);
  const line = (texts: readonly string[]) =>
    columns
      .map((column, i) => {
        const width = widths[i] ?? 0;
        const text = cutText(texts[i] ?? "", width);
        const blanks = " ".repeat(Math.max(0, width - textWidth(text)));
        return column.align === "right" ? blanks + text : text + blanks;
      })
      .join("  ")
      .trimEnd();
  return [options.bold(line(columns.map((column) => column.title))), ...cells.map(line)]
    .map((l) => `${l}\n`)
    .join("");
}

function narrow<T>(widths: number[], columns: readonly Column<T>[], columnsMax: number): void {
  const gaps = 2 * (columns.length - 1);
  for (;;) {
    const over = widths.reduce((sum, width) => sum + width, gaps) - columnsMax;
    if (over <= 0) return;
    let widest = -1;
    for (const [i, column] of columns.entries())
      if (
        column.narrowTo !== undefined &&
        (widths[i] ?? 0) > column.narrowTo &&
        (widest < 0 || (widths[i] ?? 0) > (widths[widest] ?? 0))
      )
        widest = i;
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 1) - 1;
  }
}
