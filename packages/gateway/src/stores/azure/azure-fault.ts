import { messageOf } from "@gatehouse/kernel";
import type { ServiceFault } from "../object-service.ts";
import { codeOfStatus, networkName } from "../service-fault.ts";

/** Azure's error codes: learn.microsoft.com/rest/api/storageservices/blob-service-error-codes. */
export function azureFault(error: unknown): ServiceFault {
  const { statusCode, code, name } = error as { statusCode?: number; code?: unknown; name?: string };
  const fault = (is: ServiceFault["code"], hint?: string): ServiceFault => ({
    code: is,
    name: networkName(error) ?? (typeof code === "string" ? code : (name ?? "Error")),
    status: statusCode,
    message: messageOf(error),
    hint,
  });
  if (
    name === "AggregateAuthenticationError" ||
    name === "CredentialUnavailableError" ||
    name === "AuthenticationError"
  )
    return fault(
      "denied",
      "No credentials were found: see Azure's default chain (environment, workload or managed identity).",
    );
  switch (code) {
    case "BlobAlreadyExists":
    case "ConditionNotMet":
      return fault("conflict");
    case "BlobImmutableDueToPolicy":
    case "BlobImmutableDueToLegalHold":
      return fault("denied");
    case "ContainerNotFound":
      return fault("unavailable", "Create the container, or correct `store.container`.");
    default:
      return fault(codeOfStatus(statusCode));
  }
}
