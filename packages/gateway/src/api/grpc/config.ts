import { z } from "zod";
import { address, section } from "../../config/mod.ts";

/** The `grpc` section of the configuration. */
export const grpcSection = section(
  {
    listen: address()
      .optional()
      .describe("Where the gRPC API listens, such as 127.0.0.1:3081; always with TLS. Left out: nowhere."),
    public_address: address()
      .optional()
      .describe("How programs reach it, such as gate.example.com:3081. Left out: `grpc.listen`."),
    certificate: z
      .string()
      .min(1)
      .optional()
      .describe(
        "A file in the folder `keys` of `data_dir` with the certificate chain and its key, PEM. Left out: one made at the first start, which `gatehouse ca grpc` prints.",
      ),
    max_connections: z.int().min(1).max(100_000).default(1024).describe("Connections at one time."),
  },
  "The gRPC API: sessions, recordings and the audit log for programs.",
);
