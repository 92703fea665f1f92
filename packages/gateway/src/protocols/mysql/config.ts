import { z } from "zod";
import { address, duration, section, size } from "../../config/mod.ts";

const serverVersion = (expected: RegExp, says: string) => z.string().max(60).regex(expected, says);

/** The `mysql` section of the configuration. */
export const mysqlSection = section(
  {
    listen: address()
      .optional()
      .describe("Where MySQL clients connect, such as 127.0.0.1:3307. Left out: nowhere."),
    public_address: address()
      .optional()
      .describe("How clients reach the gate, such as gate.example.com:3307. Left out: `mysql.listen`."),
    server_version: serverVersion(/^\d+\.\d+\.\d+[\w.+-]*$/, "a version such as 8.0.22")
      .default("8.0.22-gatehouse")
      .describe(
        "What the gate tells clients before it knows their target, and so what it can offer them: at most the version of the oldest MySQL target. From 8.0.23 on query attributes pass.",
      ),
    mariadb: z
      .strictObject({
        listen: address()
          .optional()
          .describe(
            "Where MariaDB clients connect, such as 127.0.0.1:3308. Left out: `mysql.listen` serves MariaDB targets too, as a MySQL server.",
          ),
        public_address: address()
          .optional()
          .describe("How clients reach that port. Left out: `mysql.mariadb.listen`."),
        server_version: serverVersion(
          /^(5\.5\.5-)?\d+\.\d+\.\d+[\w.+-]*-MariaDB[\w.+-]*$/,
          "a version such as 10.6.0-MariaDB",
        )
          .default("5.5.5-10.6.0-MariaDB-gatehouse")
          .describe("The same for that port: at most the version of the oldest MariaDB target."),
      })
      .prefault({}),
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
    sign_in_timeout: duration({ min: "1s", max: "5m" })
      .prefault("30s")
      .describe("A connection that has not signed in by then is closed."),
    dial_timeout: duration({ min: "1s", max: "5m" })
      .prefault("10s")
      .describe("For the connection to a target and for the sign-in there, each."),
    statement_limit: size({ min: "64 KiB", max: "1 GiB" })
      .prefault("64 MiB")
      .describe("The largest statement, or set of parameters, that a client may send."),
    max_connections: z
      .int()
      .min(1)
      .max(100_000)
      .default(4096)
      .describe("Connections at one time, on each port."),
    max_unauthenticated: z
      .int()
      .min(1)
      .max(100_000)
      .default(256)
      .describe("Connections at one time whose person is not known yet; more are closed."),
  },
  "MySQL and MariaDB.",
);
export type MysqlConfig = z.output<typeof mysqlSection>;
