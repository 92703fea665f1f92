import type { SessionFacts } from "../frame.ts";
import { sessionFacts } from "../session-facts.ts";
import { integer, object, oneOf, type Shaped, text } from "../shape.ts";
import { payloadOf } from "./payload.ts";

/** Texts that come from people and programs; what does not fit was never one packet. */
const line = text({ charsMax: 262_144 });
const name = text({ charsMax: 1_024 });
const person = object({ id: name, name });
const exitStatus = integer(0, 0xffff_ffff);

const sessionEnd = object({ reason: name }, { detail: line, exitStatus, exitSignal: name, user: person });
export type SessionEnd = Shaped<typeof sessionEnd>;

const count = integer(0, Number.MAX_SAFE_INTEGER);
const pause = object({ user: person }, { reason: line, limitMs: count, discardedBytes: count });
/** Of `pause` and of `resume`. */
export type Pause = Shaped<typeof pause>;

const watch = object({ user: person, mode: oneOf("observer", "peer", "moderator") });
/** Of `join` and of `leave`. */
export type Watch = Shaped<typeof watch>;

const terminate = object({ user: person, reason: line }, { warning: line, graceMs: count });
export type Terminate = Shaped<typeof terminate>;

const chainBreak = object({ why: line });
export type ChainBreak = Shaped<typeof chainBreak>;

const startPayload = payloadOf<SessionFacts>("session.start", sessionFacts);
const endPayload = payloadOf<SessionEnd>("session.end", sessionEnd);
const pausePayload = payloadOf<Pause>("pause", pause);
const watchPayload = payloadOf<Watch>("join", watch);
const terminatePayload = payloadOf<Terminate>("terminate", terminate);
const breakPayload = payloadOf<ChainBreak>("break", chainBreak);

export const encodeSessionStart = startPayload.encode;
export const decodeSessionStart = startPayload.decode;
export const encodeSessionEnd = endPayload.encode;
export const decodeSessionEnd = endPayload.decode;
export const encodePause = pausePayload.encode;
export const decodePause = pausePayload.decode;
export const encodeWatch = watchPayload.encode;
export const decodeWatch = watchPayload.decode;
export const encodeTerminate = terminatePayload.encode;
export const decodeTerminate = terminatePayload.decode;
export const encodeBreak = breakPayload.encode;
export const decodeBreak = breakPayload.decode;
