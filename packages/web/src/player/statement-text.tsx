import { type Statement, valueText } from "@gatehouse/recording/query";
import { textPieces } from "./statement-pieces.ts";

/** With each value where it was bound; those that stand nowhere in the text follow it. */
export function StatementText({ row, charsMax }: { row: Statement; charsMax?: number }) {
  if (row.type === "cancel") return "cancel";
  if (row.type === "server") return <span className="text-soft">(said by the server)</span>;
  if (row.text === "") return <span className="text-soft">(not seen prepared)</span>;
  const text = charsMax === undefined ? row.text : row.text.slice(0, charsMax);
  const pieces = textPieces(text, row.values.length);
  const placed = new Set(pieces.map(({ parameter }) => parameter));
  const others =
    charsMax === undefined
      ? row.values.flatMap((value, i) => (placed.has(i + 1) ? [] : [`$${i + 1}=${valueText(value)}`]))
      : [];
  return (
    <>
      {pieces.map(({ at, text: piece, parameter }) => {
        const value = parameter === undefined ? undefined : row.values[parameter - 1];
        return value ? (
          <span
            key={at}
            title={piece}
            className={`${charsMax === undefined ? "rounded-sm bg-sunken px-0.5" : ""} ${value.masked ? "text-attention" : "text-accent"}`}
          >
            {valueText(value)}
          </span>
        ) : (
          <span key={at}>{piece}</span>
        );
      })}
      {row.cut && <span className="text-attention"> (cut in the recording)</span>}
      {others.length > 0 && <span className="block text-soft">{others.join(", ")}</span>}
    </>
  );
}
