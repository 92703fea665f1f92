import { type GatehouseError, isGatehouseError } from "@gatehouse/kernel";

/**
 * The one line a person reads when something is refused or ends: what, why, and what to do where that is known.
 * Faults of our own are not spelled out to them; the operational log has those.
 */
export function lineFor(error: unknown): string {
  if (!isGatehouseError(error)) return line("an internal error stopped this; the gateway's log says more");
  if (error.code === "internal" || error.code === "corrupt")
    return line("an internal error stopped this; the gateway's log says more");
  return line(error.hint === undefined ? error.message : `${sentence(error.message)} ${error.hint}`);
}

/** For refusals that the protocol itself carries (a channel's open failure): the same words without the name. */
export function reasonFor(error: GatehouseError | unknown): string {
  return lineFor(error).slice(prefix.length);
}

const prefix = "gatehouse: ";
export function line(text: string): string {
  // Messages may quote what a target or a client said; one line of printable text is all that reaches the screen.
  let out = "";
  for (const char of text.slice(0, 1000)) {
    const code = char.codePointAt(0) ?? 0;
    out += code < 0x20 || (code >= 0x7f && code < 0xa0) ? " " : char;
  }
  return prefix + sentence(out);
}
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
