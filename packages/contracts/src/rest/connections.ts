import { z } from "zod";
import { time } from "./shapes.ts";

/** Where clients of one target come in, and what they say there. */
export const entrance = z
  .object({
    protocol: z.string(),
    host: z.string(),
    port: z.number().int(),
    user: z.string().meta({ description: "`<login>+<target>`" }),
    certificate: z.string().meta({ description: "PEM: what the client trusts the gate by" }),
  })
  .meta({ id: "Entrance" });
export type Entrance = z.infer<typeof entrance>;

/**
 * `POST /targets/{id}/logins/{login}/connection`: what a client that knows only user names and passwords needs to get
 * through the gate. The password is shown once and is good for new connections until `expiresAt`.
 */
export const connection = entrance
  .extend({ password: z.string(), expiresAt: time })
  .meta({ id: "Connection" });
export type Connection = z.infer<typeof connection>;
