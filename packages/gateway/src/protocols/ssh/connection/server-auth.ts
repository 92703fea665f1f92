import { type Clock, GatehouseError, type Timer, isGatehouseError } from "@gatehouse/kernel";
import {
  blobType,
  isCertificateAlgorithm,
  parseCertificate,
  parsePublicKey,
  plainAlgorithm,
  signatureAlgorithms,
  signatureFlags,
  verifySignature,
} from "../keys/mod.ts";
import type { Transport } from "../transport/door.ts";
import {
  type AuthRequest,
  type PublicKeyFields,
  authService,
  connectionService,
  decodeAuthRequest,
  decodeInfoResponse,
  decodePublicKeyFields,
  decodeService,
  encodeAuthFailure,
  encodeBanner,
  encodeInfoRequest,
  encodeKeyAcceptable,
  encodeService,
  hostBoundMethod,
  signedData,
} from "./auth-messages.ts";
import type {
  AuthDecision,
  AuthMethod,
  InteractivePrompt,
  PublicKeyAttempt,
  ServerAuthOptions,
} from "./door.ts";
import { disconnectReason, messageNumber, protocolError } from "./messages.ts";
import type { PacketHandler } from "./packet-route.ts";

const defaults = { failuresMax: 6, queriesMax: 20, graceMs: 120_000 };
/** Requests sent ahead of our answers. OpenSSH waits for each; nobody needs more. */
const pipelinedMax = 16;
/** `none` and methods we do not have cost no failure, but not for ever. */
const requestsMax = 64;

export type Authenticated = {
  user: string;
  publicKey: PublicKeyAttempt | undefined;
  methods: AuthMethod[];
};
export type ServerAuthDependencies = {
  transport: Transport;
  /** The key this server proved itself with, for the host-bound method. */
  hostKeyBlob: Uint8Array | undefined;
  auth: ServerAuthOptions;
  clock: Clock;
  /** Runs in the same turn as the success is sent, so that no packet falls between. */
  succeeded(result: Authenticated): void;
  /** The transport was told to disconnect, or is gone. */
  failed(error: Error): void;
};

/** The server's side of user authentication (RFC 4252). One request at a time, in their order. */
export class ServerAuth implements PacketHandler {
  readonly #transport: Transport;
  readonly #hostKeyBlob: Uint8Array | undefined;
  readonly #auth: ServerAuthOptions;
  readonly #succeeded: (result: Authenticated) => void;
  readonly #failed: (error: Error) => void;
  readonly #grace: Timer;
  #queue: Uint8Array[] = [];
  #working = false;
  #over = false;
  #serviceAccepted = false;
  #bannerSent = false;
  #user: string | undefined;
  /** Methods that may be tried now, and those that succeeded before. */
  #allowed: readonly AuthMethod[];
  #passed: AuthMethod[] = [];
  #publicKey: PublicKeyAttempt | undefined;
  #failures = 0;
  #queries = 0;
  #requests = 0;
  #answer: { resolve(answers: string[]): void; reject(error: Error): void; count: number } | undefined;

  constructor({ transport, hostKeyBlob, auth, clock, succeeded, failed }: ServerAuthDependencies) {
    this.#transport = transport;
    this.#hostKeyBlob = hostKeyBlob;
    this.#auth = auth;
    this.#allowed = auth.firstMethods ?? ["publickey"];
    this.#succeeded = succeeded;
    this.#failed = failed;
    this.#grace = clock.after(auth.graceMs ?? defaults.graceMs, () =>
      this.#fail(
        new GatehouseError({
          code: "timeout",
          op: "ssh.auth",
          message: "authentication took too long",
          details: this.#facts(),
        }),
        disconnectReason.byApplication,
        "Authentication took too long",
      ),
    );
  }

  packet(payload: Uint8Array): void {
    if (this.#over) return;
    try {
      if (payload[0] === messageNumber.userauthInfoResponse && this.#answer)
        return this.#receiveAnswer(payload);
      // RFC 4256 §3.1: another request abandons the conversation.
      if (this.#answer) this.#abandonAnswer();
      if (this.#queue.length >= pipelinedMax) throw protocolError("too many requests ahead of their answers");
    } catch (error) {
      return this.#broken(error);
    }
    this.#queue.push(Uint8Array.from(payload));
    if (!this.#working) void this.#work();
  }

  transportClosed(error: Error | undefined): void {
    if (this.#over) return;
    this.#finish();
    this.#failed(
      error ??
        new GatehouseError({
          code: "unauthenticated",
          op: "ssh.auth",
          message: "the client left before it was authenticated",
          details: this.#facts(),
        }),
    );
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      for (let payload = this.#queue.shift(); payload && !this.#over; payload = this.#queue.shift())
        await this.#receive(payload);
    } catch (error) {
      this.#broken(error);
    }
    this.#working = false;
  }

  async #receive(payload: Uint8Array): Promise<void> {
    switch (payload[0]) {
      case messageNumber.serviceRequest:
        return this.#receiveService(decodeService(payload));
      case messageNumber.userauthRequest:
        if (!this.#serviceAccepted) throw protocolError("an authentication request before its service");
        return this.#receiveRequest(payload);
      case messageNumber.userauthInfoResponse:
        throw protocolError("an answer to no question");
      default:
        throw protocolError(`message number ${payload[0] ?? "none"} before authentication`);
    }
  }

  #receiveService(name: string): void {
    if (name !== authService) {
      const error = protocolError("a service other than authentication was asked for");
      return this.#fail(error, disconnectReason.serviceNotAvailable, "Service not available");
    }
    this.#serviceAccepted = true;
    this.#transport.send(encodeService(messageNumber.serviceAccept, authService));
  }

  async #receiveRequest(payload: Uint8Array): Promise<void> {
    const request = decodeAuthRequest(payload);
    if (++this.#requests > requestsMax) return this.#tooMany();
    // RFC 4252 §5 lets a server disconnect when these change; mixing two users' steps is nobody's honest wish.
    if (request.service !== connectionService || (this.#user !== undefined && request.user !== this.#user))
      throw protocolError("the user or service changed during authentication");
    this.#user = request.user;
    if (!this.#bannerSent && this.#auth.banner !== undefined && this.#auth.banner !== "")
      this.#transport.send(encodeBanner(this.#auth.banner));
    this.#bannerSent = true;

    switch (request.method) {
      case "publickey":
      case hostBoundMethod:
        if (this.#allowed.includes("publickey")) return this.#receivePublicKey(request, payload);
        return this.#refuse(true);
      case "keyboard-interactive":
        if (this.#auth.keyboardInteractive && this.#allowed.includes("keyboard-interactive"))
          return this.#receiveInteractive(request, this.#auth.keyboardInteractive);
        return this.#refuse(true);
      case "none":
        // RFC 4252 §5.2: how a client asks which methods there are.
        return this.#refuse(false);
      default:
        return this.#refuse(true);
    }
  }

  async #receivePublicKey(request: AuthRequest, payload: Uint8Array): Promise<void> {
    const hostBound = request.method === hostBoundMethod;
    const fields = decodePublicKeyFields(request.fields, hostBound);
    const signed = fields.signature !== undefined;
    if (!signed && ++this.#queries > (this.#auth.queriesMax ?? defaults.queriesMax)) return this.#tooMany();
    const attempt = this.#attemptOf(request.user, fields);
    if (!attempt || !this.#proven(fields, payload)) return this.#refuse(signed);
    const decision = await this.#auth.publicKey(attempt);
    if (this.#over) return;
    if (signed) return this.#decide("publickey", decision, attempt);
    if (decision === "refuse") return this.#refuse(false);
    this.#transport.send(encodeKeyAcceptable(fields.algorithm, fields.blob));
  }

  /** Undefined for a key, certificate or algorithm that is not taken. */
  #attemptOf(user: string, fields: PublicKeyFields): PublicKeyAttempt | undefined {
    const { algorithm, signature } = fields;
    try {
      const type = blobType(fields.blob);
      const certified = isCertificateAlgorithm(type);
      if (certified !== isCertificateAlgorithm(algorithm)) return undefined;
      if (!signatureAlgorithms(plainAlgorithm(type)).includes(plainAlgorithm(algorithm))) return undefined;
      const certificate = certified ? parseCertificate(fields.blob) : undefined;
      return {
        user,
        method: "publickey",
        algorithm,
        key: certificate?.key ?? parsePublicKey(fields.blob),
        certificate,
        signed: signature !== undefined,
        flags: signature === undefined ? undefined : signatureFlags(signature),
      };
    } catch (error) {
      if (isGatehouseError(error)) return undefined;
      throw error;
    }
  }

  #proven(fields: PublicKeyFields, payload: Uint8Array): boolean {
    // The host-bound signature names the server it is for: a signature made for another server proves nothing here.
    const { hostKey, signature, algorithm } = fields;
    if (hostKey && !(this.#hostKeyBlob && Buffer.from(hostKey).equals(this.#hostKeyBlob))) return false;
    if (!signature) return true;
    const data = signedData(this.#transport.sessionId, payload.subarray(0, fields.signedBytes));
    return verifySignature(fields.blob, signature, data, { algorithm });
  }

  async #receiveInteractive(
    { user }: AuthRequest,
    decide: NonNullable<ServerAuthOptions["keyboardInteractive"]>,
  ): Promise<void> {
    let decision: AuthDecision;
    try {
      decision = await decide({
        user,
        method: "keyboard-interactive",
        ask: (title, instruction, prompts) => this.#ask(title, instruction, prompts),
      });
    } catch (error) {
      if (!isGatehouseError(error, "cancelled")) throw error;
      // RFC 4256 §3.1: an abandoned conversation gets no answer of its own, but it was a try.
      this.#failures++;
      return;
    }
    if (!this.#over) this.#decide("keyboard-interactive", decision, undefined);
  }

  #ask(title: string, instruction: string, prompts: readonly InteractivePrompt[]): Promise<string[]> {
    if (this.#over || this.#queue.length > 0) return Promise.reject(abandoned());
    this.#transport.send(encodeInfoRequest(title, instruction, prompts));
    return new Promise((resolve, reject) => (this.#answer = { resolve, reject, count: prompts.length }));
  }
  #receiveAnswer(payload: Uint8Array): void {
    const answers = decodeInfoResponse(payload);
    const waiting = this.#answer;
    this.#answer = undefined;
    if (answers.length !== waiting?.count) throw protocolError("not as many answers as prompts");
    waiting.resolve(answers);
  }
  #abandonAnswer(): void {
    const waiting = this.#answer;
    this.#answer = undefined;
    waiting?.reject(abandoned());
  }

  #decide(method: AuthMethod, decision: AuthDecision, attempt: PublicKeyAttempt | undefined): void {
    if (decision === "refuse") return this.#refuse(true);
    this.#passed = [...this.#passed, method];
    this.#publicKey = attempt ?? this.#publicKey;
    if (decision !== "accept") {
      this.#allowed = decision.next;
      this.#transport.send(encodeAuthFailure(this.#allowed, true));
      return;
    }
    this.#finish();
    this.#transport.send(Uint8Array.of(messageNumber.userauthSuccess));
    this.#succeeded({ user: this.#user ?? "", publicKey: this.#publicKey, methods: this.#passed });
  }

  #refuse(counts: boolean): void {
    if (counts && ++this.#failures >= (this.#auth.failuresMax ?? defaults.failuresMax))
      return this.#tooMany();
    this.#transport.send(encodeAuthFailure(this.#allowed, false));
  }
  #tooMany(): void {
    const error = new GatehouseError({
      code: "unauthenticated",
      op: "ssh.auth",
      message: "too many authentication failures",
      details: this.#facts(),
    });
    this.#fail(error, disconnectReason.noMoreAuthMethods, "Too many authentication failures");
  }
  #facts() {
    return { user: this.#user ?? "", failures: this.#failures };
  }

  #broken(error: unknown): void {
    if (isGatehouseError(error, "protocol"))
      return this.#fail(error, disconnectReason.protocolError, error.message);
    // The decision itself failed: nobody gets in, and the peer is not told why.
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#fail(cause, disconnectReason.byApplication, "Authentication is not possible now");
  }
  #fail(error: Error, reason: number, message: string): void {
    if (this.#over) return;
    this.#finish();
    this.#transport.disconnect(reason, message);
    this.#failed(error);
  }
  #finish(): void {
    this.#over = true;
    this.#grace.cancel();
    this.#queue = [];
    this.#abandonAnswer();
  }
}

function abandoned(): GatehouseError {
  return new GatehouseError({
    code: "cancelled",
    op: "ssh.auth.ask",
    message: "the client gave up the conversation",
  });
}
