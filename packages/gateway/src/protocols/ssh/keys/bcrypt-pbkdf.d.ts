/** The package ships no types. Returns -1 for lengths it cannot serve. */
declare module "bcrypt-pbkdf" {
  export function pbkdf(
    passphrase: Uint8Array,
    passphraseLength: number,
    salt: Uint8Array,
    saltLength: number,
    out: Uint8Array,
    outLength: number,
    rounds: number,
  ): number;
}
