import type { TLSSocket } from "node:tls";
import { GatehouseError, concatBytes } from "@gatehouse/kernel";
import { backend } from "./messages.ts";
import { MessageSplitter } from "./splitter.ts";

/** Of a message that is no row of data; errors and parameters are far smaller. */
const messageBytesMax = 256 * 1024;
const known = new Set<number>(Object.values(backend));

export type Message = { type: number; body: Uint8Array; raw: Uint8Array };

/** A server's messages one at a time, where the gate itself talks with it: to sign in, or to ask something. */
export function messagesOf(socket: TLSSocket, op: string): { next(): Promise<Message>; stop(): Uint8Array } {
  const splitter = new MessageSplitter({
    op,
    known: (type) => known.has(type),
    whole: () => true,
    wholeBytesMax: messageBytesMax,
  });
  const waiting: Message[] = [];
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    wake?.();
  };
  const data = (chunk: Buffer) => {
    try {
      for (const { type, body, raw } of splitter.feed(chunk)) waiting.push({ type, body, raw });
    } catch (error) {
      fail(error as Error);
    }
    wake?.();
  };
  const closed = () => fail(new Error("it broke the connection"));
  socket.on("data", data).on("error", fail).on("close", closed);
  return {
    async next() {
      for (;;) {
        const message = waiting.shift();
        if (message) return message;
        if (failure) throw failure;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    stop() {
      socket.pause();
      socket.off("data", data).off("error", fail).off("close", closed);
      // Nothing is sent by itself after ReadyForQuery but notices, and those are whole or not there yet.
      if (splitter.heldBytes > 0) throw broken(op, "half a message after it was ready");
      return concatBytes(waiting.map(({ raw }) => raw));
    },
  };
}

export function broken(op: string, what: string): GatehouseError {
  return new GatehouseError({
    code: "protocol",
    op,
    message: `the server broke the protocol: ${what}`,
  });
}
