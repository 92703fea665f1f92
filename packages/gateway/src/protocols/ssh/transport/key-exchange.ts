import type { Random } from "@gatehouse/kernel";
import { verifiableAlgorithms, verifySignature } from "../keys/mod.ts";
import { openerFor, sealerFor } from "./cipher-suites.ts";
import type { Negotiated, TransportOptions } from "./door.ts";
import { type Initiated, keyExchangeMethod } from "./key-exchange-methods.ts";
import {
  type KexInit,
  broken,
  decodeKexInit,
  disconnectReason,
  encodeExtInfo,
  encodeKexInit,
  messageNumber,
} from "./messages.ts";
import {
  type CipherOffer,
  negotiate,
  offerCiphers,
  ourKexInit,
  signal,
  tailorCiphers,
} from "./negotiation.ts";
import type { Opener, Padding, Sealer } from "./packet-cipher.ts";
import { type Agreed, type Preamble, deriveKeys, exchangeHash } from "./session-keys.ts";
import { SshReader, SshWriter } from "./wire.ts";

/** What a key exchange does to its transport. */
export type KeyExchangeHost = {
  /** Sends at once, whatever else waits. */
  sendNow(payload: Uint8Array): void;
  /** Packets from the next one on are sealed so. */
  useSealer(sealer: Sealer, resetSequence: boolean): void;
  /** What waited for our NEWKEYS may leave. */
  outgoingOpen(): void;
  /** Packets from the next one on are opened so. */
  useOpener(opener: Opener, resetSequence: boolean): void;
  /** Keys are new in both directions. */
  finished(): void;
  /** Nothing more is read until `release`. */
  hold(): void;
  release(): void;
  fail(error: unknown, reason?: number): void;
};

/** Where an exchange stands: the message of the peer that may come next. */
type Expected = "kexInit" | "kexStart" | "kexReply" | "newKeys";

type Sent = { message: KexInit; payload: Uint8Array };

const namesMax = 16 * 1024;

/** The key exchanges of one connection, one after another (RFC 4253 §7 to §9); both roles. */
export class KeyExchange {
  /** Set by the first exchange, for good. */
  sessionId: Uint8Array | undefined;
  negotiated: Negotiated | undefined;
  /** Whether the peer asked for strict key exchange too: decided in the first exchange, for good. */
  strict = false;
  /** The first exchange is over. */
  established = false;
  readonly #options: TransportOptions;
  readonly #host: KeyExchangeHost;
  readonly #padding: Padding;
  readonly #random: Random;
  readonly #identification: { ours: string; theirs: () => string };
  #ciphers: CipherOffer;
  #ours: Sent | undefined;
  #theirs: Sent | undefined;
  #expected: Expected = "kexInit";
  #dropNext = false;
  #initiated: Initiated | undefined;
  #sealer: Sealer | undefined;
  #opener: Opener | undefined;
  #outgoingHeld = false;
  #peerWantsExtInfo = false;

  constructor(fields: {
    options: TransportOptions;
    host: KeyExchangeHost;
    padding: Padding;
    random: Random;
    identification: { ours: string; theirs: () => string };
  }) {
    this.#options = fields.options;
    this.#host = fields.host;
    this.#padding = fields.padding;
    this.#random = fields.random;
    this.#identification = fields.identification;
    this.#ciphers = offerCiphers(fields.options.ciphers);
  }

  /** From our KEXINIT to our NEWKEYS: only the exchange itself may be sent (RFC 4253 §7.1). */
  get outgoingHeld(): boolean {
    return this.#outgoingHeld;
  }
  /** From the peer's KEXINIT to its NEWKEYS: it may send only the exchange. */
  get incomingHeld(): boolean {
    return this.#theirs !== undefined;
  }
  /** From the first KEXINIT sent or received to the last NEWKEYS. */
  get active(): boolean {
    return this.#ours !== undefined || this.#theirs !== undefined;
  }

  /** Sends our KEXINIT, unless it is out. */
  start(): void {
    if (this.#ours !== undefined) return;
    const options = this.#options;
    const message = ourKexInit({
      role: options.role,
      keyExchanges: options.keyExchanges,
      macs: options.macs,
      hostKeyAlgorithms:
        options.role === "server"
          ? options.hostKeys.flatMap((key) => key.algorithms)
          : options.hostKeyAlgorithms,
      ciphers: this.#ciphers,
    });
    const payload = encodeKexInit(message, this.#random.bytes(16));
    this.#ours = { message, payload };
    this.#outgoingHeld = true;
    this.#host.sendNow(payload);
  }

  /** A packet with a number from 20 to 49. */
  receive(payload: Uint8Array): void {
    if (this.#dropNext) {
      // RFC 4253 §7: a wrong guess is ignored, whatever it is.
      this.#dropNext = false;
      return;
    }
    const number = payload[0];
    if (number !== messageNumber[this.#expected]) throw broken(`message ${number} during the key exchange`);
    switch (this.#expected) {
      case "kexInit":
        return this.#receiveInit(payload);
      case "kexStart":
        return this.#answer(payload);
      case "kexReply":
        return this.#receiveReply(payload);
      case "newKeys":
        return this.#receiveNewKeys(payload);
    }
  }

  #receiveInit(view: Uint8Array): void {
    if (view.length > namesMax) throw broken("KEXINIT is too long");
    const payload = Uint8Array.from(view);
    const message = decodeKexInit(payload);
    this.#theirs = { message, payload };
    if (!this.established) {
      const server = this.#options.role === "server";
      this.strict = message.kex.includes(server ? signal.strictClient : signal.strictServer);
      this.#peerWantsExtInfo = server && message.kex.includes(signal.extInfoClient);
      if (server && this.#ours === undefined) this.#ciphers = tailorCiphers(this.#ciphers, message);
    }
    this.start();
    const ours = this.#ours as Sent;
    const { negotiated, dropGuess } = negotiate(this.#options.role, ours.message, message);
    this.negotiated = negotiated;
    this.#dropNext = dropGuess;
    if (this.#options.role === "server") {
      this.#expected = "kexStart";
      return;
    }
    const method = keyExchangeMethod(negotiated.kex);
    this.#initiated = method.initiate();
    this.#expected = "kexReply";
    const writer = new SshWriter(2048).byte(messageNumber.kexStart);
    this.#host.sendNow(
      (method.values === "mpint"
        ? writer.mpint(this.#initiated.publicValue)
        : writer.string(this.#initiated.publicValue)
      ).done(),
    );
  }

  /** The server's side: KEXDH_INIT and the like (RFC 4253 §8). */
  #answer(payload: Uint8Array): void {
    const options = this.#options;
    const negotiated = this.negotiated as Negotiated;
    const method = keyExchangeMethod(negotiated.kex);
    const reader = new SshReader(payload, 1);
    const clientValue = method.values === "mpint" ? reader.mpint() : reader.string();
    reader.end("the key exchange");
    const hostKey =
      options.role === "server"
        ? options.hostKeys.find((key) => key.algorithms.includes(negotiated.hostKey))
        : undefined;
    if (hostKey === undefined) throw broken("no such host key", disconnectReason.keyExchangeFailed);
    const { publicValue, secret } = method.respond(clientValue);
    const agreed: Agreed = {
      hash: method.hash,
      hostKeyBlob: hostKey.publicBlob,
      values: method.values,
      clientValue,
      serverValue: publicValue,
      secret,
    };
    const hash = exchangeHash(this.#preamble(), agreed);
    this.#makeKeys(agreed, hash);
    const signature = hostKey.sign(negotiated.hostKey, hash);
    const writer = new SshWriter(4096).byte(messageNumber.kexReply).string(hostKey.publicBlob);
    if (method.values === "mpint") writer.mpint(publicValue);
    else writer.string(publicValue);
    this.#host.sendNow(writer.string(signature).done());
    this.#sendNewKeys();
  }

  /** The client's side: the answer, the proof of the host key, and what the caller thinks of that key. */
  #receiveReply(payload: Uint8Array): void {
    const options = this.#options;
    const negotiated = this.negotiated as Negotiated;
    const method = keyExchangeMethod(negotiated.kex);
    const initiated = this.#initiated as Initiated;
    const reader = new SshReader(payload, 1);
    const hostKeyBlob = Uint8Array.from(reader.string());
    const serverValue = method.values === "mpint" ? reader.mpint() : reader.string();
    const signature = reader.string();
    reader.end("the key exchange");
    // RFC 8332 §3: the algorithm names the signature, the blob keeps the name of the key's type.
    if (new SshReader(hostKeyBlob).text() !== negotiated.hostKey.replace(/^rsa-sha2-(256|512)/, "ssh-rsa"))
      throw broken("the host key is not of the agreed type", disconnectReason.keyExchangeFailed);
    const agreed: Agreed = {
      hash: method.hash,
      hostKeyBlob,
      values: method.values,
      clientValue: initiated.publicValue,
      serverValue,
      secret: initiated.finish(serverValue),
    };
    const hash = exchangeHash(this.#preamble(), agreed);
    if (!verifySignature(hostKeyBlob, signature, hash, { algorithm: negotiated.hostKey }))
      throw broken("the host key's signature is wrong", disconnectReason.keyExchangeFailed);
    this.#makeKeys(agreed, hash);
    if (options.role !== "client") return;
    const refused = (error: unknown) => this.#host.fail(error, disconnectReason.hostKeyNotVerifiable);
    let verdict: void | Promise<void>;
    try {
      verdict = options.verifyHostKey(hostKeyBlob);
    } catch (error) {
      return refused(error);
    }
    // Anything else is waited for: what is not yet a verdict must not pass for one.
    if (verdict === undefined) return this.#sendNewKeys();
    this.#host.hold();
    Promise.resolve(verdict)
      .then(() => {
        this.#sendNewKeys();
        this.#host.release();
      }, refused)
      .catch((error: unknown) => this.#host.fail(error));
  }

  #preamble(): Preamble {
    const [ours, theirs] = [(this.#ours as Sent).payload, (this.#theirs as Sent).payload];
    const { ours: ourName, theirs: peerName } = this.#identification;
    return this.#options.role === "server"
      ? {
          clientIdentification: peerName(),
          serverIdentification: ourName,
          clientInit: theirs,
          serverInit: ours,
        }
      : {
          clientIdentification: ourName,
          serverIdentification: peerName(),
          clientInit: ours,
          serverInit: theirs,
        };
  }

  /** The keys of both directions, kept until NEWKEYS says that they are used (RFC 4253 §7.3). */
  #makeKeys(agreed: Agreed, hash: Uint8Array): void {
    const negotiated = this.negotiated as Negotiated;
    const sessionId = (this.sessionId ??= hash);
    const keys = (direction: "toServer" | "toClient") =>
      deriveKeys({ hash: agreed.hash, secret: agreed.secret, exchangeHash: hash, sessionId, direction });
    const server = this.#options.role === "server";
    this.#opener = openerFor(
      { cipher: negotiated.cipherIn, mac: negotiated.macIn },
      keys(server ? "toServer" : "toClient"),
    );
    this.#sealer = sealerFor(
      { cipher: negotiated.cipherOut, mac: negotiated.macOut },
      keys(server ? "toClient" : "toServer"),
      this.#padding,
    );
  }

  #sendNewKeys(): void {
    this.#host.sendNow(Uint8Array.of(messageNumber.newKeys));
    this.#host.useSealer(this.#sealer as Sealer, this.strict);
    this.#sealer = undefined;
    this.#initiated = undefined;
    this.#expected = "newKeys";
    this.#outgoingHeld = false;
    // RFC 8308 §2.4: the first packet under the first keys.
    if (!this.established && this.#peerWantsExtInfo) this.#host.sendNow(serverExtInfo);
    this.#host.outgoingOpen();
  }

  #receiveNewKeys(payload: Uint8Array): void {
    if (payload.length !== 1) throw broken("NEWKEYS with a content");
    this.#host.useOpener(this.#opener as Opener, this.strict);
    this.#opener = undefined;
    this.#ours = undefined;
    this.#theirs = undefined;
    this.#expected = "kexInit";
    this.established = true;
    this.#host.finished();
  }
}

const serverExtInfo = encodeExtInfo([
  ["server-sig-algs", verifiableAlgorithms.filter((name) => !name.includes("-cert-")).join(",")],
  // OpenSSH PROTOCOL, "Ping facility": since 9.5 its client hides the timing of keystrokes behind pings, where they
  // are answered.
  ["ping@openssh.com", "0"],
  // OpenSSH PROTOCOL, "publickey-hostbound": the client's signature may also cover our host key.
  ["publickey-hostbound@openssh.com", "0"],
]);
