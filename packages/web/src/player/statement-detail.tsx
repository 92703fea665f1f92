import { type Statement, onOneLine, valueText } from "@gatehouse/recording/query";
import type { ReactNode } from "react";
import { CopyButton } from "../ui/elements.tsx";
import { bytes, count, preciseTime } from "../ui/format.ts";
import { StatementText } from "./statement-text.tsx";
import { outcomeWords, rowsWords, tookWords } from "./statement-words.ts";

/** Of what was kept, in the page; an export has all of it. */
const keptRowsMax = 200;
const keptCharsMax = 20_000;

type Result = Statement["results"][number];
type Value = NonNullable<Result["kept"]>[number][number];

/** One statement whole: its text with the values in place, what came of it, and what the recording kept of its rows. */
export function StatementDetail({ row }: { row: Statement }) {
  const { error, notices, notifications, settings } = row;
  const hasKept = row.results.some(({ kept }) => kept !== undefined && kept.length > 0);
  return (
    <section
      aria-label="Statement"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
      tabIndex={0}
      className="max-h-[48%] max-sm:max-h-[40%] shrink-0 overflow-auto border-t bg-raised px-3 py-2"
    >
      <div className="flex flex-wrap items-baseline gap-x-3 text-xs text-soft">
        <h2 className="text-xs font-medium text-ink">Statement {row.number}</h2>
        <span className="figures">at {preciseTime(row.startedUs)}</span>
        <span className="figures">took {tookWords(row)}</span>
        {rowsWords(row) !== "–" && (
          <span className="figures">{rowsWords(row) === "1" ? "1 row" : `${rowsWords(row)} rows`}</span>
        )}
        {row.masked && <span className="text-attention">secrets are masked for you</span>}
        <span className="ml-auto">
          <CopyButton text={row.text} label="Copy the statement" />
        </span>
      </div>
      <pre className="mt-1 font-mono text-xs wrap-anywhere whitespace-pre-wrap">
        <StatementText row={row} />
      </pre>
      {error ? (
        <div className="mt-2 text-danger">
          <p className="wrap-anywhere">
            {row.refused && "Refused by the gate. "}
            {error.severity} {error.code}: {error.message}
          </p>
          {error.detail && <p className="wrap-anywhere text-ink">{error.detail}</p>}
          {error.hint && <p className="wrap-anywhere text-ink">{error.hint}</p>}
        </div>
      ) : (
        outcomeWords(row) !== "" && !hasKept && <p className="mt-2 text-xs text-soft">{outcomeWords(row)}</p>
      )}
      <ul className="text-xs text-soft">
        {notices.map(({ severity, message }) => (
          <li key={message} className="wrap-anywhere">
            {severity} {message}
          </li>
        ))}
        {notifications.map(({ channel, payload }) => (
          <li key={`${channel} ${payload}`}>
            told {channel}: {payload}
          </li>
        ))}
        {settings.map(({ name, value }) => (
          <li key={name}>
            {name} = {value}
          </li>
        ))}
      </ul>
      {row.results.map((result, i) => (
        // oxlint-disable-next-line react/no-array-index-key -- results have no name, and their order never changes
        <KeptRows key={i} result={result} />
      ))}
      {row.copiedIn && <Copied name="Copied in" copy={row.copiedIn} />}
      {row.copiedOut && <Copied name="Copied out" copy={row.copiedOut} />}
    </section>
  );
}

function KeptRows({ result: { columns, kept, rows, tag } }: { result: Result }) {
  if (!kept || kept.length === 0) return null;
  const shown = kept.slice(0, keptRowsMax);
  const width = Math.max(columns?.length ?? 0, ...shown.map((row) => row.length));
  return (
    <figure className="mt-2">
      <figcaption className="text-xs text-faint">
        {tag}:{" "}
        {rows === kept.length
          ? "all rows were kept"
          : `the first ${count(kept.length)} of ${rows === undefined ? "its" : count(rows)} rows were kept`}
        {kept.length > shown.length && `; ${count(kept.length - shown.length)} of them only in an export`}
      </figcaption>
      <div className="mt-1 w-fit max-w-full overflow-x-auto rounded border">
        <table className="text-xs">
          <thead>
            <tr className="bg-sunken">
              {Array.from({ length: width }, (_, i) => (
                <th
                  key={columns?.[i]?.name ?? i}
                  scope="col"
                  title={columns?.[i]?.type}
                  className="border-b px-2 py-0.5 font-mono font-medium whitespace-nowrap text-soft"
                >
                  {columns?.[i]?.name ?? i + 1}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y">
            {shown.map((row, i) => (
              // oxlint-disable-next-line react/no-array-index-key -- rows have no name, and their order never changes
              <tr key={i}>
                {row.map((value, column) => (
                  // oxlint-disable-next-line react/no-array-index-key -- nor have their values
                  <td key={column} className="max-w-80 truncate px-2 py-0.5 font-mono">
                    <ValueWords value={value} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

function ValueWords({ value }: { value: Value }): ReactNode {
  if (value.masked) return <span className="text-attention">(masked)</span>;
  if (value.null) return <span className="text-faint italic">NULL</span>;
  if (value.text === undefined || value.bytes !== undefined) return valueText(value);
  return <span title={value.text}>{onOneLine(value.text)}</span>;
}

function Copied({ name, copy }: { name: string; copy: NonNullable<Statement["copiedIn"]> }) {
  const kept = (copy.kept ?? []).map((value) => value.text ?? valueText(value)).join("");
  return (
    <figure className="mt-2">
      <figcaption className="text-xs text-faint">
        {name}: {bytes(copy.bytes)}, SHA-256 <span className="font-mono">{copy.sha256.slice(0, 16)}…</span>
        {kept === "" ? "; nothing of it was kept" : ""}
      </figcaption>
      {kept !== "" && (
        <pre className="mt-1 max-h-48 overflow-auto rounded bg-sunken p-2 text-xs">
          {kept.slice(0, keptCharsMax)}
          {kept.length > keptCharsMax && "\n(the rest in an export)"}
        </pre>
      )}
    </figure>
  );
}
