import { type ErrorCode, isGatehouseError } from "@gatehouse/kernel";

/** What the command's end says to a script. They are documented in the help and stay. */
export const exitCodes = {
  ok: 0,
  /** Something failed, or did not verify. */
  failed: 1,
  /** The command line was wrong; nothing was done. */
  usage: 2,
  /** Nobody is signed in, or they may not. */
  denied: 3,
  notFound: 4,
  /** The gateway, or something it needs, does not answer. */
  unavailable: 5,
  /** Ended by Ctrl-C, as a shell reports it. */
  interrupted: 130,
} as const;

const byCode: Partial<Record<ErrorCode, number>> = {
  unauthenticated: exitCodes.denied,
  denied: exitCodes.denied,
  not_found: exitCodes.notFound,
  unavailable: exitCodes.unavailable,
  timeout: exitCodes.unavailable,
  recording_unavailable: exitCodes.unavailable,
  cancelled: exitCodes.interrupted,
};

/** Ends with a code, when everything there is to say was said. */
export class SilentExit extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof SilentExit) return error.exitCode;
  if (isGatehouseError(error)) {
    if (error.op.startsWith("cli.usage")) return exitCodes.usage;
    return byCode[error.code] ?? exitCodes.failed;
  }
  return exitCodes.failed;
}
