import type { Random } from "@gatehouse/kernel";
import { hashOf } from "../identity.ts";

const codesCount = 10;
/** 32 signs, none like another: 16 of them are 80 bits, so that a plain hash is enough to look them up by. */
const signs = "abcdefghijkmnpqrstuvwxyz23456789";
const signsOfCode = 16;

/** Ten codes, each good once: `abcd-efgh-jkmn-pqrs`. */
export function newRecoveryCodes(random: Random): string[] {
  return Array.from({ length: codesCount }, () =>
    Array.from(random.bytes(signsOfCode), (byte) => signs[byte % signs.length])
      .join("")
      .replaceAll(/(.{4})(?!$)/g, "$1-"),
  );
}

/** What is kept of a code. However it was typed, it is the same. */
export function hashOfRecoveryCode(userId: string, typed: string): string {
  return hashOf(`recovery:${userId}:${typed.toLowerCase().replaceAll(/[^a-z0-9]/g, "")}`);
}
