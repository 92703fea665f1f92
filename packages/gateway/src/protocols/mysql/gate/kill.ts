/** What clients call connections: the gate's numbers, which it gave out before it knew the target's. */
export type ConnectionNames = {
  /** The target's number for one of the gate's, on the same target; nothing for a number that the gate did not give. */
  targetIdOf(id: number): number | undefined;
};

/** `KILL [HARD|SOFT] [CONNECTION|QUERY [ID]] <number>`, alone, as clients send it when they are told to stop. */
const kill = /^\s*(kill\s+(?:(?:hard|soft)\s+)?(?:(?:connection|query)\s+)?)(\d{1,10})(\s*;?\s*)$/i;
const beginning = /^\s*kill\s/i;
const killCharsMax = 64;

/** Whether a statement is worth a closer look. */
export function killsConnection(text: string): boolean {
  return text.length <= killCharsMax && beginning.test(text);
}

/** The statement with the number that the target knows, or nothing where it needs no change. */
export function renamedKill(text: string, connections: ConnectionNames): string | undefined {
  const [, verb, number, end] = kill.exec(text) ?? [];
  const id = number === undefined ? undefined : connections.targetIdOf(Number(number));
  return id === undefined ? undefined : `${verb}${id}${end}`;
}
