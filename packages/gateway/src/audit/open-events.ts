/**
 * What of a session's events whoever may see the session knows anyway, or sees in its recording: what was let in, who looked on,
 * who stopped what. Who watched or searched the recording later, and who asked to, is for readers of the audit log alone.
 */
export const openEvents: readonly string[] = [
  "session.start",
  "session.join",
  "session.leave",
  "session.pause",
  "session.resume",
  "session.terminate",
  "session.data",
  "session.end",
  "db.statement.denied",
  "db.statement.hold",
  "db.statement.review",
];
