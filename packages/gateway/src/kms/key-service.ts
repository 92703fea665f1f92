import {
  type Clock,
  type ErrorCode,
  fromBase64,
  GatehouseError,
  messageOf,
  toBase64,
} from "@gatehouse/kernel";
import type { KeyOpener, KeyWrapper } from "@gatehouse/recording";

/** What a service's error means here. The vendor's own object is left behind: some carry the request with its credentials. */
export type KeyFault = {
  /** `denied`: known, and not allowed to use this key; `unauthenticated`: no credentials, or expired ones. */
  code: Extract<
    ErrorCode,
    "denied" | "unauthenticated" | "not_found" | "conflict" | "corrupt" | "unavailable"
  >;
  name: string;
};

/** A service that keeps keys and never gives them out. What it is given is 50 bytes. */
export type KeyService = {
  /** Stands in the wrap: `aws`, `gcp`, `azure`, `vault`. */
  readonly provider: string;
  /** Resolves with the name under which it opens again, which may say more than the one given: a version, a full name. */
  seal(key: string, secret: Uint8Array, signal: AbortSignal): Promise<{ key: string; data: Uint8Array }>;
  open(key: string, data: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** Whether a name that a recording carries may be sent to this service at all. */
  owns(key: string): boolean;
  fault(error: unknown): KeyFault;
};

/** The vendors' clients try again within this. A session waits for it, so it is short. */
const deadlineMs = 8_000;
const messageCharsMax = 300;

/** Playback asks for a recording window by window; each would be a request to the service. */
const openedForMs = 5 * 60_000;
const openedMax = 256;

export function kmsWrapper(service: KeyService, key: string, { clock }: { clock: Clock }): KeyWrapper {
  /** By the service's own last word: an alias may stand for another key tomorrow. */
  let name = key;
  return {
    covers: (wrap) => wrap.type === "kms" && wrap.provider === service.provider && wrap.key === name,
    async wrap(secret) {
      const sealed = await bounded({ service, clock, op: "kms.wrap", key }, (signal) =>
        service.seal(key, secret, signal),
      );
      name = sealed.key;
      return { type: "kms", provider: service.provider, key: sealed.key, data: toBase64(sealed.data) };
    },
  };
}

export function kmsOpener(service: KeyService, { clock }: { clock: Clock }): KeyOpener {
  /** In order of their time. */
  const opened = new Map<string, { secret: Uint8Array; untilMs: number }>();
  return {
    async open(wrap) {
      if (wrap.type !== "kms" || wrap.provider !== service.provider || !service.owns(wrap.key))
        return undefined;
      const at = `${wrap.key}\n${wrap.data}`;
      const known = opened.get(at);
      if (known && known.untilMs > clock.nowMs()) return known.secret;
      opened.delete(at);
      try {
        const secret = await bounded({ service, clock, op: "kms.open", key: wrap.key }, (signal) =>
          service.open(wrap.key, fromBase64(wrap.data), signal),
        );
        opened.set(at, { secret, untilMs: clock.nowMs() + openedForMs });
        const oldest = opened.keys().next();
        if (opened.size > openedMax && !oldest.done) opened.delete(oldest.value);
        return secret;
      } catch (error) {
        // A gateway that may encrypt and not decrypt is meant so: the wrap is for somebody else.
        if (error instanceof GatehouseError && error.code === "denied") return undefined;
        throw error;
      }
    },
  };
}

async function bounded<T>(
  { service, clock, op, key }: { service: KeyService; clock: Clock; op: string; key: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = clock.after(deadlineMs, () => {
    reject(new Error(`no answer within ${deadlineMs / 1000} s`));
    deadline.abort();
  });
  try {
    // Not every vendor's client can be told to stop.
    return await Promise.race([work(deadline.signal), late]);
  } catch (error) {
    throw faultError(service, op, key, error);
  } finally {
    timer.cancel();
  }
}

const hints: Record<KeyFault["code"], string | undefined> = {
  denied: "Give the gateway's account the right to encrypt with this key, and to decrypt if it is to play.",
  unauthenticated: "Look at the credentials that the vendor's default chain finds on this machine.",
  not_found: "Correct the key's name in the section `kms`.",
  conflict: "The key is disabled or about to be deleted; enable it, or name another.",
  corrupt: undefined,
  unavailable: "See whether this machine reaches the service.",
};

function faultError(service: KeyService, op: string, key: string, error: unknown): GatehouseError {
  const { code, name } = service.fault(error);
  const line = (messageOf(error).split("\n", 1)[0] as string).slice(0, messageCharsMax);
  const said = line === "" || line === name ? name : `${line} (${name})`;
  return new GatehouseError({
    code,
    op,
    message: `${service.provider} key ${key}: ${said}`,
    hint: hints[code],
    details: { provider: service.provider, service_error: name },
  });
}

/** Where the vendor's name says no more: the network's own word, or the error's. */
export function faultName(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === "string" && /^(?:E[A-Z]+|UND_ERR_[A-Z_]+)$/.test(code)) return code;
  }
  return error instanceof Error ? error.name : "Error";
}

export function codeOfHttp(status: number | undefined): KeyFault["code"] {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "denied";
  return status === 404 ? "not_found" : "unavailable";
}
