import { isGatehouseError, messageOf } from "@gatehouse/kernel";
import { shownText } from "./text-width.ts";

/** Two lines: what happened, and what to do. With `debug` also where, for who looks for the cause. */
export function printError(
  error: unknown,
  { write, debug }: { write(text: string): void; debug: boolean },
): void {
  write(`error: ${shownText(messageOf(error))}\n`);
  if (isGatehouseError(error)) {
    if (error.hint !== undefined) write(`hint: ${shownText(error.hint)}\n`);
    const request = error.details["requestId"];
    if (request !== undefined) write(`request: ${shownText(String(request))}\n`);
  }
  if (debug && error instanceof Error)
    write(`${error.stack ?? ""}\n${error.cause ? `cause: ${String(error.cause)}\n` : ""}`);
}
