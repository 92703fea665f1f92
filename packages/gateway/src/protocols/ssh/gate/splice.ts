import type { Session } from "../../../sessions/session.ts";
import type { Channel } from "../connection/mod.ts";
import { HeldInput } from "./held-input.ts";

export type Spliced = { bytesAtoB: number; bytesBtoA: number; error: Error | undefined };

/**
 * Joins two channels whose bytes are not recorded, only counted. `a` is the person's side: what comes from it waits while the
 * session's input is paused. `over` is called once, when both are closed.
 */
export function splice(
  a: Channel,
  b: Channel,
  session: Pick<Session, "active" | "inputAllowed" | "whenInputAllowed"> | undefined,
  over: (result: Spliced) => void,
): void {
  const result: Spliced = { bytesAtoB: 0, bytesBtoA: 0, error: undefined };
  let open = 2;
  const carry = (from: Channel, to: Channel, count: (bytes: number) => void) => {
    let owed = 0;
    return {
      data(view: Uint8Array, stream: number) {
        count(view.length);
        session?.active();
        if (to.write(view, stream)) from.consumed(view.length);
        else owed += view.length;
      },
      /** `to` can take more. */
      drained() {
        const bytes = owed;
        owed = 0;
        from.consumed(bytes);
      },
    };
  };
  const aToB = carry(a, b, (bytes) => (result.bytesAtoB += bytes));
  const bToA = carry(b, a, (bytes) => (result.bytesBtoA += bytes));
  const held = session && new HeldInput({ session, data: aToB.data, eof: () => b.eof() });
  const closed = (other: Channel) => (error: Error | undefined) => {
    held?.drop();
    result.error ??= error;
    other.close();
    if (--open === 0) over(result);
  };
  a.attach({
    data: (view, stream) => (held?.holds ? held.hold(view, stream) : aToB.data(view, stream)),
    eof: () => (held?.holds ? held.holdEof() : b.eof()),
    request: (request) => request.reply(false),
    drain: bToA.drained,
    closed: closed(b),
  });
  b.attach({
    data: bToA.data,
    eof: () => a.eof(),
    request: (request) => request.reply(false),
    drain: aToB.drained,
    closed: closed(a),
  });
}
