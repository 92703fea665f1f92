import type { QueryCondition } from "@gatehouse/recording";
import { withoutQuoted } from "../../../statements/mod.ts";

/** What a server says, as it is recorded: cut to what a frame may hold. */
const messageCharsMax = 8192;

export function short(text: string): string {
  return text.slice(0, messageCharsMax).toWellFormed();
}

export function bounded({ severity, code, message, detail, hint }: QueryCondition): QueryCondition {
  return {
    severity: severity.slice(0, 64),
    code: code.slice(0, 64),
    message: short(message),
    ...(detail !== undefined && { detail: short(detail) }),
    ...(hint !== undefined && { hint: short(hint) }),
  };
}
export const boundedNotification = ({ channel, payload }: { channel: string; payload: string }) => ({
  channel: short(channel),
  payload: short(payload),
});
export const boundedSetting = ({ name, value }: { name: string; value: string }) => ({
  name: short(name),
  value: short(value),
});

/** Of a statement that holds secrets: what the server quotes of it is left out. */
export function withoutSecrets({ severity, code, message, detail, hint }: QueryCondition): QueryCondition {
  return {
    severity,
    code,
    message: withoutQuoted(message),
    ...(detail !== undefined && { detail: withoutQuoted(detail) }),
    ...(hint !== undefined && { hint: withoutQuoted(hint) }),
  };
}
