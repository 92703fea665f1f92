import { messageOf } from "@gatehouse/kernel";
import type { ServiceFault } from "../object-service.ts";
import { codeOfStatus, networkName } from "../service-fault.ts";

/** Google's errors: cloud.google.com/storage/docs/json_api/v1/status-codes. */
export function gcsFault(error: unknown): ServiceFault {
  const { code, errors, name } = error as {
    code?: unknown;
    errors?: { reason?: string }[];
    name?: string;
  };
  const status = typeof code === "number" ? code : undefined;
  const reason = errors?.[0]?.reason;
  const fault = (is: ServiceFault["code"], hint?: string): ServiceFault => ({
    code: is,
    name: networkName(error) ?? reason ?? name ?? "Error",
    status,
    message: messageOf(error),
    hint,
  });
  if (/Could not load the default credentials/.test(messageOf(error)))
    return fault(
      "denied",
      "No credentials were found: see Google's application default credentials (environment, file, metadata server).",
    );
  if (status === 404 && /bucket does not exist/i.test(messageOf(error)))
    return fault("unavailable", "Create the bucket, or correct `store.bucket`.");
  return fault(codeOfStatus(status));
}
