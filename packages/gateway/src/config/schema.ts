import { z } from "zod";
import { retentionRules } from "./retention.ts";
import { address, duration, size } from "./units.ts";

/** A key with its default, as it would be written in the file, and what it is for. */
const key = <S extends z.ZodType>(schema: S, description: string) => schema.describe(description);

/** The name of a gateway stands in file names, object keys and manifests. */
const gatewayId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
    error: "expected 1 to 63 lower-case letters, digits and hyphens, the first no hyphen",
  })
  .meta({ expected: "1 to 63 lower-case letters, digits and hyphens" });

/** `age1...` (age-encryption.org/v1, X25519 recipients), or the gateway's own. */
const recipient = z.string().regex(/^(?:gateway|age1[02-9ac-hj-np-z]{58})$/, {
  error: "expected an age X25519 recipient (age1..., 62 characters), or gateway",
});

/** A section whose every key has a default, so that the section itself may be left out. */
export function section<S extends z.ZodRawShape>(shape: S, description: string) {
  return z
    .strictObject(shape)
    .prefault({} as never)
    .describe(description);
}

/** What every gateway has. Stores and protocols add their own sections (`loadConfig({ sections })`). */
const coreShape = {
  mode: key(
    z.enum(["development", "production"]).default("development"),
    "`production` refuses everything that only a tour or a test may have, and logs JSON.",
  ),
  data_dir: key(
    z.string().min(1).default("data"),
    "Where the gateway keeps its database, keys, journal and, by default, recordings. Relative to the configuration file, or to the working directory where there is none.",
  ),
  gateway_id: key(
    gatewayId.default("gateway-1"),
    "Names this gateway in manifests, audit events and object keys. Different for each gateway that shares a store.",
  ),
  database: section(
    {
      url: key(
        z
          .string()
          .regex(/^postgres(ql)?:\/\//, { error: "expected postgres://user@host:5432/database" })
          .meta({ secret: true, expected: "postgres://user@host:5432/database?sslmode=verify-full" })
          .optional(),
        "A PostgreSQL database, which several gateways may share; each needs its own `gateway_id`, and the same `keys/credentials.key`. `PGPASSWORD` or a password file of libpq keeps the password out of it. Left out: an embedded database in `data_dir`.",
      ),
      connections: key(
        z.int().min(1).max(200).default(10),
        "At most so many connections of this gateway to PostgreSQL.",
      ),
    },
    "Where people, targets, sessions and the audit log are kept.",
  ),
  web: section(
    {
      listen: key(address().prefault("127.0.0.1:3080"), "Where the web pages and the API listen."),
      public_url: key(
        z
          .url({ protocol: /^https?$/, error: "expected an http or https URL" })
          .refine(
            (url) => !URL.canParse(url) || new URL(url).pathname === "/",
            "expected an origin, without a path",
          )
          .meta({ expected: "an http or https URL without a path" })
          .optional(),
        "How browsers reach the web pages, such as https://gate.example.com. Left out: http:// and `web.listen`.",
      ),
      session_lifetime: key(
        duration({ min: "1m", max: "30d" }).prefault("12h"),
        "How long a sign-in to the web pages or a command line lasts at most.",
      ),
      session_idle: key(
        duration({ min: "1m", max: "30d" }).prefault("4h"),
        "A sign-in that was not used for so long is over.",
      ),
    },
    "The web pages and the API.",
  ),
  sign_in: section(
    {
      passwords: key(
        z.boolean().default(true),
        "Whether people may sign in by name and password. One-time links always work.",
      ),
      second_factor: key(
        z.enum(["optional", "required"]).default("optional"),
        "Whether whoever signs in by a password or a link must have a second factor. Whoever has one is always asked.",
      ),
    },
    "How people sign in to the web pages and the command line.",
  ),
  recording: section(
    {
      outage_tolerance: key(
        duration({ max: "7d" }).prefault("0s"),
        "For how long after the store of recordings has failed new sessions are still admitted; `0s` refuses at once. Live sessions always go on while this machine has room for them, and everything is sent when the store answers again.",
      ),
      retention: key(
        duration({ min: "0s", max: "36500d" }).prefault("365d"),
        "How long a recording can be neither changed nor removed after its session. Then it is removed.",
      ),
      retention_rules: key(
        retentionRules,
        "Other retentions, for some targets: `{targets: [web-01], keep: 30d}`, `{labels: {env: [prod]}, keep: 1825d}`. Of several that fit, the longest counts. What is in force when a session begins holds for its recording for good.",
      ),
      sweep_every: key(
        duration({ min: "1s", max: "7d" }).prefault("10m"),
        "How often it is looked for recordings whose retention is over, which are then removed.",
      ),
      check_every: key(
        duration({ min: "1m" }).prefault("30d"),
        "How often each stored recording is read again and verified. The first time is soon after its session.",
      ),
      check_rate: key(
        size({ min: "64 KiB", max: "16 GiB" }).prefault("8 MiB"),
        "How much of the store is read in a second for that, on average.",
      ),
      exec_limit: key(
        size({ max: "16 TiB" }).prefault("16 MiB"),
        "How much of each stream of a command without a terminal is kept as bytes. Beyond it a running digest and a byte count are kept.",
      ),
      recipients: key(
        z.array(recipient).max(16).default([]),
        "age recipients who may open recordings; `gateway` is the gateway's own key, made at the first start, so that it can play them. Empty: `gateway` alone, or nobody where `kms` names a key.",
      ),
      input_recipients: key(
        z.array(recipient).max(16).default([]),
        "age recipients who may open what people typed, and `gateway`. Empty, and no `input_key` in `kms`: whoever may open recordings.",
      ),
      segment: section(
        {
          size: key(
            size({ min: "4 KiB", max: "64 MiB" }).prefault("1 MiB"),
            "A segment is sealed at this size.",
          ),
          age: key(
            duration({ min: "100ms", max: "1h" }).prefault("15s"),
            "A segment is sealed at this age, so that it is elsewhere soon.",
          ),
        },
        "Segments: the objects that recordings are stored as.",
      ),
      journal: section(
        {
          capacity: key(
            size({ min: "4 MiB", max: "1 TiB" }).prefault("512 MiB"),
            "Room for what is not yet safe in the store; taken from the disk at the start. When it is full, sessions are refused.",
          ),
          reserve: key(
            size({ min: "64 KiB", max: "1 GiB" }).prefault("1 MiB"),
            "Room that a session must get before it is admitted.",
          ),
        },
        "The journal: where a frame is committed before its bytes go on.",
      ),
      commit: section(
        {
          delay: key(
            duration({ max: "100ms" }).prefault("0s"),
            "How long a commit waits for company. 0s commits at once when idle, and gathers while a commit is in flight.",
          ),
          size: key(
            size({ min: "4 KiB", max: "16 MiB" }).prefault("256 KiB"),
            "A commit is not made larger than this by waiting frames.",
          ),
        },
        "Group commit of the journal.",
      ),
    },
    "Recording. There is no key that turns it off.",
  ),
  sessions: section(
    {
      idle_timeout: key(
        duration({ min: "1s" }).prefault("30m"),
        "A session ends when nothing passed either way for so long.",
      ),
      max_duration: key(duration({ min: "1s" }).prefault("12h"), "A session ends at this age."),
      ending_grace: key(
        duration({ max: "10m" }).prefault("5s"),
        "How long a session that must end has to say so to the person before it is cut off.",
      ),
    },
    "Limits of every session, whatever its protocol.",
  ),
  audit: section(
    {
      retention: key(
        duration({ min: "1s", max: "36500d" }).prefault("1095d"),
        "How long the audit log keeps an event. It is never removed before the recording of its session.",
      ),
      session_retention: key(
        duration({ min: "1s", max: "36500d" }).prefault("1095d"),
        "How long it is known of a session who, when and on what, after its end. It is never removed before its recording, nor while that is held.",
      ),
    },
    "How long is kept what is known of sessions, and who did what.",
  ),
  moderation: section(
    {
      notify: key(z.boolean().default(true), "Whether a person is told who looks on at their session."),
      pause_limit: key(
        duration({ max: "7d" }).prefault("30m"),
        "A pause of somebody's input ends by itself after so long. 0s: it lasts until somebody ends it.",
      ),
      pause_end: key(
        z.enum(["resume", "terminate"]).default("resume"),
        "What then happens: input passes again, or the session is ended.",
      ),
      request_wait: key(
        duration({ max: "1h" }).prefault("1m"),
        "How long a request, such as a statement to a database, waits while input is paused. Then it is answered with an error.",
      ),
      warning_grace: key(
        duration({ min: "1s", max: "1h" }).prefault("30s"),
        "From a warning to the end of the session, where nothing else was said.",
      ),
    },
    "Looking on, pausing and ending other people's sessions.",
  ),
  demo: section(
    {
      enabled: key(
        z.boolean().default(false),
        "Offers a target on this machine for the first tour. Refused in production.",
      ),
    },
    "The demo target.",
  ),
  log: section(
    {
      level: key(
        z.enum(["debug", "info", "warn", "error"]).default("info"),
        "The least severe line that the operational log keeps.",
      ),
      format: key(
        z.enum(["auto", "json", "text"]).default("auto"),
        "`auto`: JSON in production, readable lines in development.",
      ),
    },
    "The operational log, on standard error. It is not the audit log.",
  ),
} as const;

export type CoreConfig = z.output<z.ZodObject<typeof coreShape>>;

/** What plug-ins add: top-level sections by name. */
export type Sections = Readonly<Record<string, z.ZodType>>;
export type Config<S extends Sections = {}> = CoreConfig & { [K in keyof S]: z.output<S[K]> };

/** The whole schema: the core's keys and those of the plug-ins. */
export function configSchema(sections: Sections): z.ZodObject {
  return z.strictObject({ ...coreShape, ...sections });
}

/** Rules that concern more than one key. */
export function crossChecks(config: CoreConfig): readonly { path: readonly string[]; message: string }[] {
  const findings: { path: readonly string[]; message: string }[] = [];
  if (config.mode === "production" && config.demo.enabled)
    findings.push({ path: ["demo", "enabled"], message: "expected false when mode is production" });
  if (config.mode === "production" && config.database.url !== undefined && isUnprotected(config.database.url))
    findings.push({
      path: ["database", "url"],
      message: "expected sslmode=verify-full when mode is production, for a database on another machine",
    });
  if (config.sessions.ending_grace.ms >= config.sessions.max_duration.ms)
    findings.push({
      path: ["sessions", "ending_grace"],
      message: "expected less than sessions.max_duration",
    });
  if (config.recording.journal.reserve.bytes > config.recording.journal.capacity.bytes / 2)
    findings.push({
      path: ["recording", "journal", "reserve"],
      message: "expected at most half of recording.journal.capacity",
    });
  return findings;
}

/** Whether what goes to the database could be read or answered by somebody on the way. */
function isUnprotected(url: string): boolean {
  // A path as host is a socket on this machine; an address that cannot be read is refused when it is opened.
  if (!URL.canParse(url)) return false;
  const { hostname, searchParams } = new URL(url);
  const isHere = ["", "localhost", "127.0.0.1", "[::1]"].includes(hostname) || hostname.startsWith("%2F");
  return !isHere && searchParams.get("sslmode") !== "verify-full";
}
