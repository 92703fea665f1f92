import { useMemo, useState } from "react";
import { bytes } from "../ui/format.ts";
import { Empty, SkeletonRows } from "../ui/states.tsx";
import { plainText } from "./moments.ts";
import { numberOf, payload, textOf } from "./payload.ts";
import type { Reel } from "./reel.ts";
import { type Led, type Step, StepTime, Stepped } from "./stepped.tsx";

const streams = ["stdin", "stdout", "stderr"] as const;
type Stream = (typeof streams)[number];

type Piece = { seq: number; timeUs: number; stream: Stream; text: string };
/** More than this in one page helps nobody read; the export has it all. */
const shownCharsMax = 400_000;

const streamStyles: Record<Stream, { name: string; bar: string; text: string }> = {
  stdin: { name: "stdin", bar: "border-[#63c9d6]", text: "text-[#63c9d6]" },
  stdout: { name: "stdout", bar: "border-transparent", text: "text-[#d7dde5]" },
  stderr: { name: "stderr", bar: "border-[#f07178]", text: "text-[#ff9098]" },
};

/** A command without a terminal: what went in and what came out, in its order, each by its stream. */
export function ExecView({ reel, ...led }: Led & { reel: Reel }) {
  const [hidden, setHidden] = useState<readonly Stream[]>([]);
  const { pieces, sums, digests, isCut } = useMemo(() => readExec(reel), [reel]);
  const shown = useMemo(() => pieces.filter((piece) => !hidden.includes(piece.stream)), [pieces, hidden]);
  const steps = useMemo(() => shown.map(stepOf), [shown]);
  if (reel.frames.length === 0 && reel.state === "loading") return <SkeletonRows />;
  return (
    <Stepped what="piece" steps={steps} endUs={reel.endUs} {...led}>
      {(current, choose) => (
        <section aria-label="Streams" className="flex min-h-0 flex-1 flex-col">
          <div
            role="group"
            aria-label="Streams shown"
            className="flex flex-wrap items-center gap-1 border-b px-3 py-1.5"
          >
            {streams.map((stream) => (
              <button
                key={stream}
                type="button"
                aria-pressed={!hidden.includes(stream)}
                onClick={() =>
                  setHidden(
                    hidden.includes(stream) ? hidden.filter((one) => one !== stream) : [...hidden, stream],
                  )
                }
                className="flex h-7 items-center gap-1.5 rounded-md px-2 text-faint hover:bg-hover aria-pressed:text-ink"
              >
                <code className="font-mono text-xs">{stream}</code>
                <span className="text-xs text-faint">{bytes(sums[stream])}</span>
              </button>
            ))}
          </div>
          {digests.map((digest) => (
            <p key={digest.of} className="border-b bg-attention-paper px-3 py-1.5 text-xs text-attention">
              Of <code className="font-mono">{digest.of}</code> only the beginning was kept:{" "}
              {bytes(digest.bytes)} in all, SHA-256{" "}
              <code className="font-mono break-all">{digest.sha256}</code>
            </p>
          ))}
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard */}
          <div tabIndex={0} className="min-h-0 flex-1 overflow-auto bg-terminal py-2" data-testid="streams">
            {shown.length === 0 ? (
              <Empty title="Nothing passed in these streams" />
            ) : (
              <pre className="font-mono text-xs leading-5">
                {shown.map((piece, i) => (
                  <span
                    key={piece.seq}
                    aria-current={i === current || undefined}
                    title={streamStyles[piece.stream].name}
                    className={`flex items-baseline gap-3 border-l-2 px-3 break-all whitespace-pre-wrap aria-current:bg-white/10 ${streamStyles[piece.stream].bar} ${streamStyles[piece.stream].text}`}
                  >
                    <span className="w-11 shrink-0 text-end select-none">
                      <StepTime
                        timeUs={piece.timeUs}
                        onChoose={() => choose(i)}
                        className="text-[#8b95a3] hover:text-white"
                      />
                    </span>
                    <span className="min-w-0">{piece.text}</span>
                  </span>
                ))}
              </pre>
            )}
            {isCut && (
              <p className="px-3 pt-3 text-xs text-[#f0b849]">
                There is more than a page can show. The export has all of it.
              </p>
            )}
          </div>
        </section>
      )}
    </Stepped>
  );
}

function stepOf({ timeUs, stream, text }: Piece): Step {
  return { timeUs, text: `${stream} ${text.slice(0, 200)}`, isBad: stream === "stderr" };
}

function readExec(reel: Reel) {
  const pieces: Piece[] = [];
  const sums: Record<Stream, number> = { stdin: 0, stdout: 0, stderr: 0 };
  const digests: { of: string; bytes: number; sha256: string }[] = [];
  // A character may lie across two frames of a stream, so each stream has a decoder of its own.
  const decoders = { stdin: new TextDecoder(), stdout: new TextDecoder(), stderr: new TextDecoder() };
  let chars = 0;
  for (const frame of reel.frames) {
    const stream = streams.find((one) => one === frame.kind);
    if (stream) {
      sums[stream] += frame.data.length;
      if (chars >= shownCharsMax) continue;
      const text = plainText(decoders[stream].decode(frame.data, { stream: true }));
      chars += text.length;
      const last = pieces.at(-1);
      // Neighbours of one stream are one piece until a line ends.
      if (last?.stream === stream && !last.text.endsWith("\n")) last.text += text;
      else pieces.push({ seq: frame.seq, timeUs: frame.timeUs, stream, text });
    } else if (frame.kind === "digest") {
      const said = payload(frame.data);
      if (said["final"] === true)
        digests.push({
          of: textOf(said["of"]),
          bytes: numberOf(said["bytes"]) ?? 0,
          sha256: textOf(said["sha256"]),
        });
    }
  }
  for (const piece of pieces) piece.text = piece.text.replace(/\r?\n$/, "");
  return { pieces, sums, digests, isCut: chars >= shownCharsMax };
}
