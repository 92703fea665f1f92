import { z } from "zod";
import { address, duration, section, size } from "../../config/mod.ts";

/** The `postgres` section of the configuration. */
export const postgresSection = section(
  {
    listen: address()
      .optional()
      .describe("Where PostgreSQL clients connect, such as 127.0.0.1:5433. Left out: nowhere."),
    public_address: address()
      .optional()
      .describe("How clients reach the gate, such as gate.example.com:5433. Left out: `postgres.listen`."),
    certificate: z
      .string()
      .min(1)
      .optional()
      .describe(
        "A file in the folder `keys` of `data_dir` with the gate's certificate chain and its key, PEM. Left out: one made at the first start.",
      ),
    secret_lifetime: duration({ min: "1m", max: "24h" })
      .prefault("15m")
      .describe("How long a connection secret opens new connections; those that are open stay."),
    authentication: z
      .enum(["scram-sha-256", "password"])
      .default("password")
      .describe(
        "How clients are asked for a connection secret: for itself inside TLS, which every client speaks, or by proof that they have it, bound to the gate's certificate where they can.",
      ),
    sign_in_timeout: duration({ min: "1s", max: "5m" })
      .prefault("30s")
      .describe("A connection that has not signed in by then is closed."),
    dial_timeout: duration({ min: "1s", max: "5m" })
      .prefault("10s")
      .describe("For the connection to a target and for the sign-in there, each."),
    statement_limit: size({ min: "64 KiB", max: "1 GiB" })
      .prefault("64 MiB")
      .describe("The largest statement, or set of parameters, that a client may send."),
    max_connections: z.int().min(1).max(100_000).default(4096).describe("Connections at one time."),
    max_unauthenticated: z
      .int()
      .min(1)
      .max(100_000)
      .default(256)
      .describe("Connections at one time whose person is not known yet; more are closed."),
  },
  "PostgreSQL.",
);
export type PostgresConfig = z.output<typeof postgresSection>;
