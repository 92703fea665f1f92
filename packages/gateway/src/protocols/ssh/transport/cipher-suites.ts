import { CtrEtmOpener, CtrOpener, CtrSealer, type Mac } from "./aes-ctr-hmac.ts";
import { AesGcmOpener, AesGcmSealer } from "./aes-gcm.ts";
import { ChachaOpener, ChachaSealer } from "./chacha20-poly1305.ts";
import { broken, disconnectReason } from "./messages.ts";
import type { Opener, Padding, Sealer } from "./packet-cipher.ts";

type Cipher = { form: "gcm" | "chacha" | "ctr"; keyBytes: number; ivBytes: number };

/** Best first. AES-GCM is several times faster here than ChaCha20, so it leads. */
const ciphers: ReadonlyMap<string, Cipher> = new Map([
  ["aes128-gcm@openssh.com", { form: "gcm", keyBytes: 16, ivBytes: 12 }],
  ["aes256-gcm@openssh.com", { form: "gcm", keyBytes: 32, ivBytes: 12 }],
  ["chacha20-poly1305@openssh.com", { form: "chacha", keyBytes: 64, ivBytes: 0 }],
  ["aes128-ctr", { form: "ctr", keyBytes: 16, ivBytes: 16 }],
  ["aes192-ctr", { form: "ctr", keyBytes: 24, ivBytes: 16 }],
  ["aes256-ctr", { form: "ctr", keyBytes: 32, ivBytes: 16 }],
]);

const macs: ReadonlyMap<string, Mac> = new Map([
  ["hmac-sha2-256-etm@openssh.com", { hash: "sha256", bytes: 32, overCiphertext: true }],
  ["hmac-sha2-512-etm@openssh.com", { hash: "sha512", bytes: 64, overCiphertext: true }],
  ["hmac-sha2-256", { hash: "sha256", bytes: 32, overCiphertext: false }],
  ["hmac-sha2-512", { hash: "sha512", bytes: 64, overCiphertext: false }],
]);

export const cipherNames: readonly string[] = [...ciphers.keys()];
export const macNames: readonly string[] = [...macs.keys()];

function cipherOf(name: string): Cipher {
  const cipher = ciphers.get(name);
  if (cipher === undefined) throw broken(`no cipher ${name}`, disconnectReason.keyExchangeFailed);
  return cipher;
}

function macOf(name: string): Mac {
  const mac = macs.get(name);
  if (mac === undefined) throw broken(`no MAC ${name}`, disconnectReason.keyExchangeFailed);
  return mac;
}

/** Whether it authenticates by itself, so that no MAC is negotiated. */
export function isAead(name: string): boolean {
  return cipherOf(name).form !== "ctr";
}

/** Gives the key material of one direction: `what` is the letter of RFC 4253 §7.2. */
export type KeySource = (what: "iv" | "key" | "mac", bytes: number) => Uint8Array;

export type Suite = { cipher: string; mac: string };

export function sealerFor(suite: Suite, keys: KeySource, padding: Padding): Sealer {
  const { form, keyBytes, ivBytes } = cipherOf(suite.cipher);
  switch (form) {
    case "gcm":
      return new AesGcmSealer(keys("key", keyBytes), keys("iv", ivBytes), padding);
    case "chacha":
      return new ChachaSealer(keys("key", keyBytes), padding);
    case "ctr":
      return new CtrSealer(ctrKeys(suite, keys), padding);
  }
}

export function openerFor(suite: Suite, keys: KeySource): Opener {
  const { form, keyBytes, ivBytes } = cipherOf(suite.cipher);
  switch (form) {
    case "gcm":
      return new AesGcmOpener(keys("key", keyBytes), keys("iv", ivBytes));
    case "chacha":
      return new ChachaOpener(keys("key", keyBytes));
    case "ctr": {
      const all = ctrKeys(suite, keys);
      return all.mac.overCiphertext ? new CtrEtmOpener(all) : new CtrOpener(all);
    }
  }
}

function ctrKeys(suite: Suite, keys: KeySource) {
  const { keyBytes, ivBytes } = cipherOf(suite.cipher);
  const mac = macOf(suite.mac);
  return { key: keys("key", keyBytes), iv: keys("iv", ivBytes), mac, macKey: keys("mac", mac.bytes) };
}
