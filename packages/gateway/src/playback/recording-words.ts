import type { Recording } from "@gatehouse/contracts/rest";
import type { Recording as OpenRecording, WrappedKeys } from "@gatehouse/recording";
import type { SessionEntry } from "../directory/mod.ts";
import { formatsOf } from "./export.ts";

/** The manifest's word where there is one, else the table's. */
export function recordingWords(
  entry: SessionEntry,
  opened: Pick<OpenRecording, "manifest" | "withheld" | "wrapped"> | undefined,
): Omit<Recording, "may"> {
  const manifest = opened?.manifest;
  const withheld = (opened?.withheld ?? []).map((lane) => (lane === "main" ? "output" : lane));
  const formats = formatsOf(entry.facts.track, manifest !== undefined);
  const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
  return {
    sessionId: entry.facts.sessionId,
    state: entry.recordingState,
    format: "gatehouse-recording/1",
    startedAt: entry.facts.startedAt,
    durationMs: manifest ? manifest.end.lastTimeUs / 1000 : (entry.durationMs ?? null),
    frames: manifest?.frames ?? entry.frames ?? null,
    bytes: manifest?.bytes ?? entry.bytes ?? null,
    segments: manifest?.segments.length ?? null,
    headSha256: manifest?.headSha256 ?? entry.headSha256 ?? null,
    signedBy: manifest?.signer.keyId ?? null,
    recipients: opened && manifest ? recipientsOf(opened.wrapped) : [],
    retainUntil: time(entry.retainUntilMs),
    lockedUntil: time(entry.lockedUntilMs),
    hold: entry.hold ? holdWords(entry.hold) : null,
    removedAt: time(entry.removedAtMs),
    withheld,
    // Only the bundle needs no key.
    exports: withheld.includes("output") ? formats.filter((format) => format === "bundle") : [...formats],
  };
}

/** Who holds a key, and to what. */
function recipientsOf(keys: WrappedKeys): string[] {
  const names = (wraps: WrappedKeys["main"]) =>
    new Set(
      wraps.flatMap((wrap) => (wrap.type === "age" ? wrap.recipients : [`${wrap.provider}: ${wrap.key}`])),
    );
  const output = names(keys.main);
  const input = names(keys.input);
  return [...new Set([...output, ...input])].map((name) => {
    if (output.has(name) && input.has(name)) return `${name} (output and input)`;
    return output.has(name) ? `${name} (output)` : `${name} (input)`;
  });
}

function holdWords({ sinceMs, ...hold }: NonNullable<SessionEntry["hold"]>): Recording["hold"] {
  return { ...hold, since: new Date(sinceMs).toISOString() };
}
