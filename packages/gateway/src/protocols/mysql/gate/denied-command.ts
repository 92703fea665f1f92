import type { StatementVerdict } from "../../../statements/mod.ts";
import { type ServerError, command } from "../wire/messages.ts";

/** What the protocol's own commands do, for a target's rules. */
export const kindsOfCommands: ReadonlyMap<number, "create" | "drop" | "maintenance"> = new Map([
  [command.createDb, "create"],
  [command.dropDb, "drop"],
  [command.refresh, "maintenance"],
  [command.shutdown, "maintenance"],
  [command.debug, "maintenance"],
]);
/** MySQL "Server Error Message Reference": ER_SPECIFIC_ACCESS_DENIED_ERROR and ER_UNKNOWN_STMT_HANDLER. */
export const deniedError = ({ message, hint }: Pick<StatementVerdict, "message" | "hint">): ServerError => ({
  code: 1227,
  sqlState: "42000",
  message: `${message}. ${hint}`,
});
export const unknownStatement: ServerError = {
  code: 1243,
  sqlState: "HY000",
  message: "what was prepared last did not pass, so there is nothing to execute",
};
