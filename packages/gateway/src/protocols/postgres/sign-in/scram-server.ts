import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { GatehouseError, type Random, toBase64 } from "@gatehouse/kernel";

export const scramMechanisms = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"] as const;

/**
 * The server's half of SCRAM-SHA-256 (RFC 5802, RFC 7677), with channel binding (RFC 5929 §4). Whose secret the client has
 * is not known before it has proved that it has one, so `proves` is asked of each that may be meant. Each throws `protocol`
 * for what no honest client says.
 */
export class ScramServer {
  readonly #binding: Uint8Array | undefined;
  readonly #random: Random;
  #header = "";
  #bare = "";
  #first = "";
  #authMessage = "";
  #proof: Buffer = Buffer.alloc(0);

  /** `binding`: what `tls-server-end-point` is here, the hash of the certificate that the client was shown; undefined where its
   * signature has none, and no binding was offered. */
  constructor({ binding, random }: { binding: Uint8Array | undefined; random: Random }) {
    this.#binding = binding;
    this.#random = random;
  }

  first(mechanism: string, clientFirst: string, terms: { salt: Uint8Array; iterations: number }): string {
    const match = /^(([ny]|p=([^,]+)),,)(n=([^,]*),r=([!-+\--~]{1,256}))$/.exec(clientFirst);
    const [, header = "", flag = "", bound, bare = "", , nonce = ""] = match ?? [];
    if (!match) throw broken("its first message is none");
    if (!scramMechanisms.some((known) => known === mechanism) || (bound !== undefined && !this.#binding))
      throw broken("it chose a mechanism that was not offered");
    // §6: a client that could bind, and was told that this server cannot, has somebody in between.
    if (flag === "y" && this.#binding) throw broken("it was not told that this server binds channels");
    if ((mechanism === "SCRAM-SHA-256-PLUS") !== (bound !== undefined))
      throw broken("its binding is not that of its mechanism");
    if (bound !== undefined && bound !== "tls-server-end-point")
      throw broken("it binds the channel in a way that is not spoken here");
    this.#header = header;
    this.#bare = bare;
    this.#first = `r=${nonce}${toBase64(this.#random.bytes(18))},s=${toBase64(terms.salt)},i=${terms.iterations}`;
    return this.#first;
  }

  final(clientFinal: string): void {
    const match = /^(c=([A-Za-z0-9+/=]+),(r=[!-+\--~]+)),p=([A-Za-z0-9+/=]{44})$/.exec(clientFinal);
    const [, withoutProof = "", given = "", nonce = "", proof = ""] = match ?? [];
    const expected = Buffer.concat([
      Buffer.from(this.#header),
      this.#header.startsWith("p=") && this.#binding ? this.#binding : new Uint8Array(),
    ]);
    if (!match || !this.#first.startsWith(`${nonce},`)) throw broken("its final message is none");
    if (!isSame(Buffer.from(given, "base64"), expected))
      throw broken("it speaks with another server: somebody is in between");
    this.#proof = Buffer.from(proof, "base64");
    this.#authMessage = `${this.#bare},${this.#first},${withoutProof}`;
  }

  /** Whether the client has the secret that this was made of. */
  proves(storedKey: Uint8Array): boolean {
    const signature = createHmac("sha256", storedKey).update(this.#authMessage).digest();
    const clientKey = signature.map((byte, i) => byte ^ (this.#proof[i] as number));
    return isSame(createHash("sha256").update(clientKey).digest(), storedKey);
  }

  /** The proof to the client that this side knows the secret too. */
  verification(serverKey: Uint8Array): string {
    return `v=${createHmac("sha256", serverKey).update(this.#authMessage).digest("base64")}`;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function broken(what: string): GatehouseError {
  return new GatehouseError({
    code: "protocol",
    op: "postgres.scram",
    message: `the client's SCRAM: ${what}`,
  });
}
