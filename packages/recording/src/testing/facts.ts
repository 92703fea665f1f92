import type { SessionFacts } from "../frame.ts";

/** One session, for tests. */
export const facts: SessionFacts = {
  sessionId: "0199c0de-0000-7000-8000-000000000001",
  startedAt: "2026-02-10T14:30:00.000Z",
  protocol: "ssh",
  kind: "shell",
  track: "terminal",
  user: { id: "u1", name: "ada" },
  login: "root",
  target: { id: "t1", name: "web-01", address: "10.0.0.5:22" },
  remoteAddress: "192.0.2.7:50022",
  connectionId: "c1",
  gatewayId: "g1",
  size: { cols: 80, rows: 24 },
};
