import { z } from "zod";

/** `POST /credentials/rekey`. */
export const rekeyed = z
  .object({
    keyId: z.string().meta({ description: "Names the key that seals now; it is not the key" }),
    resealed: z.int().meta({ description: "Secrets that were sealed anew" }),
    keysDropped: z.int().meta({ description: "Keys that are gone from the gate, since nothing needs them" }),
    unreadable: z.array(z.string()).meta({
      description: "What could not be opened, and stays under its key; no key is dropped then",
    }),
  })
  .meta({ id: "Rekeyed" });
export type Rekeyed = z.infer<typeof rekeyed>;
