import { tokens } from "../../../statements/mod.ts";

/** What clients call connections: the gate's numbers, which it gave out before it knew the target's. */
export type ConnectionNames = {
  /** The target's number for one of the gate's, on the same target; nothing for a number that the gate did not give. */
  targetIdOf(id: number): number | undefined;
};

const killCharsMax = 16 * 1024;
/** `KILL [HARD|SOFT] [CONNECTION|QUERY [ID]] <number>` */
const between = /^(?:hard|soft|connection|query|id)$/;

/** The text with the numbers that the target knows in each `KILL` of it, or nothing where it needs no change. */
export function renamedKill(text: string, connections: ConnectionNames): string | undefined {
  if (text.length > killCharsMax || !/\bkill\s/i.test(text)) return undefined;
  const out: string[] = [];
  let copied = 0;
  let state: "begins" | "kill" | "other" = "begins";
  for (const { kind, from, to } of tokens(text, "mysql")) {
    if (kind === "comment") continue;
    const word = text.slice(from, to).toLowerCase();
    if (word === ";") state = "begins";
    else if (state === "begins" && word === "kill") state = "kill";
    else if (state !== "kill" || !between.test(word)) {
      const id =
        state === "kill" && /^\d{1,10}$/.test(word) ? connections.targetIdOf(Number(word)) : undefined;
      if (id !== undefined) {
        out.push(text.slice(copied, from), String(id));
        copied = to;
      }
      state = "other";
    }
  }
  return out.length === 0 ? undefined : out.join("") + text.slice(copied);
}
