import type { TLSSocket } from "node:tls";
import { ByteReader, ByteWriter, type Clock, GatehouseError, fromUtf8 } from "@gatehouse/kernel";
import { messagesOf } from "../wire/dialogue.ts";
import { backend, decodeError, encodeMessage, frontend, zeroTerminated } from "../wire/messages.ts";
import type { Explained } from "./reviewed-statement.ts";

const op = "postgres.explain";
const planCharsMax = 32 * 1024;
/** Only what begins so: EXPLAIN reads options before a statement, and one of them runs it. */
const explainable = /^\s*(?:select|insert|update|delete|merge|with|values)\b/i;

/**
 * What the database would do with a statement, as EXPLAIN prints it: on a connection of its own, which is signed in, and in a
 * transaction that may not write. The statement is never run: as a message of the extended protocol it can be only one.
 * Closes the socket. Rejects with why there is no plan.
 */
export async function explain(
  socket: TLSSocket,
  { text, types, formats, values }: Explained,
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): Promise<string> {
  const timer = clock.after(timeoutMs, () => socket.destroy(unexplained("the database took too long")));
  try {
    if (!explainable.test(text)) throw unexplained("it is no statement whose plan a database tells");
    const messages = messagesOf(socket, op);
    socket.resume();
    const answered = async (): Promise<string[]> => {
      const lines: string[] = [];
      let failure: string | undefined;
      for (;;) {
        const { type, body } = await messages.next();
        if (type === backend.dataRow) lines.push(firstColumn(body));
        else if (type === backend.errorResponse) failure ??= decodeError(body).message;
        else if (type === backend.readyForQuery) {
          if (failure !== undefined) throw unexplained(failure);
          return lines;
        }
      }
    };
    socket.write(encodeMessage(frontend.query, zeroTerminated("BEGIN READ ONLY")));
    await answered();
    socket.write(
      Buffer.concat([
        encodeMessage(
          frontend.parse,
          zeroTerminated(""),
          zeroTerminated(`EXPLAIN ${text}`),
          numbers(types, (writer, oid) => writer.u32(oid)),
        ),
        bind(formats, values),
        encodeMessage(frontend.execute, zeroTerminated(""), new Uint8Array(4)),
        encodeMessage(frontend.sync),
      ]),
    );
    const lines = await answered();
    return lines.join("\n").slice(0, planCharsMax).toWellFormed();
  } finally {
    timer.cancel();
    if (!socket.destroyed) socket.end(encodeMessage(frontend.terminate));
  }
}

function bind(formats: Explained["formats"], values: Explained["values"]): Uint8Array {
  return encodeMessage(
    frontend.bind,
    zeroTerminated(""),
    zeroTerminated(""),
    numbers(formats, (writer, format) => writer.u16(format)),
    new ByteWriter(2).u16(values.length).done(),
    ...values.flatMap((value) =>
      value === undefined
        ? [new ByteWriter(4).u32(0xffff_ffff).done()]
        : [new ByteWriter(4).u32(value.length).done(), value],
    ),
    new Uint8Array(2),
  );
}

function numbers(all: readonly number[], put: (writer: ByteWriter, one: number) => unknown): Uint8Array {
  const writer = new ByteWriter(2 + 4 * all.length).u16(all.length);
  for (const one of all) put(writer, one);
  return writer.done();
}

/** DataRow (§55.7). */
function firstColumn(body: Uint8Array): string {
  const reader = new ByteReader(body, op);
  const columns = reader.u16();
  const length = columns > 0 ? reader.u32() : 0;
  return length === 0xffff_ffff ? "" : fromUtf8(reader.take(length));
}

function unexplained(why: string): GatehouseError {
  return new GatehouseError({ code: "unavailable", op, message: why });
}
