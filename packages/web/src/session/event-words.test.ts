import assert from "node:assert/strict";
import { test } from "node:test";
import { eventCatalogue } from "@gatehouse/contracts";
import { eventTone, eventWords } from "./event-words.ts";

const said = (event: string, fields: Record<string, unknown> = {}, success = true) => ({
  event,
  user: "eve",
  success,
  fields,
});

test("events of a session are said in sentences, refusals as refusals", () => {
  const cases: [ReturnType<typeof said>, string][] = [
    [said("session.join"), "eve began to watch"],
    [said("session.join", { rule: "deny-by-default" }, false), "eve was refused to watch"],
    [said("session.pause", { reason: "is this you?" }), "eve paused the input: is this you?"],
    [
      said("session.recording.access", { action: "export", format: "text" }),
      "eve exported the recording as text",
    ],
    [
      said("session.recording.access", { action: "search", query: "rm" }),
      "eve searched the recording for “rm”",
    ],
    [said("session.end", { reason: "connection_lost" }), "The session ended: connection lost"],
    [
      said("db.statement.review", { statement: 4, decision: "deny", comment: "no" }),
      "eve denied statement 4: no",
    ],
    [said("sftp", { path: "/etc/hosts" }), "sftp /etc/hosts"],
  ];
  for (const [event, words] of cases) assert.equal(eventWords(event), words);
  assert.deepEqual(
    [said("session.join", {}, false), said("session.pause"), said("session.start")].map(eventTone),
    ["danger", "attention", "plain"],
  );
});

test("no event of the catalogue is without words, whatever it lacks", () => {
  for (const { event } of eventCatalogue) assert.match(eventWords(said(event)), /\S/);
});
