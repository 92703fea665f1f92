import { z } from "zod";
import { requestPolicy, roleName } from "./rest/access.ts";
import { personCreate } from "./rest/people.ts";
import { roleWrite } from "./rest/roles.ts";
import { targetCreate } from "./rest/targets.ts";
import { teamCreate } from "./rest/teams.ts";

/**
 * What `gatehouse apply` takes and `gatehouse get` gives: one document for each thing, with `kind` and `name`. A field that
 * stands in none of them is a secret or the work of people (sign-ins, requests, locks), and is never declared.
 */

const names = z.array(z.string().min(1).max(128)).max(1000).default([]);

const role = roleWrite.extend({
  kind: z.literal("role"),
  name: roleName,
  requests: requestPolicy
    .optional()
    .meta({ description: "On which terms it can be asked for. Left out: it cannot" }),
});

const user = personCreate.extend({
  kind: z.literal("user"),
  disabled: z.boolean().optional().meta({ description: "Left out: as it is" }),
  sshKeys: z
    .array(z.string().min(1).max(16_384))
    .max(100)
    .optional()
    .meta({ description: "Public keys, all of them. Left out: as they are" }),
});

const team = teamCreate.extend({ kind: z.literal("team"), members: names, leads: names });

const login = z.strictObject({
  name: z.string().min(1).max(128),
  credential: z
    .enum(["certificate", "password", "private-key"])
    .optional()
    .meta({ description: "Left out: as it is" }),
  from: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .meta({ description: "The file with the secret, seen from this one; read when the gate has none yet" }),
});

const target = targetCreate.extend({
  kind: z.literal("target"),
  port: z.int().min(1).max(65_535).optional().meta({ description: "Left out: the protocol's own" }),
  logins: z.array(login).max(100).default([]),
  permits: targetCreate.shape.permits.unwrap().strict().default({}),
  hostTrust: z
    .strictObject({
      kind: z.enum(["pinned", "ca"]),
      keys: z.array(z.string().min(1).max(16_384)).min(1).max(32),
    })
    .optional()
    .meta({ description: "Public keys or certificates. Left out: as it is" }),
});

/** In the order in which things stand on each other. */
export const declaredSchemas = { role, user, team, target } as const;
export type DeclaredKind = keyof typeof declaredSchemas;
export const declaredKinds = Object.keys(declaredSchemas) as DeclaredKind[];
export type DeclaredOf<K extends DeclaredKind> = z.output<(typeof declaredSchemas)[K]>;
export type Declared = { [K in DeclaredKind]: DeclaredOf<K> }[DeclaredKind];

type Shape = {
  $ref?: string;
  properties?: Record<string, Shape>;
  additionalProperties?: Shape | boolean;
  items?: Shape;
  anyOf?: Shape[];
  oneOf?: Shape[];
  allOf?: Shape[];
};

/** The names of the fields that may stand at a place in a document of this kind. */
export function declaredFields(kind: DeclaredKind, path: readonly PropertyKey[]): string[] {
  const whole = z.toJSONSchema(declaredSchemas[kind], { io: "input", unrepresentable: "any" }) as Shape & {
    $defs?: Record<string, Shape>;
  };
  const open = (shape: Shape): Shape[] => {
    const named = shape.$ref === undefined ? undefined : whole.$defs?.[shape.$ref.split("/").at(-1) ?? ""];
    const inside = [named, ...(shape.anyOf ?? []), ...(shape.oneOf ?? []), ...(shape.allOf ?? [])];
    return [shape, ...inside.flatMap((one) => (one ? open(one) : []))];
  };
  let here = open(whole);
  for (const step of path)
    here = here
      .flatMap(({ properties, items, additionalProperties: others }) => {
        if (typeof step === "number") return items ? [items] : [];
        return [properties?.[String(step)], typeof others === "object" ? others : undefined];
      })
      .flatMap((one) => (one ? open(one) : []));
  return [...new Set(here.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}
