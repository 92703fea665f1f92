import assert from "node:assert/strict";
import { test } from "node:test";
import type { KexInit } from "./messages.ts";
import { decodeKexInit, encodeKexInit } from "./messages.ts";
import { negotiate, offerCiphers, ourKexInit, tailorCiphers } from "./negotiation.ts";

function init(role: "client" | "server", change: Partial<KexInit> = {}): KexInit {
  const own = ourKexInit({
    role,
    keyExchanges: undefined,
    macs: undefined,
    hostKeyAlgorithms: ["ssh-ed25519", "rsa-sha2-512"],
    ciphers: offerCiphers(undefined),
  });
  return { ...own, ...change };
}

test("the client's order decides, in each list by itself", () => {
  const client = init("client", {
    kex: ["ecdh-sha2-nistp256", "curve25519-sha256"],
    hostKey: ["rsa-sha2-512", "ssh-ed25519"],
    cipherToServer: ["aes256-ctr", "aes128-gcm@openssh.com"],
    cipherToClient: ["aes256-gcm@openssh.com"],
    macToServer: ["hmac-md5", "hmac-sha2-512"],
    macToClient: ["hmac-md5"],
  });
  const negotiated = {
    kex: "ecdh-sha2-nistp256",
    hostKey: "rsa-sha2-512",
    cipherIn: "aes256-ctr",
    macIn: "hmac-sha2-512",
    cipherOut: "aes256-gcm@openssh.com",
    macOut: "implicit",
  };
  assert.deepEqual(negotiate("server", init("server"), client), { negotiated, dropGuess: false });
  assert.deepEqual(negotiate("client", client, init("server")), {
    negotiated: {
      ...negotiated,
      cipherIn: negotiated.cipherOut,
      macIn: negotiated.macOut,
      cipherOut: negotiated.cipherIn,
      macOut: negotiated.macIn,
    },
    dropGuess: false,
  });
});

test("the signals in the list of key exchanges are none themselves", () => {
  const kex = ["ext-info-c", "kex-strict-c-v00@openssh.com", "ext-info-s", "kex-strict-s-v00@openssh.com"];
  assert.throws(() => negotiate("client", init("client", { kex }), init("server", { kex: ["x"] })), {
    code: "protocol",
    message: /no common key exchange/,
  });
});

test("a guess is right when both first names are the same", () => {
  const guess = { guessFollows: true };
  const drop = (client: Partial<KexInit>) =>
    negotiate("server", init("server"), init("client", { ...guess, ...client })).dropGuess;
  assert.equal(drop({}), false);
  assert.equal(drop({ kex: ["curve25519-sha256"] }), true);
  assert.equal(drop({ hostKey: ["rsa-sha2-512"] }), true);
});

test("a list is tailored each way by itself", () => {
  const all = offerCiphers(undefined);
  const client = init("client", {
    cipherToServer: ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com"],
    cipherToClient: ["chacha20-poly1305@openssh.com", "aes128-ctr"],
  });
  assert.deepEqual(tailorCiphers(all, client), {
    toServer: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"],
    toClient: all.toClient,
  });
  const few = offerCiphers(["aes256-ctr", "unknown", "chacha20-poly1305@openssh.com"]);
  assert.deepEqual(few.toServer, ["aes256-ctr", "chacha20-poly1305@openssh.com"]);
  assert.deepEqual(tailorCiphers(few, client), few);
});

test("KEXINIT survives the wire", () => {
  const message = init("client", { guessFollows: true });
  assert.deepEqual(decodeKexInit(encodeKexInit(message, new Uint8Array(16))), message);
});

test("what names the peer sent is shown without its control characters, and not endlessly", () => {
  assert.throws(
    () => negotiate("server", init("server"), init("client", { hostKey: ["\u001b[2J", "x".repeat(5000)] })),
    (error: Error) => !error.message.includes("\u001b") && error.message.length < 700,
  );
});
