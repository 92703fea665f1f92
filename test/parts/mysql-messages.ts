/** A client of MySQL or MariaDB that says what no driver says: the gate's own sign-in, and then messages as they are given. */
import { systemClock } from "@gatehouse/kernel";
import type { Connection } from "@gatehouse/contracts/rest";
import { dialTls } from "../../packages/gateway/src/passage/mod.ts";
import { dial, plainly, signIn } from "../../packages/gateway/src/protocols/mysql/sign-in/target.ts";
import { eventually } from "./sessions.ts";
import { PacketSplitter, encodePacket } from "../../packages/gateway/src/protocols/mysql/wire/packets.ts";

export type MysqlMessages = {
  /** As the gate calls it. */
  readonly connectionId: number;
  /** Several in one write, each from its first byte on; nothing waits for an answer. */
  send(...payloads: readonly (Buffer | string)[]): void;
  /** As many messages as come, one after the other. Rejects when the connection ends before. */
  next(count: number): Promise<Buffer[]>;
  /** Says goodbye. */
  close(): void;
};

/** `flags` and `extended` are capabilities that are asked for besides those that everybody has. */
export async function openMysqlMessages(
  way: Connection,
  asked: { flags?: number; extended?: number } = {},
): Promise<MysqlMessages> {
  const { flags = 0, extended = 0 } = asked;
  const own = extended === 0 ? plainly.capabilities.flags | flags : flags;
  const wanted = { ...plainly, database: "shop", capabilities: { flags: own, extended } };
  const place = {
    name: "the gate",
    host: way.host,
    port: way.port,
    trust: { pinned: [way.certificate], authorities: [], none: "refuse" as const },
  };
  const timeoutMs = 30_000;
  const dialled = await dialTls(place, dial(systemClock, timeoutMs, wanted));
  const { socket, greeting } = await signIn(dialled, {
    place,
    ...way,
    wanted,
    clock: systemClock,
    timeoutMs,
  });
  const came: Buffer[] = [];
  let isOver = false;
  const splitter = new PacketSplitter({
    op: "test",
    wholeBytesMax: 64 * 1024 * 1024,
    sink: {
      begins: () => "whole",
      whole: (payload) => void came.push(Buffer.from(payload)),
      pass: () => undefined,
    },
  });
  socket.on("data", (chunk: Buffer) => splitter.feed(chunk));
  socket.on("error", () => undefined);
  socket.once("close", () => (isOver = true));
  socket.resume();
  return {
    connectionId: greeting.connectionId,
    send: (...payloads) =>
      void socket.write(Buffer.concat(payloads.map((payload) => encodePacket(0, Buffer.from(payload))))),
    async next(count) {
      const isThere = () => came.length >= count || isOver || undefined;
      await eventually(`${count} messages`, isThere).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${came.map((one) => one.toString("latin1")).join(" | ")}`);
      });
      if (came.length < count) throw new Error(`it ended after ${came.map(String).join(" | ")}`);
      return came.splice(0, count);
    },
    close: () => void socket.end(encodePacket(0, Uint8Array.of(1))),
  };
}
