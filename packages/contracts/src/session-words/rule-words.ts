const words: Readonly<Record<string, string>> = {
  "deny-by-default": "No rule, role or approved request allows it.",
  "target-allows-person": "The target names them, or a role of theirs, and the login is one of its own.",
  "all-recordings-for-reviewers": "Their role sees all sessions and recordings.",
  "own-recordings": "It is their own.",
  "team-recordings-for-team-lead": "They lead a team of whoever it belongs to.",
  "moderation-for-security": "Their role moderates all live sessions.",
  "team-sessions-for-team-lead": "They lead a team of whoever it belongs to.",
  "everybody-lists-what-they-may-see": "Everybody may.",
  "administration-for-platform-admin": "Their role administers the gate.",
  "approved-request": "Somebody approved what they asked for, for a time.",
  locked: "A lock stands against it.",
  "outside-allowed-hours": "The target is not open at this hour.",
  "outside-allowed-networks": "The target is not open to where they come from.",
  "second-factor-too-old": "The target asks for a second factor that is newer.",
  "second-person-needed": "Somebody else must approve it.",
};

/** The rule that decided, as a sentence; its name where it has none. */
export function ruleWords(rule: string): string {
  const role = /^role-(.+)$/.exec(rule)?.[1];
  return (
    words[rule] ?? (role === undefined ? `${rule.replaceAll("-", " ")}.` : `The role ${role} allows it.`)
  );
}
