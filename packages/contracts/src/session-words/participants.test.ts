import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionEvent } from "../rest/mod.ts";
import { participantsIn } from "./participants.ts";

let index = 0;
const event = (name: string, user: string, atUs: number | null, fields = {}, success = true) =>
  ({ uid: String(++index), event: name, user, atUs, fields, success }) as unknown as SessionEvent;

test("who looked on, each window from when to when; who acted; refusals are nobody's part", () => {
  const people = participantsIn([
    event("session.start", "ann", 0),
    event("session.join", "eve", 10, { participant_id: "p1" }),
    event("session.join", "eve", 20, { participant_id: "p2" }),
    event("session.join", "bob", 21, {}, false),
    event("session.pause", "eve", 30, { reason: "is this you?" }),
    event("session.leave", "eve", 40, { participant_id: "p1" }),
    event("session.resume", "sam", 50),
    event("session.terminate", "eve", 60, { reason: "no" }),
    event("session.recording.access", "otto", null, { action: "play" }),
  ]);
  assert.deepEqual(people, [
    {
      name: "eve",
      watched: [
        { fromUs: 10, toUs: 40 },
        { fromUs: 20, toUs: undefined },
      ],
      did: [
        { atUs: 30, what: "paused the input", why: "is this you?" },
        { atUs: 60, what: "ended it", why: "no" },
      ],
    },
    { name: "sam", watched: [], did: [{ atUs: 50, what: "let the input pass again", why: "" }] },
  ]);
});
