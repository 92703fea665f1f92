import { z } from "zod";
import { liveState } from "./moderation.ts";
import { id, pageQuery, time } from "./shapes.ts";

export const sessionStates = ["live", "ended", "interrupted"] as const;
export const recordingStates = [
  "recording",
  "shipping",
  "stored",
  "interrupted",
  "corrupt",
  "expired",
  "held",
] as const;

/** One session: who, from where, to what, when, how it ended, and the honest state of its recording. */
export const session = z
  .object({
    id,
    state: z.enum(sessionStates),
    protocol: z.string(),
    kind: z.string().meta({ description: "`shell`, `exec`, `sftp`, `scp`, `forward`" }),
    track: z.enum(["terminal", "exec", "files", "forward", "query", "http", "desktop"]),
    user: z.object({ id: z.string(), name: z.string() }),
    login: z.string().meta({ description: "The account on the target" }),
    target: z.object({ id: z.string(), name: z.string(), address: z.string() }),
    remoteAddress: z.string(),
    connectionId: z.string(),
    client: z.string().nullable().meta({ description: "The client's own identification" }),
    gatewayId: z.string(),
    command: z.string().nullable(),
    admission: z
      .object({
        rule: z.string().meta({ description: "The rule of access that allowed it" }),
        requestId: z.string().nullable().meta({
          description: "The approved access request without which it would not have been allowed",
        }),
        playbackApprovals: z.number().int().meta({
          description: "How many others must approve before its recording is opened",
        }),
        watermark: z.boolean().meta({ description: "Whoever sees it has to see their own name over it" }),
      })
      .nullable()
      .meta({ description: "Why it was let in, and what its target demanded at that moment" }),
    startedAt: time,
    endedAt: time.nullable(),
    durationMs: z.number().nullable(),
    end: z
      .object({
        reason: z.string(),
        detail: z.string().nullable(),
        exitStatus: z.number().int().nullable(),
        exitSignal: z.string().nullable(),
      })
      .nullable(),
    live: liveState.nullable().meta({ description: "Null where it is not live on this gateway" }),
    recording: z.object({
      state: z.enum(recordingStates).meta({
        description:
          "`recording`: in the gateway's journal; `shipping`: sealed, and not yet confirmed in the store; `stored`: in the store, read back and compared; `interrupted`: the gateway stopped meanwhile, and it is not yet in the store; `corrupt`: not all of it can be vouched for; `held`: stored, and kept beyond its retention; `expired`: removed after its retention",
      }),
      frames: z.number().int().nullable(),
      bytes: z.number().int().nullable().meta({ description: "Bytes in the store" }),
      headSha256: z
        .string()
        .nullable()
        .meta({ description: "Hex; the chain's head that the manifest signs" }),
      detail: z.string().nullable().meta({ description: "Why, when corrupt" }),
    }),
  })
  .meta({ id: "Session" });
export type Session = z.infer<typeof session>;

/** `GET /sessions`: newest first. Every filter narrows. */
export const sessionQuery = z.strictObject({
  ...pageQuery,
  user: z.string().max(256).optional().meta({ description: "Name or id of the person" }),
  target: z.string().max(256).optional().meta({ description: "Name or id of the target" }),
  login: z.string().max(256).optional(),
  protocol: z.string().max(32).optional(),
  kind: z.string().max(32).optional(),
  state: z.enum(sessionStates).optional(),
  recording: z.enum(recordingStates).optional(),
  from: time.optional().meta({ description: "Started at this time or later" }),
  to: time.optional().meta({ description: "Started before this time" }),
  q: z
    .string()
    .max(256)
    .optional()
    .meta({ description: "Part of a person, login, target, address or command" }),
});
export type SessionQuery = z.input<typeof sessionQuery>;
