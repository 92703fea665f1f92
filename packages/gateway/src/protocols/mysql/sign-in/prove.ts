import { type Clock, fromUtf8 } from "@gatehouse/kernel";
import { certificateTrust, dialTls, openProof } from "../../../passage/mod.ts";
import type { ProvedSignIn } from "../../door.ts";
import { command } from "../wire/messages.ts";
import { encodePacket } from "../wire/packets.ts";
import { dial, plainly, signIn } from "./target.ts";

/** Signs in and leaves again. */
export async function proveSignIn(
  { target, login, secret }: ProvedSignIn,
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): Promise<void> {
  const place = { ...target, trust: certificateTrust(target.hostTrust) };
  const { password = "", certificate } = openProof(secret.kind, fromUtf8(secret.secret));
  const dialled = await dialTls(place, { ...dial(clock, timeoutMs), certificate });
  const { socket } = await signIn(dialled, {
    place,
    user: login,
    password,
    wanted: plainly,
    clock,
    timeoutMs,
  });
  socket.end(encodePacket(0, Uint8Array.of(command.quit)));
}
