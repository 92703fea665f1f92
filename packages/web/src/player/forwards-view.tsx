import { useMemo } from "react";
import { bytes, duration } from "../ui/format.ts";
import { Empty, SkeletonRows } from "../ui/states.tsx";
import { numberOf, payload, textOf } from "./payload.ts";
import type { Reel } from "./reel.ts";
import { type Led, StepTime, Stepped } from "./stepped.tsx";

type Forward = {
  stream: number;
  openUs: number;
  closeUs?: number;
  direction: string;
  to: string;
  from: string;
  bytesIn?: number;
  bytesOut?: number;
  error: string;
};

const directions: Record<string, string> = { local: "to", remote: "back from", listen: "listened on" };

function readForwards(reel: Reel): Forward[] {
  const all: Forward[] = [];
  for (const frame of reel.frames) {
    const said = payload(frame.data);
    if (frame.kind === "forward.open")
      all.push({
        stream: frame.stream,
        openUs: frame.timeUs,
        direction: textOf(said["direction"]),
        to: `${textOf(said["host"])}:${numberOf(said["port"]) ?? "?"}`,
        from: textOf(said["originHost"])
          ? `${textOf(said["originHost"])}:${numberOf(said["originPort"]) ?? "?"}`
          : "",
        error: "",
      });
    if (frame.kind !== "forward.close") continue;
    const open = all.findLast((one) => one.stream === frame.stream && one.closeUs === undefined);
    if (!open) continue;
    open.closeUs = frame.timeUs;
    open.bytesIn = numberOf(said["bytesIn"]) ?? 0;
    open.bytesOut = numberOf(said["bytesOut"]) ?? 0;
    open.error = textOf(said["error"]);
  }
  return all;
}

/** Forwarded connections as a table: where to, how long, how much each way. What passed in them is not recorded. */
export function ForwardsView({ reel, ...led }: Led & { reel: Reel }) {
  const rows = useMemo(() => readForwards(reel), [reel]);
  const steps = useMemo(
    () => rows.map(({ openUs, to, error }) => ({ timeUs: openUs, text: to, isBad: error !== "" })),
    [rows],
  );
  if (rows.length === 0)
    return reel.state === "loading" ? <SkeletonRows /> : <Empty title="No connection was forwarded" />;
  return (
    <Stepped what="connection" steps={steps} endUs={reel.endUs} {...led}>
      {(current, choose) => (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
        <section tabIndex={0} aria-label="Forwards" className="min-h-0 flex-1 overflow-auto">
          <table className="w-full">
            <thead className="sticky top-0 bg-paper text-xs text-faint">
              <tr className="[&>th]:h-8 [&>th]:border-b [&>th]:px-3 max-sm:[&>th]:px-2">
                <th scope="col" className="text-end!">
                  Opened
                </th>
                <th scope="col">Destination</th>
                <th scope="col" className="max-md:hidden">
                  From
                </th>
                <th scope="col" className="text-end!">
                  Lasted
                </th>
                <th scope="col" className="text-end!">
                  Bytes
                </th>
              </tr>
            </thead>
            <tbody className="divide-y">
              {rows.map((row, i) => (
                // The whole row is a larger place to click; the button in it is what the keyboard and a reader of the page use.
                // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
                <tr
                  aria-current={i === current || undefined}
                  onClick={() => choose(i)}
                  key={`${row.stream}-${row.openUs}`}
                  className={`scroll-mt-9 cursor-pointer align-top hover:bg-hover aria-current:bg-chosen [&>td]:px-3 [&>td]:py-1.5 max-sm:[&>td]:px-2 ${row.error ? "text-danger" : ""}`}
                >
                  <td className="text-end">
                    <StepTime timeUs={row.openUs} onChoose={() => choose(i)} />
                  </td>
                  <td>
                    <span className="text-soft">{directions[row.direction] ?? row.direction} </span>
                    <span className="font-mono text-xs">{row.to}</span>
                    {row.error && <span className="block">{row.error}</span>}
                  </td>
                  <td className="font-mono text-xs text-soft max-md:hidden">{row.from}</td>
                  <td className="text-end whitespace-nowrap">
                    {row.closeUs === undefined ? "not closed" : duration((row.closeUs - row.openUs) / 1000)}
                  </td>
                  <td className="figures text-end whitespace-nowrap text-soft">
                    {row.bytesIn === undefined || row.bytesOut === undefined ? (
                      "–"
                    ) : (
                      <>
                        <span className="block">↑ {bytes(row.bytesIn)}</span>
                        <span className="block">↓ {bytes(row.bytesOut)}</span>
                      </>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Stepped>
  );
}
