/** Nothing that a person sees happens for longer than this: idle. */
export const idleAfterUs = 3_000_000;

const seen: ReadonlySet<string> = new Set([
  "output",
  "input",
  "notice",
  "stdout",
  "stderr",
  "stdin",
  "file",
  "forward.open",
  "forward.close",
  "resize",
]);

/** Whether a frame of this kind is something that a person does or sees. */
export function isSeen(kind: string): boolean {
  return seen.has(kind);
}
