import type { SessionEvent } from "@gatehouse/contracts/rest";

type Said = Pick<SessionEvent, "event" | "user" | "success" | "fields">;

const opened = {
  play: ["opened the recording", "open the recording"],
  download: ["downloaded the recording", "download the recording"],
  export: ["exported the recording", "export the recording"],
  search: ["searched the recording", "search the recording"],
  verify: ["had the recording verified", "verify the recording"],
} as const;

/** What an event of the audit log says about a session, as a sentence without its end. The log's own word stands beside it. */
export function eventWords({ event, user, success, fields }: Said): string {
  const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : "");
  const number = (name: string) => (typeof fields[name] === "number" ? fields[name] : 0);
  const because = (said: string) => (said === "" ? "" : `: ${said}`);
  /** Of what may be refused. */
  const acted = (did: string, infinitive: string) =>
    success ? `${user} ${did}` : `${user} was refused to ${infinitive}`;
  switch (event) {
    case "session.start":
      return `${user} was let in`;
    case "session.end":
      return `The session ended${because(text("detail") || text("reason").replaceAll("_", " "))}`;
    case "session.join":
      return acted("began to watch", "watch");
    case "session.leave":
      return `${user} stopped watching`;
    case "session.pause":
      return acted("paused the input", "pause the input") + because(text("reason"));
    case "session.resume":
      return acted("let the input pass again", "let the input pass again") + because(text("reason"));
    case "session.terminate":
      return acted("ended the session", "end the session") + because(text("reason"));
    case "session.upload":
      return "The recording is in the store, read back and verified";
    case "session.recording.access": {
      const [did, infinitive] = opened[text("action") as keyof typeof opened] ?? opened.play;
      const how = text("query") ? ` for “${text("query")}”` : text("format") ? ` as ${text("format")}` : "";
      return acted(did, infinitive) + how;
    }
    case "session.recording.search":
      return `${user} searched for “${text("query")}”`;
    case "session.recording.hold":
      return acted("put it on hold", "put it on hold") + because(text("reason"));
    case "session.recording.release":
      return acted("lifted its hold", "lift its hold") + because(text("reason"));
    case "session.recording.corrupted":
      return `The recording was found damaged${because(text("detail"))}`;
    case "session.recording.acknowledge":
      return `${user} took note of the damage${because(text("reason"))}`;
    case "session.recording.expire":
      return "The recording's retention is over";
    case "session.recording.rewrap":
      return "The recording's keys were wrapped for other recipients";
    case "db.statement.hold":
      return `Statement ${number("statement")} waits for somebody's approval${because(text("rule"))}`;
    case "db.statement.denied":
      return `Statement ${number("statement")} was refused${because(text("rule"))}`;
    case "db.statement.review": {
      const said = text("decision") === "deny" ? "denied" : "approved";
      return (
        acted(`${said} statement ${number("statement")}`, "decide about a statement") +
        because(text("comment"))
      );
    }
    case "access_request.create":
      return `${user} asked to open the recording${because(text("reason"))}`;
    case "access_request.review":
      return `${user} ${text("verdict") === "deny" ? "denied" : "approved"} that it is opened${because(text("comment"))}`;
    case "exec":
      return `Ran ${text("command")}`;
    case "resize":
      return "The window changed its size";
    default:
      return [event.replaceAll(/[._]/g, " "), text("path") || text("addr")].filter(Boolean).join(" ");
  }
}

export type EventTone = "plain" | "attention" | "danger";

/** How loud an event is beside the others. */
export function eventTone({ event, success }: Said): EventTone {
  if (!success || event === "session.terminate" || event === "session.recording.corrupted") return "danger";
  if (event === "db.statement.denied") return "danger";
  return /^(session\.(join|leave|pause|resume)|db\.statement\.|access_request\.)/.test(event)
    ? "attention"
    : "plain";
}

/** What passed through the session is on the timeline already: its files, commands and forwards. */
export function isNoted({ event }: Said): boolean {
  return /^(session|db\.statement|access_request)\./.test(event) && event !== "session.data";
}
