import { type Argon2Parameters, argon2, timingSafeEqual } from "node:crypto";
import { GatehouseError, type Random, fromBase64, toBase64 } from "@gatehouse/kernel";

/**
 * Argon2id (RFC 9106), with what OWASP asks for at least: 19 MiB, two passes. The stored string says what it was made with,
 * so that these can grow: an older one still opens, and is made anew at the next sign-in.
 */
const wanted = { memoryKib: 19_456, passes: 2, lanes: 1 };
type Cost = typeof wanted;

const saltBytes = 16;
const tagBytes = 32;
/** What a stored string may ask for: it must not make the gate take all its memory. */
const memoryKibMax = 1_048_576;
const passesMax = 16;
const lanesMax = 16;
/** Beyond these somebody floods the gate with guesses. */
const waitingMax = 64;

export type PasswordHashes = {
  hash(password: string): Promise<string>;
  /**
   * Whether it is this password. Where nothing is stored the same work is done, and the answer is no: how long it took
   * tells nobody whether there is one. `renewed`: the same password as it should be stored today.
   */
  verify(stored: string | undefined, password: string): Promise<{ ok: boolean; renewed?: string }>;
};

export function createPasswordHashes({ random }: { random: Random }): PasswordHashes {
  // One at a time: each takes a thread of the pool that also commits the journal, and 19 MiB.
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (waiting >= waitingMax)
      throw new GatehouseError({
        code: "unavailable",
        op: "identity.password",
        message: "too many people are signing in at this moment",
        hint: "Try again in a few seconds.",
      });
    waiting += 1;
    const turn = last.then(work).finally(() => {
      waiting -= 1;
    });
    last = turn.catch(() => {});
    return turn;
  }

  const hash = async (password: string) => {
    const salt = random.bytes(saltBytes);
    return written(wanted, salt, await inTurn(() => derive(password, salt, wanted)));
  };
  const decoy = { cost: wanted, salt: random.bytes(saltBytes), tag: random.bytes(tagBytes) };

  return {
    hash,
    async verify(stored, password) {
      const { cost, salt, tag } = stored === undefined ? decoy : read(stored);
      const derived = await inTurn(() => derive(password, salt, cost));
      const ok = timingSafeEqual(derived, tag) && stored !== undefined;
      const isOld = (Object.keys(wanted) as (keyof Cost)[]).some((name) => cost[name] !== wanted[name]);
      return { ok, ...(ok && isOld && { renewed: await hash(password) }) };
    },
  };
}

function derive(password: string, salt: Uint8Array, { memoryKib, passes, lanes }: Cost): Promise<Uint8Array> {
  const parameters: Argon2Parameters = {
    // Keyboards write the same letter in several ways.
    message: password.normalize("NFKC"),
    nonce: salt,
    parallelism: lanes,
    tagLength: tagBytes,
    memory: memoryKib,
    passes,
  };
  return new Promise((resolve, reject) =>
    argon2("argon2id", parameters, (error, tag) => (error ? reject(error) : resolve(tag))),
  );
}

const unpadded = (bytes: Uint8Array) => toBase64(bytes).replaceAll("=", "");

/** The PHC string format, as other programs write it. */
function written({ memoryKib, passes, lanes }: Cost, salt: Uint8Array, tag: Uint8Array): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(tag)}`;
}

function read(stored: string): { cost: Cost; salt: Uint8Array; tag: Uint8Array } {
  const found =
    /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{43})$/.exec(
      stored,
    );
  const [memoryKib = 0, passes = 0, lanes = 0] = found?.slice(1, 4).map(Number) ?? [];
  if (!found || memoryKib > memoryKibMax || passes > passesMax || lanes > lanesMax)
    throw new GatehouseError({
      code: "corrupt",
      op: "identity.password",
      message: "a stored password cannot be read",
      hint: "Set it anew with a one-time link: gatehouse users link <name>.",
    });
  return {
    cost: { memoryKib, passes, lanes },
    salt: fromBase64(found[4] as string),
    tag: fromBase64(found[5] as string),
  };
}
