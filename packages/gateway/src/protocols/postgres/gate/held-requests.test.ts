import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { TestClock, concatBytes, utf8 } from "@gatehouse/kernel";
import fc from "fast-check";
import { InputGate } from "../../../sessions/input-gate.ts";
import { backend, decodeError, decodeReady, encodeMessage, frontend } from "../wire/messages.ts";
import { MessageSplitter } from "../wire/splitter.ts";
import { HeldRequests } from "./held-requests.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));
const letter = (type: number) => String.fromCharCode(type);
const message = (type: number, text = "") => encodeMessage(type, utf8(`${text}\0`));
const query = (text: string) => message(frontend.query, text);
const sync = encodeMessage(frontend.sync);
const limitMs = 60_000;

/** A relay as far as this needs one: what passes is read message by message, and what is answered is kept. */
class Stand {
  readonly clock = new TestClock();
  readonly gate = new InputGate(this.clock);
  readonly passed: string[] = [];
  readonly answered: string[] = [];
  readonly given: string[] = [];
  readonly #splitter = new MessageSplitter({
    op: "test",
    known: () => true,
    whole: () => true,
    wholeBytesMax: 1 << 20,
  });
  readonly held = new HeldRequests({
    session: {
      inputAllowed: () => this.gate.state === "allowed",
      whenInputAllowed: (ms = limitMs) => this.gate.when(ms),
    },
    pass: (chunk) => this.send(chunk),
    answer: (bytes, said) => {
      const body = bytes.subarray(5);
      if (bytes[0] === backend.errorResponse) {
        const { severity, code } = decodeError(body);
        assert.ok(said, "an error is told to the recording");
        this.answered.push(`${severity} ${code}`);
      } else this.answered.push(`ready ${decodeReady(body)}`);
    },
    giveUp: (why) => {
      this.given.push(why);
      this.gate.shut();
    },
    changed: () => {},
  });
  send(chunk: Uint8Array): void {
    if (this.held.takes(chunk, this.#splitter.atBoundary)) return;
    for (const piece of this.#splitter.feed(chunk)) {
      if (piece.last) this.held.passed(piece.type);
      this.passed.push(letter(piece.type) + Buffer.from(piece.body).toString().replace("\0", ""));
    }
  }
  async wait(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settled();
  }
}

describe("what a client of a database sends while input is paused", () => {
  let stand: Stand;
  beforeEach(() => {
    stand = new Stand();
  });

  test("waits, is not read on, and runs in its order when input passes again", async () => {
    stand.send(query("one"));
    stand.held.ready("idle");
    stand.gate.pause();
    stand.send(concatBytes([query("two"), query("three")]));
    assert.ok(stand.held.isFull);
    await stand.wait(limitMs - 1);
    assert.deepEqual([stand.passed, stand.answered], [["Qone"], []]);
    stand.gate.resume();
    await settled();
    assert.deepEqual(
      [stand.passed, stand.answered, stand.held.isFull],
      [["Qone", "Qtwo", "Qthree"], [], false],
    );
  });

  test("is answered with an error each when it has waited too long, and the session goes on", async () => {
    stand.gate.pause();
    stand.send(concatBytes([query("one"), query("two")]));
    await stand.wait(limitMs);
    assert.deepEqual(stand.answered, ["ERROR 57000", "ready idle", "ERROR 57000", "ready idle"]);
    assert.equal(stand.held.isFull, false);
    // The next waits its own time.
    stand.send(query("three"));
    await stand.wait(limitMs - 1);
    assert.equal(stand.answered.length, 4);
    stand.gate.resume();
    await settled();
    assert.deepEqual(stand.passed, ["Qthree"]);
  });

  test("is refused up to the Sync in the extended protocol, however it is cut, and even when input passes meanwhile", async () => {
    const sequence = concatBytes([
      message(frontend.parse, "select $1"),
      message(frontend.bind),
      message(frontend.describe),
      message(frontend.execute),
      encodeMessage(frontend.flush),
    ]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 30 })), fc.boolean(), async (sizes, resumes) => {
        const one = new Stand();
        one.gate.pause();
        let at = 0;
        let first = true;
        for (const size of [...sizes, sequence.length]) {
          if (at >= sequence.length) break;
          one.send(sequence.subarray(at, at + size));
          at += size;
          if (first) await one.wait(limitMs);
          first = false;
        }
        if (resumes) one.gate.resume();
        await settled();
        one.send(sync);
        assert.deepEqual(one.answered, ["ERROR 57000", "ready idle"]);
        assert.deepEqual(one.passed, []);
        if (!resumes) one.gate.resume();
        one.send(query("next"));
        assert.deepEqual(one.passed, ["Qnext"]);
      }),
    );
  });

  test("waits for what the server still answers before it is refused", async () => {
    stand.send(query("select pg_sleep(90)"));
    stand.gate.pause();
    stand.send(query("two"));
    await stand.wait(limitMs);
    assert.deepEqual(stand.answered, []);
    stand.held.ready("idle");
    assert.deepEqual(stand.answered, ["ERROR 57000", "ready idle"]);
  });

  for (const status of ["transaction", "failed"] as const)
    test(`ends the session where a ${status} is open: an error that the server knows nothing of would not undo it`, async () => {
      stand.send(query("begin"));
      stand.held.ready(status);
      stand.gate.pause();
      stand.send(query("commit"));
      await stand.wait(limitMs);
      assert.equal(stand.given.length, 1);
      assert.deepEqual([stand.passed, stand.answered], [["Qbegin"], []]);
    });

  test("ends the session where statements passed whose Sync did not, or a message passed by half", async () => {
    stand.send(message(frontend.parse, "insert"));
    stand.gate.pause();
    stand.send(sync);
    await stand.wait(limitMs);
    assert.equal(stand.given.length, 1);

    const halved = new Stand();
    const whole = query("a long one");
    halved.send(whole.subarray(0, 8));
    halved.gate.pause();
    halved.send(whole.subarray(8));
    await halved.wait(limitMs);
    assert.deepEqual([halved.given.length, halved.passed], [1, []]);
  });

  test("waits as long as the pause where it is a copy's data", async () => {
    stand.send(query("copy t from stdin"));
    stand.gate.pause();
    stand.send(encodeMessage(frontend.copyData, utf8("1\n")));
    await stand.wait(10 * limitMs);
    assert.deepEqual([stand.given, stand.answered], [[], []]);
    stand.gate.resume();
    await settled();
    assert.deepEqual(stand.passed, ["Qcopy t from stdin", "d1\n"]);
  });

  test("passes where it is the goodbye, also behind what is refused", async () => {
    const goodbye = encodeMessage(frontend.terminate);
    stand.gate.pause();
    stand.send(goodbye);
    assert.deepEqual(stand.passed, ["X"]);
    const other = new Stand();
    other.gate.pause();
    other.send(concatBytes([query("one"), goodbye]));
    await other.wait(limitMs);
    assert.deepEqual([other.answered, other.passed], [["ERROR 57000", "ready idle"], ["X"]]);
  });

  test("never runs when the session ends before", async () => {
    stand.gate.pause();
    stand.send(query("drop table t"));
    stand.gate.shut();
    await settled();
    assert.deepEqual([stand.passed, stand.answered], [[], []]);
  });
});
