import { type Clock, GatehouseError, type Timer, isGatehouseError } from "@gatehouse/kernel";
import { plainAlgorithm } from "../keys/mod.ts";
import type { Transport } from "../transport/door.ts";
import {
  authService,
  decodeAuthFailure,
  decodeBanner,
  decodeInfoRequest,
  decodeService,
  encodeAuthRequest,
  encodeInfoResponse,
  encodeService,
  signedData,
} from "./auth-messages.ts";
import type { ClientCredential } from "./door.ts";
import { disconnectReason, messageNumber, protocolError } from "./messages.ts";
import type { PacketHandler } from "./packet-route.ts";

const authTimeoutMs = 30_000;
const bannersMax = 8;
/** Rounds of one keyboard-interactive conversation. */
const roundsMax = 8;

export type ClientAuthDependencies = {
  transport: Transport;
  user: string;
  credentials: readonly ClientCredential[];
  timeoutMs?: number | undefined;
  clock: Clock;
  banner?: ((text: string) => void) | undefined;
  succeeded(): void;
  failed(error: Error): void;
};

/** One request that can be made with a credential; a password has two ways to go. */
type Attempt = { method: "publickey" | "password" | "keyboard-interactive"; credential: ClientCredential };

/** The client's side of user authentication (RFC 4252), towards a target. */
export class ClientAuth implements PacketHandler {
  readonly #transport: Transport;
  readonly #user: string;
  readonly #banner: ((text: string) => void) | undefined;
  readonly #succeeded: () => void;
  readonly #failed: (error: Error) => void;
  readonly #timer: Timer;
  #attempts: Attempt[];
  #current: Attempt | undefined;
  /** What the server would take, once it said so. */
  #methods: readonly string[] | undefined;
  #tried: string[] = [];
  /** `none` was sent. */
  #asked = false;
  #banners = 0;
  #rounds = 0;
  #passwordGiven = false;
  #why: string | undefined;
  #over = false;

  constructor({
    transport,
    user,
    credentials,
    timeoutMs,
    clock,
    banner,
    succeeded,
    failed,
  }: ClientAuthDependencies) {
    this.#transport = transport;
    this.#user = user;
    this.#banner = banner;
    this.#succeeded = succeeded;
    this.#failed = failed;
    this.#attempts = credentials.flatMap((credential): Attempt[] =>
      credential.method === "publickey"
        ? [{ method: "publickey", credential }]
        : [
            { method: "password", credential },
            { method: "keyboard-interactive", credential },
          ],
    );
    this.#timer = clock.after(timeoutMs ?? authTimeoutMs, () =>
      this.#fail(
        new GatehouseError({
          code: "timeout",
          op: "ssh.dial.auth",
          message: "the target did not answer the authentication in time",
        }),
      ),
    );
    transport.send(encodeService(messageNumber.serviceRequest, authService));
  }

  packet(payload: Uint8Array): void {
    if (this.#over) return;
    try {
      this.#receive(payload);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  transportClosed(error: Error | undefined): void {
    if (this.#over) return;
    this.#finish();
    // A server that is tired of us disconnects: then what it would have taken says more than how it left.
    this.#failed(this.#tried.length > 0 ? this.#refused(error) : (error ?? this.#refused(undefined)));
  }

  #receive(payload: Uint8Array): void {
    switch (payload[0]) {
      case messageNumber.serviceAccept:
        if (this.#current || this.#asked || decodeService(payload) !== authService)
          throw protocolError("a service that was not asked for");
        return this.#next();
      case messageNumber.userauthBanner:
        if (++this.#banners > bannersMax) throw protocolError("too many banners");
        this.#banner?.(decodeBanner(payload));
        return;
      case messageNumber.userauthSuccess:
        if (!this.#current && !this.#asked) throw protocolError("a success before any attempt");
        this.#finish();
        return this.#succeeded();
      case messageNumber.userauthFailure: {
        if (!this.#current && !this.#asked) throw protocolError("a failure before any attempt");
        this.#methods = decodeAuthFailure(payload).methods;
        return this.#next();
      }
      case messageNumber.userauthSpecific:
        return this.#receiveSpecific(payload);
      default:
        throw protocolError(`message number ${payload[0] ?? "none"} before authentication`);
    }
  }

  /** RFC 4252 §5.1: the server lists what can go on; whatever it does not list waits for another turn. */
  #next(): void {
    const index = this.#attempts.findIndex(({ method }) => this.#methods?.includes(method) ?? true);
    const attempt = this.#attempts[index];
    if (!attempt) return this.#fail(this.#refused(undefined));
    const { method, credential } = attempt;
    if (credential.method === "password" && this.#methods === undefined) {
      // RFC 4252 §5.2: `none` asks which way the server wants a password, so that a wrong one is tried only once.
      this.#asked = true;
      this.#transport.send(encodeAuthRequest(this.#user, "none").done());
      return;
    }
    this.#attempts.splice(index, 1);
    this.#current = attempt;
    if (credential.method === "publickey") return this.#tryKey(credential.signer);
    this.#tried.push(method);
    if (method === "password") {
      this.#spend(credential);
      // RFC 4252 §8.
      this.#transport.send(
        encodeAuthRequest(this.#user, "password").bool(false).string(credential.password).done(),
      );
    } else {
      this.#rounds = 0;
      this.#passwordGiven = false;
      // RFC 4256 §3.1: no language, no preferred submethods.
      this.#transport.send(
        encodeAuthRequest(this.#user, "keyboard-interactive").string("").string("").done(),
      );
    }
  }

  /** The password goes out: its other way would only be the same refusal again, and count twice against the account. */
  #spend(credential: ClientCredential): void {
    this.#attempts = this.#attempts.filter((attempt) => attempt.credential !== credential);
  }

  #tryKey(signer: Extract<ClientCredential, { method: "publickey" }>["signer"]): void {
    const known = this.#transport.peerSignatureAlgorithms;
    const algorithm = signer.algorithms.find(
      (name) => known === undefined || known.includes(name) || known.includes(plainAlgorithm(name)),
    );
    if (algorithm === undefined) {
      this.#why = `it takes no signature of ${signer.algorithms.join(" or ")}`;
      return this.#next();
    }
    this.#tried.push(algorithm);
    // Signed at once: the query of RFC 4252 §7 saves a human's touch, and here nobody is asked.
    const request = encodeAuthRequest(this.#user, "publickey")
      .bool(true)
      .string(algorithm)
      .string(signer.publicBlob);
    const signature = signer.sign(algorithm, signedData(this.#transport.sessionId, request.done()));
    this.#transport.send(request.string(signature).done());
  }

  /** Number 60 means what the method under way makes of it. */
  #receiveSpecific(payload: Uint8Array): void {
    const { method, credential } = this.#current ?? {};
    if (method === "password") {
      // RFC 4252 §8, PASSWD_CHANGEREQ.
      this.#why = "it asks for the stored password to be changed";
      return this.#next();
    }
    if (method !== "keyboard-interactive" || credential?.method !== "password")
      throw protocolError("an answer that no method of ours expects");
    if (++this.#rounds > roundsMax) throw protocolError("too many rounds of questions");
    const prompts = decodeInfoRequest(payload);
    const [first] = prompts;
    if (prompts.length === 1 && first && !first.echo && !this.#passwordGiven) {
      this.#passwordGiven = true;
      this.#spend(credential);
      this.#transport.send(encodeInfoResponse([credential.password]));
    } else if (prompts.length === 0) this.#transport.send(encodeInfoResponse([]));
    else {
      // Only a lone hidden question can be a password's; anything else (a code, a new password) nobody here can answer.
      this.#why = `it asks what a stored password does not answer (${prompts.map(({ text }) => text.trim()).join("; ")})`;
      this.#next();
    }
  }

  #refused(cause: Error | undefined): GatehouseError {
    const methods = this.#methods?.join(", ") ?? "";
    const why = this.#why === undefined ? "" : `; ${this.#why}`;
    return new GatehouseError({
      code: "denied",
      op: "ssh.dial.auth",
      message:
        methods === ""
          ? `the target refused ${this.#user}${why}`
          : `the target refused ${this.#user}; it would take: ${methods}${why}`,
      hint: "Check the account and the credential that is stored for this target.",
      details: { user: this.#user, methods, tried: this.#tried.join(", ") },
      cause,
    });
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#finish();
    if (isGatehouseError(error, "protocol"))
      this.#transport.disconnect(disconnectReason.protocolError, error.message);
    else this.#transport.disconnect(disconnectReason.byApplication, "authentication ended");
    this.#failed(error);
  }
  #finish(): void {
    this.#over = true;
    this.#timer.cancel();
  }
}
