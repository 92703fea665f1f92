import type { Clock } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { Directory } from "../directory/mod.ts";
import type { Log } from "../telemetry/mod.ts";

const hourMs = 3_600_000;
/** More than time itself has passed, from one look to the next. A machine that slept for longer must be confirmed too. */
const leapMsMax = hourMs;
/** For how long a gateway may have been away, where nothing but its own clock says so. */
const awayMsMax = 7 * 24 * hourMs;
/** By how much the store's clock may differ to count as a witness. */
const witnessMsMax = 5 * 60_000;

const prefix = "custody.clock.";

type Seen = { seenMs: number; doubt?: boolean };

export type ClockWatch = {
  /** Undefined: the clock can be believed. `aheadMs`: by how much the store's clock is ahead of ours, just now. */
  look(aheadMs?: number): Promise<string | undefined>;
  /** A person vouches for the clock as it stands. */
  confirm(): Promise<void>;
  readonly doubt: string | undefined;
};

/**
 * Whether this machine's clock may be believed by somebody who deletes what is old. It is compared with the monotonic clock
 * while the gateway runs, with the last moment that was seen where it did not, and with the store's own clock where it has one,
 * which decides. A doubt outlives a restart.
 */
export function createClockWatch(options: {
  clock: Pick<Clock, "nowMs" | "monotonicUs">;
  settings: Pick<Directory["settings"], "get" | "set">;
  gatewayId: string;
  audit: Pick<AuditLog, "append">;
  log: Pick<Log, "error">;
}): ClockWatch {
  const { clock, settings, audit, log } = options;
  const name = `${prefix}${options.gatewayId}`;
  let base: { wallMs: number; monotonicMs: number } | undefined;
  let doubt: string | undefined;

  const keep = (seen: Seen) => settings.set(name, JSON.stringify(seen));
  const note = (success: boolean, detail: string) =>
    audit.append({ event: "retention.clock", user: "system", success, fields: { detail } });

  async function look(aheadMs?: number): Promise<string | undefined> {
    const wallMs = clock.nowMs();
    const monotonicMs = clock.monotonicUs() / 1000;
    const text = await settings.get(name);
    const before = text === undefined ? undefined : (JSON.parse(text) as Seen);
    const expectedMs = base ? base.wallMs + (monotonicMs - base.monotonicMs) : before?.seenMs;
    const allowedMs = base || before?.doubt ? leapMsMax : awayMsMax;
    const hasLeapt = expectedMs !== undefined && wallMs - expectedMs > allowedMs;
    const contradicted = aheadMs !== undefined && -aheadMs > witnessMsMax;
    const borneOut = aheadMs !== undefined && Math.abs(aheadMs) <= witnessMsMax;
    if (contradicted || (hasLeapt && !borneOut)) {
      // The base stays where it was, so that a clock that is put right is believed again.
      base ??= { wallMs: expectedMs ?? wallMs + (aheadMs ?? 0), monotonicMs };
      await keep({ seenMs: base.wallMs + (monotonicMs - base.monotonicMs), doubt: true });
      const found = new Date(wallMs).toISOString();
      const detail = contradicted
        ? `this machine's clock says ${found}, the store's is ${Math.round(-aheadMs / 1000)} s behind it`
        : `this machine's clock says ${found}, where ${new Date(expectedMs ?? 0).toISOString()} was expected`;
      if (doubt === undefined) {
        log.error("the clock cannot be believed; nothing is removed until it can", { detail });
        await note(false, detail);
      }
      doubt = detail;
      return doubt;
    }
    if (before?.doubt) await note(true, "the clock is believed again");
    doubt = undefined;
    base = { wallMs, monotonicMs };
    await keep({ seenMs: wallMs });
    return undefined;
  }

  return {
    look,
    async confirm() {
      doubt = undefined;
      base = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicUs() / 1000 };
      await keep({ seenMs: base.wallMs });
    },
    get doubt() {
      return doubt;
    },
  };
}

/** The gateways on this database that have looked at their clock since then. */
export async function gatewaysSeen(
  settings: Pick<Directory["settings"], "under">,
  sinceMs: number,
): Promise<string[]> {
  const all = [...(await settings.under(prefix))];
  return all.filter(([, text]) => (JSON.parse(text) as Seen).seenMs > sinceMs).map(([id]) => id);
}
