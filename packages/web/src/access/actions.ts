/** Everything that can be allowed, in words for who gives it. A test holds it against the gateway's own list. */
export const actionGroups = [
  {
    name: "Sessions",
    actions: {
      "session.open": "go through the gate to a target",
      "session.list": "see the list of sessions",
      "session.view": "see that a session was, and its facts",
      "session.join": "look on while it is live",
      "session.pause": "pause what is typed",
      "session.review": "approve statements that wait",
      "session.terminate": "end it",
    },
  },
  {
    name: "Recordings",
    actions: {
      "recording.play": "play and search",
      "recording.export": "take away",
      "recording.view_input": "see what was typed",
      "recording.hold": "set and release legal holds",
      "recording.acknowledge": "take note of damage",
      "recording.rewrap": "wrap their keys for other recipients",
      "retention.confirm": "vouch for the clock by which they are removed",
    },
  },
  {
    name: "Targets",
    actions: {
      "target.list": "see targets",
      "target.write": "add, change and remove",
      "target.trust": "trust host keys",
      "credential.write": "set credentials",
    },
  },
  {
    name: "People",
    actions: {
      "person.read": "see people",
      "person.write": "add and change people, give roles",
      "team.read": "see teams",
      "team.write": "change teams",
      "role.read": "see roles",
      "role.write": "make and change roles",
      "lock.read": "see locks",
      "lock.write": "lock, and lift locks",
    },
  },
  {
    name: "Requests",
    actions: {
      "request.create": "ask for access",
      "request.list": "see the list of requests",
      "request.view": "see a request",
      "request.review": "approve and deny",
    },
  },
  {
    name: "Gateway",
    actions: {
      "audit.read": "read the audit log",
      "access.explain": "ask why somebody may or may not",
      "health.read": "see health",
      "self.read": "see their own account",
      "self.write": "change their own account",
    },
  },
] as const;

const words = new Map(actionGroups.flatMap(({ actions }) => Object.entries(actions)));

export function actionWords(action: string): string {
  return words.get(action) ?? action;
}
