import { Code, ConnectError } from "@connectrpc/connect";
import { ProblemSchema } from "@gatehouse/contracts/grpc";
import { type ErrorCode, isGatehouseError } from "@gatehouse/kernel";
import { ZodError } from "zod";

const codeOf: Record<ErrorCode, Code> = {
  invalid: Code.InvalidArgument,
  too_large: Code.ResourceExhausted,
  unauthenticated: Code.Unauthenticated,
  denied: Code.PermissionDenied,
  not_found: Code.NotFound,
  rate_limited: Code.ResourceExhausted,
  conflict: Code.FailedPrecondition,
  unavailable: Code.Unavailable,
  recording_unavailable: Code.Unavailable,
  corrupt: Code.DataLoss,
  timeout: Code.DeadlineExceeded,
  cancelled: Code.Canceled,
  protocol: Code.Unknown,
  internal: Code.Internal,
};

/** What the caller is told. What is a fault of ours is told without its words, which may name a path or a statement. */
export function failureOf(error: unknown, log: (error: unknown) => void): ConnectError {
  if (error instanceof ConnectError) return error;
  if (error instanceof ZodError) {
    const issues = error.issues.map(({ path, message }) => `${path.join(".") || "request"}: ${message}`);
    return problem(issues.join("; "), "invalid");
  }
  if (isGatehouseError(error) && error.code !== "internal")
    return problem(error.message, error.code, error.hint);
  log(error);
  return problem("the gateway could not do this because of a fault of its own", "internal");
}

function problem(message: string, code: ErrorCode, hint = ""): ConnectError {
  return new ConnectError(message, codeOf[code], undefined, [{ desc: ProblemSchema, value: { code, hint } }]);
}
