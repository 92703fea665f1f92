import { GatehouseError } from "@gatehouse/kernel";

/** Where something stands in the files that were given. */
export type Place = { file: string; line: number; column: number };
export type Fault = { place: Place; message: string };

/** As many as a person reads; the others show once these are mended. */
const shownMax = 50;

/** All that is wrong, each with its line. Nothing was sent to the gate. */
export function faulty(faults: readonly Fault[]): GatehouseError {
  const lines = faults
    .toSorted(({ place: a }, { place: b }) =>
      a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1,
    )
    .slice(0, shownMax)
    .map(({ place, message }) => `${place.file}:${place.line}:${place.column}: ${message}`);
  const more = faults.length - lines.length;
  return new GatehouseError({
    code: "invalid",
    op: "cli.usage.declared",
    message: [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join("\n"),
    hint: "Nothing was changed. docs/declared.md has the words.",
  });
}
