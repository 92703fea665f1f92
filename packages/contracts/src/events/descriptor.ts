import { z } from "zod";

export const eventCategories = ["authentication", "session", "access", "administrative", "security"] as const;
export type EventCategory = (typeof eventCategories)[number];
export type EventSeverity = "info" | "warning" | "critical";

/**
 * One kind of audit event. Where Teleport has the event, its name and codes are Teleport's (gravitational/teleport,
 * lib/events/api.go and codes.go), so that what reads Teleport's log reads ours; events of our own have codes `GH....`.
 * The last letter of a code tells: I information, W warning, E error, S stop.
 */
export type EventDescriptor = {
  readonly event: string;
  readonly codes: {
    readonly success: string;
    /** For `success: false`; the code of success where Teleport makes no difference. */
    readonly failure?: string;
    /** Others that `codeOf` may give. */
    readonly also?: readonly string[];
  };
  /** Where the code depends on the fields. `undefined`: the code by success. */
  readonly codeOf?: (fields: Readonly<Record<string, unknown>>, success: boolean) => string | undefined;
  readonly category: EventCategory;
  readonly severity: EventSeverity;
  /** One sentence: when it happens. */
  readonly description: string;
  /** The event's own fields, snake_case. Strict: a field that is not here is a secret until somebody classified it. */
  readonly fields: z.ZodObject;
};

export function defineEvent<const D extends EventDescriptor>(descriptor: D): D {
  return descriptor;
}

/**
 * Text that came from outside: cut at its limit and made well-formed rather than refused, because an event that somebody
 * could keep out of the log by a long name would be the one that matters.
 */
export const text = (max = 4096) =>
  z
    .string()
    .overwrite((value) =>
      (value.length <= max
        ? value
        : `${value.slice(0, max - 1).replace(/[\ud800-\udbff]$/, "")}\u2026`
      ).toWellFormed(),
    )
    .max(max);
export const count = () => z.int().nonnegative();
/** SHA-256, lower-case hexadecimal. */
export const sha256 = () => z.string().regex(/^[0-9a-f]{64}$/);
/** ISO 8601, UTC. */
export const instant = () => z.iso.datetime();

/** What every event of a session repeats, so that a log can be read without a join. */
export const sessionFields = {
  /** `ssh`, `postgres`, ... Teleport's `proto`. */
  proto: text(64),
  /** `shell`, `exec`, `sftp`, ... */
  kind: text(64),
  /** The account on the target. */
  login: text(256),
  server_hostname: text(256).optional(),
  /** `host:port` */
  server_addr: text(512).optional(),
} as const;

/** What every event about an access request repeats. */
export const accessRequestFields = {
  request_id: text(64),
  /** Who asked. */
  owner: text(256),
  /** `target`, `role` or `playback`. */
  kind: text(16),
  server_hostname: text(256).optional(),
  /** What is asked for, of `role`. */
  roles: z.array(text(64)).max(1).optional(),
  logins: z.array(text(128)).max(20).optional(),
} as const;

/** What every event about a second factor repeats; Teleport's names. */
export const factorFields = {
  /** Whose it is. */
  owner: text(256),
  mfa_device_uuid: text(64),
  mfa_device_name: text(64),
  /** `totp` or `passkey`. */
  mfa_device_type: text(16),
} as const;

/** What every event about a lock repeats. */
export const lockFields = {
  lock_id: text(64),
  /** `user`, `role`, `target`, `login` or `address`. */
  on: text(16),
  name: text(128),
  reason: text(1000),
} as const;

/** What every event about an operator-defined role repeats. */
export const roleFields = {
  name: text(64),
  /** What it allows: each a statement as `roles show` prints it, in JSON. */
  statements: z.array(text(16_384)).max(100).optional(),
  /** The terms on which it can be asked for, as JSON; `none` where it no longer can. */
  requests: text(16_384).optional(),
} as const;

export const teamFields = {
  team_id: text(64),
  name: text(64),
  /** Names; those who lead are among both. */
  members: z.array(text(256)).max(1000).optional(),
  leads: z.array(text(256)).max(1000).optional(),
} as const;

/** What every event about a token for programs repeats. */
export const apiTokenFields = {
  token_id: text(64),
  name: text(64),
  /** Whose it is. */
  owner: text(256),
  scopes: z.array(text(64)).max(64),
  /** ISO 8601. */
  expires: text(64),
} as const;

export const certificateFields = {
  cert_type: z.literal("user"),
  /** Where the gate takes it: `ssh`, `database`. */
  usage: text(16),
  /** Whose it is. */
  owner: text(256),
  /** As `ssh-keygen -L` prints it. */
  serial: text(20),
  key_fingerprint: text(128),
  /** ISO 8601. */
  expires: text(64),
  /** The only target and login that it opens. */
  server_hostname: text(256).optional(),
  login: text(128).optional(),
} as const;
