/** What the built-in roles may do, as docs/access.md has it: recordings, live sessions, and what else. */
export const builtInWords: Readonly<Record<string, readonly string[]>> = {
  "platform-admin": [
    "Plays and takes away all recordings, and sees what was typed",
    "Looks on at all live sessions, pauses and ends them",
    "Sets and releases legal holds",
    "Adds and changes targets, people, teams, roles and credentials; locks; reads the audit log; sees health",
  ],
  "security-analyst": [
    "Plays and takes away all recordings, and sees what was typed",
    "Looks on at all live sessions, pauses and ends them",
    "Locks; sees people, teams and roles; reads the audit log; sees health",
  ],
  auditor: [
    "Plays and takes away all recordings, and sees what was typed",
    "Sets and releases legal holds",
    "Sees people, teams, roles and locks; reads the audit log; sees health",
  ],
  "team-lead": [
    "Plays and takes away the recordings of the teams that they lead",
    "Looks on at live sessions of these teams, and ends them; pauses none",
  ],
  user: ["Plays their own recordings", "Goes to the targets that are open to everybody", "Everybody is one"],
};
