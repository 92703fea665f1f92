/** An event of the audit log that has a moment in the recording. */
export type Noted = { timeUs: number; text: string; tone: "plain" | "attention" | "danger" };

const tones = { plain: "bg-soft", attention: "bg-attention", danger: "bg-danger" } as const;
/** Marks that would lie upon each other are one, and the loudest is seen. */
const marksAcross = 400;
const loudness = ["plain", "attention", "danger"] as const;

/** Under a timeline, what the audit log has of it. The list of events beside the player is the same in words. */
export function NotedLane({ noted, endUs }: { noted: readonly Noted[]; endUs: number }) {
  const places = new Map<number, Noted>();
  for (const one of noted) {
    // Of a recording that breaks off, what came later has no place.
    if (one.timeUs > endUs) continue;
    const place = Math.round((marksAcross * one.timeUs) / Math.max(1, endUs));
    const there = places.get(place);
    if (!there || loudness.indexOf(one.tone) > loudness.indexOf(there.tone)) places.set(place, one);
  }
  return (
    <div aria-hidden className="relative h-2.5">
      {[...places].map(([place, { timeUs, tone }]) => (
        <div
          key={place}
          data-testid="noted"
          className={`absolute top-0.5 -ml-[3px] size-1.5 rotate-45 ${tones[tone]}`}
          style={{ left: `${(100 * timeUs) / Math.max(1, endUs)}%` }}
        />
      ))}
    </div>
  );
}
