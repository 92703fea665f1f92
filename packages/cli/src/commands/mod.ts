/**
 * commands: what can be typed, one file each.
 *
 * Owns: the words, options and help of every command, and what each asks, reads and prints.
 * Never: decides whether somebody may, keeps anything but a profile, or takes a secret from the command line.
 */
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { addAccess } from "./access.ts";
import { addApply } from "./apply.ts";
import { addAudit } from "./audit.ts";
import { addCa } from "./ca.ts";
import { addCertificates } from "./certificates.ts";
import { addCompletion } from "./completion.ts";
import { addConfig } from "./config.ts";
import { addCredentials } from "./credentials.ts";
import { addDb } from "./db.ts";
import { addGet } from "./get.ts";
import { addJoin } from "./join.ts";
import { addLocks } from "./locks.ts";
import { addLogin } from "./login.ts";
import { addMfa } from "./mfa.ts";
import { addPasswd } from "./passwd.ts";
import { addPlay } from "./play.ts";
import { addRecordings } from "./recordings.ts";
import { addRecover } from "./recover.ts";
import { addRequests } from "./requests.ts";
import { addRoles } from "./roles.ts";
import { addSearchAll } from "./search.ts";
import { addSessions } from "./sessions.ts";
import { addSignIns } from "./sign-ins.ts";
import { addStart } from "./start.ts";
import { addStatus } from "./status.ts";
import { addStore } from "./store.ts";
import { addTargets } from "./targets.ts";
import { addTeams } from "./teams.ts";
import { addTokens } from "./tokens.ts";
import { addUsers } from "./users.ts";
import { addVerify } from "./verify.ts";
import { addVersion } from "./version.ts";

/** In the order of the help: what people do first comes first. */
export const commands: readonly ((program: Command, cli: Cli) => void)[] = [
  addPlay,
  addSessions,
  addJoin,
  addRecordings,
  addSearchAll,
  addVerify,
  addLogin,
  addCertificates,
  addPasswd,
  addMfa,
  addSignIns,
  addDb,
  addStatus,
  addRequests,
  addUsers,
  addTeams,
  addRoles,
  addTokens,
  addLocks,
  addAccess,
  addTargets,
  addCredentials,
  addApply,
  addGet,
  addAudit,
  addCa,
  addConfig,
  addStore,
  addRecover,
  addStart,
  addCompletion,
  addVersion,
];
