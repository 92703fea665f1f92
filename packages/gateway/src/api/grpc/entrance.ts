import type { Clock, Random } from "@gatehouse/kernel";
import type { z } from "zod";
import type { Keyring } from "../../credentials/mod.ts";
import { type GateCertificate, gateCertificate } from "../../passage/mod.ts";
import type { grpcSection } from "./config.ts";

/** Where the API will listen, and the certificate that it will show. Undefined where the configuration opens no port. */
export async function grpcEntrance(options: {
  config: z.output<typeof grpcSection>;
  keyring: Pick<Keyring, "protocolKey" | "givenKey">;
  clock: Clock;
  random: Random;
}): Promise<
  { listen: { host: string; port: number }; tls: GateCertificate; connectionsMax: number } | undefined
> {
  const { listen, public_address, certificate, max_connections } = options.config;
  if (!listen) return undefined;
  const tls = await gateCertificate({
    name: "grpc_certificate",
    given: certificate,
    listen,
    publicHost: public_address?.host,
    keyring: options.keyring,
    clock: options.clock,
    random: options.random,
  });
  return { listen, tls, connectionsMax: max_connections };
}
