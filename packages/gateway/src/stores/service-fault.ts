import { GatehouseError } from "@gatehouse/kernel";
import type { ServiceFault } from "./object-service.ts";

const messageCharsMax = 300;

/**
 * A service's fault as the house has it. The vendor's error object is left behind: some carry the request with its
 * credentials, and a cause is logged.
 */
export function faultError(op: string, key: string, fault: ServiceFault): GatehouseError {
  const { code, name, status, hint } = fault;
  const message = plain(fault.message);
  const named = status === undefined ? name : `${name}, HTTP ${status}`;
  const text =
    code === "not_found"
      ? `there is no ${key}`
      : code === "conflict"
        ? `there is already ${key}`
        : `${key}: ${message === "" || message === name ? named : `${message} (${named})`}`;
  return new GatehouseError({
    code,
    op,
    message: text,
    hint,
    cause: new Error(`${named}: ${message}`),
    details: { service_error: name, ...(status !== undefined && { status }) },
  });
}

/** One line without the query of any URL: signatures travel there. */
function plain(message: string): string {
  const line = message.split("\n", 1)[0] as string;
  return line.replace(/\?\S*=\S*/g, "?...").slice(0, messageCharsMax);
}

/** An HTTP status as the door has it, where the vendor's name for the error says no more. */
export function codeOfStatus(status: number | undefined): ServiceFault["code"] {
  if (status === 401 || status === 403) return "denied";
  if (status === 404) return "not_found";
  return status === 412 ? "conflict" : "unavailable";
}

/** The network's own name for a failure (`ECONNREFUSED`), wherever in the chain of causes it stands. */
export function networkName(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === "string" && /^E[A-Z]+$/.test(code)) return code;
    if (at instanceof AggregateError && at.errors.length > 0) return networkName(at.errors[0]);
  }
  return undefined;
}
