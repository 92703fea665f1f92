import type { Recording } from "@gatehouse/contracts/rest";
import { type Recording as OpenRecording, recipientNames } from "@gatehouse/recording";
import type { SessionEntry } from "../directory/mod.ts";
import { formatsOf } from "./export.ts";

/** The manifest's word where there is one, else the table's. */
export function recordingWords(
  entry: SessionEntry,
  opened: Pick<OpenRecording, "manifest" | "withheld" | "wrapped"> | undefined,
): Omit<Recording, "may" | "watermark"> {
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
    recipients: opened && manifest ? recipientNames(opened.wrapped) : [],
    retainUntil: time(entry.retainUntilMs),
    lockedUntil: time(entry.lockedUntilMs),
    hold: entry.hold ? holdWords(entry.hold) : null,
    removedAt: time(entry.removedAtMs),
    withheld,
    // Only the bundle needs no key.
    exports: withheld.includes("output") ? formats.filter((format) => format === "bundle") : [...formats],
  };
}

function holdWords({ sinceMs, ...hold }: NonNullable<SessionEntry["hold"]>): Recording["hold"] {
  return { ...hold, since: new Date(sinceMs).toISOString() };
}
