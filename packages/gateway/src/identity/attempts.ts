import { isIPv6 } from "node:net";
import { type Clock, GatehouseError } from "@gatehouse/kernel";
import type { AttemptsAbout, SignInAttempts } from "../directory/mod.ts";
import { hashOf } from "./identity.ts";

/** So many failures in a row cost nothing; each one after them doubles the wait. */
const freeOfAccount = 5;
/** More: behind one address there may be a whole office. */
const freeOfAddress = 30;
const firstWaitMs = 5000;
/** Not for ever: else a stranger could shut somebody out for good. */
const waitMsMax = 15 * 60_000;

/** Counted apart: else whoever has a password could wipe away what they tried of second factors by giving it once more. */
type Tried = "account" | "second-factor";

export type Attempts = {
  /**
   * Counts an attempt as failed before anything is looked up; throws `rate_limited` where the account or the address must
   * wait. It makes no difference whether there is such an account.
   */
  begin(account: string, remoteAddress: string, what?: Tried): Promise<{ succeeded(): Promise<void> }>;
};

/** Back-off in the database, so that it holds for all gateways, and through a start. */
export function createAttempts({
  signInAttempts,
  clock,
}: {
  signInAttempts: SignInAttempts;
  clock: Pick<Clock, "nowMs">;
}): Attempts {
  return {
    async begin(account, remoteAddress, what = "account") {
      const ofAccount = about(what, account, freeOfAccount);
      const ofAddress = about("address", networkOf(remoteAddress), freeOfAddress);
      const shut = await signInAttempts.take([ofAccount, ofAddress]);
      if (shut) throw waiting(shut.shutUntilMs - clock.nowMs());
      return {
        async succeeded() {
          await signInAttempts.forget(ofAccount.about);
          // Whoever has one account here must not wipe away what they tried on others.
          await signInAttempts.giveBack(ofAddress.about);
        },
      };
    },
  };
}

function about(kind: Tried | "address", what: string, free: number): AttemptsAbout {
  return {
    about: hashOf(`${kind}:${what}`),
    shutMs: (failures) =>
      failures < free ? 0 : Math.min(waitMsMax, firstWaitMs * 2 ** Math.min(20, failures - free)),
  };
}

/** Whoever has one IPv6 address has the /64 that it is in. */
function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, "");
  if (!isIPv6(plain) || plain.includes(".")) return plain.replace(/^::ffff:/i, "");
  const [head = "", tail] = plain.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(zeros).fill("0"), ...after];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

function waiting(ms: number): GatehouseError {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  const wait = seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
  return new GatehouseError({
    code: "rate_limited",
    op: "identity.attempts",
    message: "too many attempts failed",
    hint: `Wait ${wait}, or have a one-time link made: gatehouse users link <name>.`,
    details: { retryAfterSeconds: seconds },
  });
}
