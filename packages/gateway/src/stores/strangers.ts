import type { ObjectVersion, StoreFinding } from "./object-service.ts";

const keysMax = 100;

/** Keys under which somebody else wrote or removed; the recording itself is still read. */
export class Strangers {
  readonly #seen = new Map<string, string>();
  #more = 0;

  note(key: string, versions: readonly ObjectVersion[], markers: readonly string[]): void {
    const [first, ...newer] = versions;
    // A write that was repeated because its answer got lost is no stranger's.
    const others = newer.filter((version) => version.tag === undefined || version.tag !== first?.tag).length;
    if (others === 0 && markers.length === 0) return;
    if (!this.#seen.has(key) && this.#seen.size >= keysMax) {
      this.#more++;
      return;
    }
    const what = [
      ...(others > 0 ? [`written again ${others === 1 ? "once" : `${others} times`}`] : []),
      ...(markers.length > 0 ? ["marked as removed"] : []),
    ].join(" and ");
    this.#seen.set(key, `${key} was ${what} by somebody else; what was written first is kept and read`);
  }

  findings(): StoreFinding[] {
    const hint = "See who else may write there, and in the service's own access log who did.";
    const findings = [...this.#seen.values()].map((message) => ({
      level: "problem" as const,
      message,
      hint,
    }));
    if (this.#more > 0)
      findings.push({ level: "problem", message: `and the same was seen ${this.#more} times more`, hint });
    return findings;
  }
}
