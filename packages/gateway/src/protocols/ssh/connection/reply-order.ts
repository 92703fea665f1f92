import { protocolError } from "./messages.ts";

type Slot = {
  send: (ok: boolean, payload?: Uint8Array) => void;
  answer: { ok: boolean; payload?: Uint8Array | undefined } | undefined;
};

/**
 * RFC 4254 §4 and §5.4: replies carry no number, so they leave in the order of their requests, in whatever order they
 * are decided. Bounded: a peer that asks on and on before we answered is cut off.
 */
export class ReplyOrder {
  readonly #max: number;
  #slots: Slot[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Returns the function that decides; a second call has no effect. */
  expect(send: (ok: boolean, payload?: Uint8Array) => void): (ok: boolean, payload?: Uint8Array) => void {
    if (this.#slots.length >= this.#max)
      throw protocolError(`more than ${this.#max} requests wait for an answer`);
    const slot: Slot = { send, answer: undefined };
    this.#slots.push(slot);
    return (ok, payload) => {
      if (slot.answer) return;
      slot.answer = { ok, payload };
      while (this.#slots[0]?.answer) {
        const { send: leave, answer } = this.#slots.shift() as Slot;
        if (answer) leave(answer.ok, answer.payload);
      }
    };
  }
}
