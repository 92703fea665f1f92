import { z } from "zod";
import { accessPolicy } from "./access.ts";
import { id, pageQuery, time } from "./shapes.ts";

const targetName = z
  .string()
  .min(1)
  .max(128)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    "letters, digits, dot, dash and underscore, beginning with a letter or digit",
  );
const login = z.string().min(1).max(128);
const grants = {
  allowRoles: z.array(z.string().max(64)).max(64),
  allowUsers: z.array(z.string().max(128)).max(1000).meta({ description: "Names of people" }),
};

/** What a target permits beyond a shell, or statements. */
export const permitNames = [
  "localForward",
  "remoteForward",
  "agentForward",
  "x11Forward",
  "localFiles",
  "replication",
] as const;
export type PermitName = (typeof permitNames)[number];
const permits = z
  .object({
    localForward: z.boolean(),
    remoteForward: z.boolean(),
    agentForward: z.boolean(),
    x11Forward: z.boolean(),
    localFiles: z.boolean().meta({ description: "LOAD DATA LOCAL reads files of the client's" }),
    replication: z.boolean().meta({ description: "The server's whole data may be copied (PostgreSQL)" }),
  } satisfies Record<PermitName, z.ZodBoolean>)
  .partial()
  .meta({ description: "Those that the target's protocol has" });

export const targetLogin = z
  .object({
    name: z.string(),
    credential: z
      .enum(["none", "password", "private-key", "certificate"])
      .meta({ description: "What the gate proves itself with. The secret itself is never given out." }),
    credentialSetAt: time.nullable(),
  })
  .meta({ id: "TargetLogin" });
export type TargetLogin = z.infer<typeof targetLogin>;

export const hostKey = z
  .object({
    algorithm: z.string(),
    fingerprint: z.string(),
    publicKey: z.string().meta({ description: "As in known_hosts, without the names" }),
  })
  .meta({ id: "HostKey" });
export type HostKey = z.infer<typeof hostKey>;

export const target = z
  .object({
    id,
    name: z.string(),
    protocol: z.string(),
    host: z.string(),
    port: z.number().int(),
    labels: z.record(z.string(), z.string()),
    allowRoles: grants.allowRoles,
    allowUsers: grants.allowUsers,
    permits,
    access: accessPolicy,
    logins: z.array(targetLogin),
    credentialKinds: z
      .array(z.enum(["password", "private-key", "certificate"]))
      .meta({ description: "What the gate can sign in to it with" }),
    hostTrust: z.object({
      kind: z
        .enum(["none", "pinned", "ca"])
        .meta({ description: "`none`: nothing is trusted yet, so nobody is let through" }),
      keys: z.array(hostKey),
    }),
    createdAt: time,
  })
  .meta({ id: "Target" });
export type Target = z.infer<typeof target>;

export const targetQuery = z.strictObject({
  ...pageQuery,
  q: z.string().max(256).optional().meta({ description: "Part of a name or address" }),
});
export type TargetQuery = z.input<typeof targetQuery>;

const address = {
  host: z.string().min(1).max(255),
  port: z.number().int().min(1).max(65_535),
};
const labels = z.record(z.string().max(64), z.string().max(256));

export const targetCreate = z
  .strictObject({
    name: targetName,
    protocol: z.string().max(32).default("ssh"),
    ...address,
    labels: labels.default({}),
    logins: z.array(login).max(100).default([]),
    allowRoles: grants.allowRoles.default([]),
    allowUsers: grants.allowUsers.default([]),
    permits: permits.default({}),
    access: accessPolicy.default({}).meta({
      description: "Hours, networks, second factor, requests, and four eyes on recordings",
    }),
  })
  .meta({ id: "TargetCreate" });
export type TargetCreate = z.input<typeof targetCreate>;

export const targetUpdate = z
  .strictObject({
    host: address.host.optional(),
    port: address.port.optional(),
    labels: labels.optional(),
    logins: z
      .array(login)
      .max(100)
      .optional()
      .meta({ description: "The whole list; a login that goes takes its credential with it" }),
    allowRoles: grants.allowRoles.optional(),
    allowUsers: grants.allowUsers.optional(),
    permits: permits.optional(),
    access: accessPolicy.optional().meta({ description: "The whole of it" }),
  })
  .meta({ id: "TargetUpdate" });
export type TargetUpdate = z.input<typeof targetUpdate>;

/** `PUT /targets/{id}/logins/{login}/credential`: written, never read back. */
export const credentialWrite = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("password"), password: z.string().min(1).max(4096) }),
    z.strictObject({
      kind: z.literal("private-key"),
      privateKey: z.string().min(1).max(65_536).meta({
        description:
          "PEM or OpenSSH format; for a database the certificate with its chain and the key, in PEM",
      }),
      passphrase: z.string().max(4096).optional(),
      password: z
        .string()
        .min(1)
        .max(4096)
        .optional()
        .meta({ description: "For a database that asks for both, the certificate and a password" }),
    }),
    z.strictObject({ kind: z.literal("certificate") }).meta({
      description:
        "No secret: the gate signs a short-lived certificate of its own SSH user CA for each connection",
    }),
  ])
  .meta({ id: "CredentialWrite" });
export type CredentialWrite = z.infer<typeof credentialWrite>;

/** `POST /targets/{id}/host-keys/scan`: what the target shows now. Nothing is trusted by it. */
export const hostScan = z
  .object({ scannedAt: time, address: z.string(), keys: z.array(hostKey) })
  .meta({ id: "HostScan" });
export type HostScan = z.infer<typeof hostScan>;

/** `PUT /targets/{id}/host-keys`: the explicit act of trust. */
export const hostTrust = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("pinned"),
      keys: z
        .array(z.string().min(1).max(16_384))
        .max(32)
        .meta({ description: "Public keys; the whole list. Empty withdraws trust." }),
    }),
    z.strictObject({
      kind: z.literal("ca"),
      keys: z
        .array(z.string().min(1).max(16_384))
        .min(1)
        .max(32)
        .meta({ description: "Public keys of the host CAs" }),
    }),
  ])
  .meta({ id: "HostTrust" });
export type HostTrust = z.infer<typeof hostTrust>;
