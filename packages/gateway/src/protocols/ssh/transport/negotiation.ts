import { cipherNames, isAead, macNames } from "./cipher-suites.ts";
import type { Negotiated } from "./door.ts";
import { keyExchangeNames } from "./key-exchange-methods.ts";
import { type KexInit, broken, disconnectReason } from "./messages.ts";

/**
 * What is found in a KEXINIT's list of key exchanges without being one: RFC 8308 §2.1 and OpenSSH PROTOCOL, "strict key
 * exchange".
 * No offer of ours names them as methods, so they are never agreed on.
 */
export const signal = {
  extInfoClient: "ext-info-c",
  extInfoServer: "ext-info-s",
  strictClient: "kex-strict-c-v00@openssh.com",
  strictServer: "kex-strict-s-v00@openssh.com",
} as const;

const compressions = ["none"];

function offered(known: readonly string[], wanted: readonly string[] | undefined): readonly string[] {
  return wanted?.filter((name) => known.includes(name)) ?? known;
}

/** The ciphers of one connection, each way. */
export type CipherOffer = { toServer: readonly string[]; toClient: readonly string[] };

export function offerCiphers(ciphers: readonly string[] | undefined): CipherOffer {
  const names = offered(cipherNames, ciphers);
  return { toServer: names, toClient: names };
}

/**
 * A server's list, cut to what is fastest here. RFC 4253 §7.1 lets the client's order decide, and OpenSSH puts
 * chacha20-poly1305 first, which costs several times what AES-GCM does. A server that offers only AES-GCM gets it from
 * every client that has it. The list stays honest: nothing is in it that we would not take, and a client without
 * AES-GCM is offered everything.
 */
export function tailorCiphers(offer: CipherOffer, client: KexInit): CipherOffer {
  const tailor = (ours: readonly string[], theirs: readonly string[]) => {
    const fast = ours.filter((name) => name.includes("-gcm@"));
    return fast.some((name) => theirs.includes(name)) ? fast : ours;
  };
  return {
    toServer: tailor(offer.toServer, client.cipherToServer),
    toClient: tailor(offer.toClient, client.cipherToClient),
  };
}

export function ourKexInit(fields: {
  role: "server" | "client";
  keyExchanges: readonly string[] | undefined;
  macs: readonly string[] | undefined;
  hostKeyAlgorithms: readonly string[];
  ciphers: CipherOffer;
}): KexInit {
  const signals =
    fields.role === "server"
      ? [signal.extInfoServer, signal.strictServer]
      : [signal.extInfoClient, signal.strictClient];
  const macs = offered(macNames, fields.macs);
  return {
    kex: [...offered(keyExchangeNames, fields.keyExchanges), ...signals],
    hostKey: fields.hostKeyAlgorithms,
    cipherToServer: fields.ciphers.toServer,
    cipherToClient: fields.ciphers.toClient,
    macToServer: macs,
    macToClient: macs,
    compressionToServer: compressions,
    compressionToClient: compressions,
    guessFollows: false,
  };
}

export type Agreement = {
  negotiated: Negotiated;
  /** The peer's guessed packet follows its KEXINIT and is to be dropped (RFC 4253 §7). */
  dropGuess: boolean;
};

/** RFC 4253 §7.1: of each list, the client's first that the server has too. */
export function negotiate(role: "server" | "client", ours: KexInit, theirs: KexInit): Agreement {
  const client = role === "client" ? ours : theirs;
  const server = role === "client" ? theirs : ours;
  const kex = choose("key exchange", client.kex, server.kex);
  const hostKey = choose("host key algorithm", client.hostKey, server.hostKey);
  const cipherToServer = choose("cipher", client.cipherToServer, server.cipherToServer);
  const cipherToClient = choose("cipher", client.cipherToClient, server.cipherToClient);
  // RFC 5647 §5.1 as OpenSSH reads it: a cipher that authenticates makes the list of MACs meaningless.
  const mac = (cipher: string, ofClient: readonly string[], ofServer: readonly string[]) =>
    isAead(cipher) ? "implicit" : choose("MAC", ofClient, ofServer);
  const macToServer = mac(cipherToServer, client.macToServer, server.macToServer);
  const macToClient = mac(cipherToClient, client.macToClient, server.macToClient);
  choose("compression", client.compressionToServer, server.compressionToServer);
  choose("compression", client.compressionToClient, server.compressionToClient);
  const inbound = role === "client";
  return {
    negotiated: {
      kex,
      hostKey,
      cipherIn: inbound ? cipherToClient : cipherToServer,
      cipherOut: inbound ? cipherToServer : cipherToClient,
      macIn: inbound ? macToClient : macToServer,
      macOut: inbound ? macToServer : macToClient,
    },
    dropGuess:
      theirs.guessFollows && (theirs.kex[0] !== ours.kex[0] || theirs.hostKey[0] !== ours.hostKey[0]),
  };
}

function choose(what: string, client: readonly string[], server: readonly string[]): string {
  const chosen = client.find((name) => server.includes(name));
  if (chosen === undefined)
    throw broken(
      `no common ${what}: the client has ${shown(client)}, the server has ${shown(server)}`,
      disconnectReason.keyExchangeFailed,
    );
  return chosen;
}

/** Part of it came from the peer and ends in logs. */
function shown(names: readonly string[]): string {
  const text = names.join(",").replace(/[^\x21-\x7e]/g, "?");
  return text === "" ? "none" : text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
