import { z } from "zod";
import { requestPolicy, roleName, statement } from "./access.ts";
import { time } from "./shapes.ts";

/** What people can be, and what it allows. The built-in ones are what they are; the others are the operator's. */
export const role = z
  .object({
    name: roleName,
    description: z.string(),
    builtIn: z.boolean().meta({ description: "Its rights are the program's own, and cannot be changed" }),
    statements: z.array(statement).meta({ description: "Empty for a built-in one" }),
    requests: requestPolicy
      .nullable()
      .meta({ description: "On which terms it can be asked for, for a time. Null: nobody can" }),
    updatedAt: time.nullable(),
  })
  .meta({ id: "Role" });
export type Role = z.infer<typeof role>;

/** `PUT /roles/{name}`: the whole of it. */
export const roleWrite = z
  .strictObject({
    description: z.string().max(1000).default(""),
    statements: z
      .array(statement)
      .max(100)
      .default([])
      .meta({ description: "None: a name for people, which targets and policies can mean" }),
  })
  .meta({ id: "RoleWrite" });
export type RoleWrite = z.input<typeof roleWrite>;
