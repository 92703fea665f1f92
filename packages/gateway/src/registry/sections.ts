import { grpcSection } from "../api/grpc/mod.ts";
import { oidcSection } from "../identity/mod.ts";
import { clientCertificatesSection } from "../passage/mod.ts";
import { kmsSection } from "./kms.ts";
import { protocolSections } from "./protocols.ts";
import { storeSection } from "./stores.ts";

/** What plug-ins add to the configuration. */
export const configSections = {
  ...protocolSections,
  client_certificates: clientCertificatesSection,
  store: storeSection,
  grpc: grpcSection,
  oidc: oidcSection,
  kms: kmsSection,
} as const;
