import { createHash, createHmac, pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { GatehouseError, type Random, toBase64 } from "@gatehouse/kernel";

const derive = promisify(pbkdf2);
/** A server that asks for more would make the gate its calculator. */
const iterationsMax = 1_000_000;

export type ChannelBinding =
  /** `tls-server-end-point` (RFC 5929 §4): the hash of the server's certificate. */
  | { type: "tls-server-end-point"; data: Uint8Array }
  /** We could, and the server did not offer it: an attacker in between who struck it from the list is found out. */
  | { type: "not-offered" }
  /** The certificate's hash is not defined for its signature. */
  | { type: "unable" };

/**
 * The client's half of SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL §55.3 speaks it: the user name is empty, for
 * the startup message had it.
 */
export class ScramClient {
  readonly #binding: ChannelBinding;
  readonly #nonce: string;
  #authMessage = "";
  #serverKey: Buffer | undefined;
  #verified = false;

  constructor({ binding, random }: { binding: ChannelBinding; random: Random }) {
    this.#binding = binding;
    this.#nonce = toBase64(random.bytes(18));
  }
  /** The server proved that it knows the password. */
  get verified(): boolean {
    return this.#verified;
  }
  get mechanism(): string {
    return this.#binding.type === "tls-server-end-point" ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
  }
  get #gs2Header(): string {
    switch (this.#binding.type) {
      case "tls-server-end-point":
        return "p=tls-server-end-point,,";
      case "not-offered":
        return "y,,";
      case "unable":
        return "n,,";
    }
  }

  first(): string {
    return `${this.#gs2Header}n=,r=${this.#nonce}`;
  }

  /** Throws `protocol` for what no honest server says. */
  async final(serverFirst: string, password: string): Promise<string> {
    const match = /^r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=(\d{1,9})$/.exec(serverFirst);
    const [, nonce = "", salt = "", count = ""] = match ?? [];
    const iterations = Number(count);
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw broken("its nonce is wrong");
    if (iterations < 1 || iterations > iterationsMax) throw broken(`it asks for ${iterations} iterations`);
    // RFC 4013 maps passwords; NFKC is what is left of it for the ones that PostgreSQL takes, as in libpq's practice.
    const salted = await derive(
      password.normalize("NFKC"),
      Buffer.from(salt, "base64"),
      iterations,
      32,
      "sha256",
    );
    const bound = Buffer.concat([
      Buffer.from(this.#gs2Header),
      this.#binding.type === "tls-server-end-point" ? this.#binding.data : Buffer.alloc(0),
    ]);
    const withoutProof = `c=${bound.toString("base64")},r=${nonce}`;
    this.#authMessage = `n=,r=${this.#nonce},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, "Client Key");
    const signature = hmac(createHash("sha256").update(clientKey).digest(), this.#authMessage);
    const proof = clientKey.map((byte, i) => byte ^ (signature[i] as number));
    this.#serverKey = hmac(salted, "Server Key");
    return `${withoutProof},p=${Buffer.from(proof).toString("base64")}`;
  }

  /** The server knows the password too. Throws `protocol` when it does not. */
  verify(serverFinal: string): void {
    const match = /^v=([A-Za-z0-9+/=]+)$/.exec(serverFinal);
    const given = Buffer.from(match?.[1] ?? "", "base64");
    const expected = this.#serverKey && hmac(this.#serverKey, this.#authMessage);
    if (!expected || given.length !== expected.length || !timingSafeEqual(given, expected))
      throw broken("it did not prove that it knows the password");
    this.#verified = true;
  }
}

/** PostgreSQL §55.2.1: `md5` and the hash of the hash of password and user with the salt. */
export function md5Password(password: string, user: string, salt: Uint8Array): string {
  const md5 = (...parts: (string | Uint8Array)[]) => {
    const hash = createHash("md5");
    for (const part of parts) hash.update(part);
    return hash.digest("hex");
  };
  return `md5${md5(md5(password, user), salt)}`;
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function broken(what: string): GatehouseError {
  return new GatehouseError({
    code: "protocol",
    op: "postgres.scram",
    message: `the server's SCRAM: ${what}`,
  });
}
