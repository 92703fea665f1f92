import type { OidcClaims } from "./provider.ts";

/**
 * When the provider last saw a second factor, where one of the methods that it names is one that counts here (OpenID Connect
 * Core §2: `amr`, `auth_time`). Without the moment it counts for nothing: a session at the provider may be days old.
 */
export function secondFactorAtMs(
  { amr, auth_time: authTime }: OidcClaims,
  counts: readonly string[],
  nowMs: number,
): number | undefined {
  const methods: readonly unknown[] = Array.isArray(amr) ? amr.slice(0, 64) : [];
  if (!methods.some((method) => typeof method === "string" && counts.includes(method))) return undefined;
  if (typeof authTime !== "number" || !Number.isSafeInteger(authTime) || authTime <= 0) return undefined;
  // Their clock may be ahead of ours; nothing was proved in the future.
  return Math.min(authTime * 1000, nowMs);
}
