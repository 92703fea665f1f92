import { z } from "zod";
import { address, duration, section } from "../../config/mod.ts";
import { certificateKeys } from "../../passage/mod.ts";

/** The `ssh` section of the configuration. */
export const sshSection = section(
  {
    listen: address().prefault("127.0.0.1:3022").describe("Where SSH clients connect."),
    public_address: address()
      .optional()
      .describe("How SSH clients reach the gate, such as gate.example.com:22. Left out: `ssh.listen`."),
    host_keys: z
      .array(z.string().min(1))
      .max(8)
      .default([])
      .describe("Files of host keys in the folder `keys` of `data_dir`. Empty: one made at the first start."),
    allowed_env: z
      .array(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}\*?$/, {
          error: "expected a variable's name, which may end in * for every name that begins so",
        }),
      )
      .max(64)
      .default(["LANG", "LC_*", "TERM", "COLORTERM", "TZ"])
      .describe("Environment variables that a client may set on the target; a name may end in *."),
    certificates: section(certificateKeys, "Certificates for people's own keys, made by `gatehouse login`."),
    keepalive: section(
      {
        interval: duration({ min: "1s", max: "1h" })
          .prefault("30s")
          .describe("A silent peer is asked for a sign of life this often."),
        tries: z
          .int()
          .min(1)
          .max(20)
          .default(3)
          .describe("A peer that leaves so many questions unanswered is gone."),
      },
      "Keepalive on both legs.",
    ),
    handshake: section(
      {
        timeout: duration({ min: "1s", max: "5m" })
          .prefault("60s")
          .describe("A connection that has not authenticated by then is closed."),
        attempts: z.int().min(1).max(20).default(6).describe("Refused keys before a connection is closed."),
      },
      "Limits before a person is known.",
    ),
    max_connections: z.int().min(1).max(100_000).default(4096).describe("Connections at one time."),
    max_unauthenticated: z
      .int()
      .min(1)
      .max(100_000)
      .default(256)
      .describe("Connections at one time whose person is not known yet; the oldest makes room."),
  },
  "SSH.",
);
export type SshConfig = z.output<typeof sshSection>;
