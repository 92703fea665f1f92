/**
 * ssh/connection: user authentication and channels over an encrypted transport, for both ends of the gate.
 *
 * Owns: RFC 4252 (public keys with certificates and security keys, keyboard-interactive, passwords towards a target),
 * RFC 4254 (channels, requests, windows, keepalive), their limits and their message codecs.
 * Never: encrypts, decides who may enter, knows what a session or a recording is, or buffers without a bound.
 */
export type {
  AcceptConnection,
  AcceptOptions,
  Accepted,
  AuthDecision,
  AuthMethod,
  Channel,
  ChannelEvents,
  ChannelOpening,
  ChannelRequest,
  ClientCredential,
  ConnectionEvents,
  ConnectionLimits,
  DialConnection,
  DialOptions,
  GlobalRequest,
  InteractiveAttempt,
  InteractivePrompt,
  PublicKeyAttempt,
  ServerAuthOptions,
  SshConnection,
  StreamType,
} from "./door.ts";
export { openReason, streamData, streamStderr } from "./door.ts";
export { openFailure } from "./errors.ts";
export { acceptConnection } from "./accept.ts";
export { dialConnection } from "./dial.ts";
export {
  type Address,
  type ExitSignal,
  type ForwardedAddress,
  type PtyRequest,
  type WindowSize,
  decodeDirectTcpip,
  decodeEnv,
  decodeExec,
  decodeExitSignal,
  decodeExitStatus,
  decodeForwardedPort,
  decodeForwardedTcpip,
  decodePty,
  decodeSignal,
  decodeSubsystem,
  decodeTcpipForward,
  decodeWindowChange,
  encodeExitSignal,
  encodeExitStatus,
  encodeForwarded,
  encodeForwardedPort,
} from "./session-requests.ts";
