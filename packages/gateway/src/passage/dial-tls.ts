import { X509Certificate } from "node:crypto";
import { type Socket, connect, isIP } from "node:net";
import { type TLSSocket, connect as connectTls } from "node:tls";
import { type Clock, GatehouseError, isGatehouseError, messageOf } from "@gatehouse/kernel";
import type { Session } from "../sessions/mod.ts";
import { certificateFingerprint } from "./certificate.ts";
import type { CertificateTrust } from "./certificate-trust.ts";
import type { TargetProof } from "./target-proof.ts";

/** Where a target is and how it proves itself. */
export type TargetPlace = { name: string; host: string; port: number; trust: CertificateTrust };

export type TlsDial<T> = {
  op: string;
  clock: Clock;
  timeoutMs: number;
  alpn?: string;
  /** What the gate shows to a target that asks for a certificate. */
  certificate?: TargetProof["certificate"];
  /**
   * What the protocol says in the clear before TLS begins. Rejects where the server offers none: no credential goes in the
   * clear. Nothing that the server sent may be left unread, for somebody in between may have put it there.
   */
  begin(socket: Socket, place: TargetPlace): Promise<T>;
};

const certificateOp = "target.certificate";

/** TCP and TLS to a target, its certificate verified. Rejects with `unavailable`, `timeout` or `denied`. */
export async function dialTls<T>(
  place: TargetPlace,
  dial: TlsDial<T>,
): Promise<{ socket: TLSSocket; begun: T }> {
  const socket = connect({ host: place.host, port: place.port, noDelay: true });
  const timer = dial.clock.after(dial.timeoutMs, () =>
    socket.destroy(
      new GatehouseError({
        code: "timeout",
        op: dial.op,
        message: `${place.name} does not answer within ${dial.timeoutMs / 1000} s`,
      }),
    ),
  );
  try {
    await event(socket, "connect");
    const begun = await dial.begin(socket, place);
    return { socket: await secured(socket, place, dial), begun };
  } catch (error) {
    socket.destroy();
    throw unreachable(error, place.name, dial.op);
  } finally {
    timer.cancel();
  }
}

/** The certificate that a server shows, trusted by nobody yet. */
export async function shownCertificate<T>(
  host: string,
  port: number,
  dial: TlsDial<T>,
): Promise<X509Certificate> {
  const anything: CertificateTrust = { pinned: [], authorities: [], none: "accept" };
  const { socket } = await dialTls({ name: `${host}:${port}`, host, port, trust: anything }, dial);
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  if (!certificate)
    throw new GatehouseError({ code: "unavailable", op: dial.op, message: "it shows no certificate" });
  return certificate;
}

/** Where `error` says that a target showed a certificate that nobody trusts, the audit log is told. */
export async function auditRejectedCertificate(
  session: Pick<Session, "audit">,
  target: TargetPlace,
  error: unknown,
): Promise<void> {
  if (!isGatehouseError(error) || error.op !== certificateOp) return;
  await session.audit("target.host_key.rejected", {
    name: target.name,
    addr: `${target.host}:${target.port}`,
    key_type: "x509",
    key_fingerprint: String(error.details["offered"] ?? ""),
    reason: target.trust.pinned.length === 0 ? "unknown" : "changed",
  });
}

/** Errors of a socket in words; typed ones as they are. */
export function unreachable(error: unknown, name: string, op: string): GatehouseError {
  if (isGatehouseError(error)) return error;
  return new GatehouseError({
    code: "unavailable",
    op,
    message: `${name} cannot be reached (${messageOf(error)})`,
    cause: error,
  });
}

async function secured(
  socket: Socket,
  place: TargetPlace,
  { alpn, certificate }: Pick<TlsDial<unknown>, "alpn" | "certificate">,
): Promise<TLSSocket> {
  const { trust } = place;
  const tls = connectTls({
    socket,
    ...(isIP(place.host) === 0 && { servername: place.host }),
    // What is pinned is compared by us, below: OpenSSL would ask for names and dates that the pin makes needless.
    rejectUnauthorized: trust.authorities.length > 0,
    ...(trust.authorities.length > 0 && { ca: [...trust.authorities] }),
    ...(alpn !== undefined && { ALPNProtocols: [alpn] }),
    ...(certificate && { cert: certificate.certificate, key: certificate.key }),
    minVersion: "TLSv1.2",
  });
  tls.setNoDelay(true);
  await event(tls, "secureConnect");
  if (trust.authorities.length === 0 && trust.none !== "accept") checkPinned(tls, place);
  return tls;
}

function checkPinned(tls: TLSSocket, { name, trust }: TargetPlace): void {
  const shown = tls.getPeerX509Certificate();
  if (shown && trust.pinned.some((pem) => new X509Certificate(pem).raw.equals(shown.raw))) return;
  throw new GatehouseError({
    code: "denied",
    op: certificateOp,
    message:
      trust.pinned.length === 0
        ? `nobody has said yet which certificate ${name} has`
        : `${name} shows another certificate than the one that is pinned`,
    hint: "An administrator must look and run `gatehouse targets trust`.",
    ...(shown && { details: { offered: certificateFingerprint(shown.raw) } }),
  });
}

function event(socket: Socket, name: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = () => reject(new Error("it broke the connection"));
    socket.once("close", closed);
    // Stays: an error that comes between two steps must not end the process.
    socket.on("error", reject);
    socket.once(name, () => {
      socket.off("close", closed);
      resolve();
    });
  });
}
