import { z } from "zod";
import { roleName } from "./access.ts";
import { id, pageQuery, time } from "./shapes.ts";

const roles = z.array(roleName).max(32);
/** A person's name is part of addresses and of audit events: no white space, no separators. */
const personName = z
  .string()
  .min(1)
  .max(128)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]*$/,
    "letters, digits, dot, dash, underscore and @, beginning with a letter or digit",
  );

export const person = z
  .object({
    id,
    name: z.string(),
    displayName: z.string().nullable(),
    roles: z.array(z.string()),
    disabled: z.boolean(),
    createdAt: time,
    sshKeys: z.number().int().meta({ description: "How many keys are registered" }),
    lastSeenAt: time.nullable(),
  })
  .meta({ id: "Person" });
export type Person = z.infer<typeof person>;

export const personQuery = z.strictObject({
  ...pageQuery,
  q: z.string().max(256).optional().meta({ description: "Part of a name" }),
});
export type PersonQuery = z.input<typeof personQuery>;

export const personCreate = z
  .strictObject({
    name: personName,
    displayName: z.string().max(256).optional(),
    roles: roles.default(["user"]),
  })
  .meta({ id: "PersonCreate" });
export type PersonCreate = z.input<typeof personCreate>;

export const personUpdate = z
  .strictObject({
    displayName: z.string().max(256).nullable().optional(),
    roles: roles.optional(),
    disabled: z.boolean().optional(),
  })
  .meta({ id: "PersonUpdate" });
export type PersonUpdate = z.input<typeof personUpdate>;

export const sshKey = z
  .object({
    id,
    fingerprint: z.string().meta({ description: "`SHA256:…`, as ssh-keygen -l prints it" }),
    algorithm: z.string(),
    comment: z.string(),
    publicKey: z.string().meta({ description: "As in a .pub file, without the comment" }),
    addedAt: time,
    lastUsedAt: time.nullable(),
  })
  .meta({ id: "SshKey" });
export type SshKey = z.infer<typeof sshKey>;

export const sshKeyAdd = z
  .strictObject({
    publicKey: z
      .string()
      .min(1)
      .max(16_384)
      .meta({ description: "One line of an authorized_keys file or a .pub file" }),
  })
  .meta({ id: "SshKeyAdd" });
export type SshKeyAdd = z.infer<typeof sshKeyAdd>;
