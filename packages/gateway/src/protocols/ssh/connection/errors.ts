import { GatehouseError, isGatehouseError } from "@gatehouse/kernel";

/** The peer refused a channel. `details` carries its reason code (RFC 4254 §5.1) and its words. */
export function openFailed(reason: number, description: string): GatehouseError {
  return new GatehouseError({
    code: reason === 1 ? "denied" : "unavailable",
    op: "ssh.channel.open",
    message:
      description === ""
        ? "the far side refused the channel"
        : `the far side refused the channel: ${description}`,
    details: { reason, description },
  });
}

/** What to tell the other leg when `openChannel` rejected with a refusal; undefined for any other error. */
export function openFailure(error: unknown): { reason: number; description: string } | undefined {
  if (!isGatehouseError(error) || error.op !== "ssh.channel.open") return undefined;
  const { reason, description } = error.details;
  return typeof reason === "number" && typeof description === "string" ? { reason, description } : undefined;
}
