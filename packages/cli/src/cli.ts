import type { Clock } from "@gatehouse/kernel";

/** What every command stands on. Passed in, so that a command reaches no global. */
export type Cli = {
  /** The name that the person typed: `gatehouse` or `tsh`. */
  command: string;
  env: Readonly<Record<string, string | undefined>>;
  workingDirectory: string;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  clock: Clock;
  /** Aborts on SIGINT, SIGTERM and SIGHUP; a command gives back what it took and ends. */
  signal: AbortSignal;
  /** A program of somebody else has the terminal, and SIGINT is for it, until what comes back is called. */
  lendTerminal(): () => void;
};
