import type { SessionEvent } from "../rest/mod.ts";

/** Somebody beside the person whose session it is. */
export type Participant = {
  name: string;
  /** One for each window; without an end to the session's own. */
  watched: { fromUs: number; toUs: number | undefined }[];
  did: { atUs: number; what: string; why: string }[];
};

const deeds: Readonly<Record<string, string>> = {
  "session.pause": "paused the input",
  "session.resume": "let the input pass again",
  "session.terminate": "ended it",
};

/** Who took part in a session while it was live, in the order in which they came. Events are oldest first. */
export function participantsIn(events: readonly SessionEvent[]): Participant[] {
  const people = new Map<string, Participant>();
  const windows = new Map<unknown, Participant["watched"][number]>();
  const person = (name: string) => {
    const known = people.get(name) ?? { name, watched: [], did: [] };
    people.set(name, known);
    return known;
  };
  for (const { event, user, success, atUs, fields } of events) {
    if (!success || atUs === null) continue;
    const what = deeds[event];
    if (event === "session.join") {
      const window = { fromUs: atUs, toUs: undefined };
      windows.set(fields["participant_id"], window);
      person(user).watched.push(window);
    } else if (event === "session.leave") {
      const window = windows.get(fields["participant_id"]);
      if (window) window.toUs = atUs;
    } else if (what !== undefined) {
      const { reason } = fields;
      person(user).did.push({ atUs, what, why: typeof reason === "string" ? reason : "" });
    }
  }
  return [...people.values()];
}
