/**
 * Ceph's object gateway for tests: one monitor, one object store in memory and the S3 server, each a process of its own
 * on free loopback ports.
 *
 * What Ceph 16 does not do, so that no test of ours claims it: it ignores `If-None-Match` on a write, it does not verify
 * `x-amz-checksum-sha256` (Content-MD5 it does), and it ignores a lock that is asked for with an upload in parts. It does
 * keep versions and enforces Object Lock in mode COMPLIANCE.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

const programs = ["ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"];
const readyTimeoutMs = 60_000;

/** Why it cannot be started here; undefined where it can. */
export function cephMissing(): string | undefined {
  const missing = programs.filter((program) => !existsSync(join("/usr/bin", program)));
  if (missing.length === 0) return undefined;
  return `${missing.join(", ")} not installed; run: apt-get install -y --no-install-recommends radosgw ceph-osd ceph-mon`;
}

export type Ceph = {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Stops the S3 server alone; what it holds stays. */
  stopGateway(): Promise<void>;
  startGateway(): Promise<void>;
  close(): Promise<void>;
};

export async function startCeph(): Promise<Ceph> {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-ceph-"));
  const [monitorPort, gatewayPort] = await Promise.all([freePort(), freePort()]);
  const conf = join(directory, "ceph.conf");
  for (const name of ["mon", "osd", "run", "log", "rgw"]) mkdirSync(join(directory, name));
  const fsid = randomUUID();
  writeFileSync(conf, configuration({ directory, fsid, monitorPort, gatewayPort }));
  writeFileSync(join(directory, "keyring"), "");
  const env = { ...process.env, CEPH_CONF: conf };
  const run = (program: string, args: string[]) =>
    execFileSync(program, args, { env, stdio: ["ignore", "pipe", "pipe"], timeout: readyTimeoutMs });
  const running: ChildProcess[] = [];
  const daemon = (program: string, args: string[]) => {
    const child = spawn(program, ["-c", conf, ...args, "-f"], { env, stdio: "ignore" });
    running.push(child);
    return child;
  };
  let gateway: ChildProcess | undefined;
  const startGateway = async () => {
    gateway = daemon("radosgw", ["-n", "client.rgw.t"]);
    await accepts(gatewayPort, gateway);
  };
  const close = async () => {
    await Promise.all(running.map(stop));
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const map = join(directory, "monmap");
    const address = `[v2:127.0.0.1:${monitorPort}]`;
    run("monmaptool", ["--create", "--fsid", fsid, "--addv", "a", address, map]);
    run("ceph-mon", ["-c", conf, "-i", "a", "--mkfs", "--monmap", map, "--mon-data", join(directory, "mon")]);
    daemon("ceph-mon", ["-i", "a"]);
    const osdId = randomUUID();
    run("ceph", ["-c", conf, "osd", "new", osdId, "0"]);
    run("ceph-osd", ["-c", conf, "-i", "0", "--mkfs", "--osd-uuid", osdId]);
    daemon("ceph-osd", ["-i", "0"]);
    await startGateway();
    const user = "user create --uid t --display-name t --access-key TESTKEY --secret-key TESTSECRET";
    run("radosgw-admin", ["-c", conf, "-n", "client.rgw.t", ...user.split(" ")]);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    endpoint: `http://127.0.0.1:${gatewayPort}`,
    accessKeyId: "TESTKEY",
    secretAccessKey: "TESTSECRET",
    async stopGateway() {
      if (gateway) await stop(gateway);
    },
    startGateway,
    close,
  };
}

/** Its data is worth nothing, and a monitor that is asked politely takes its time. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** Resolves when the port accepts connections. */
async function accepts(port: number, of: ChildProcess): Promise<void> {
  const until = Date.now() + readyTimeoutMs;
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    if (of.exitCode !== null) throw new Error(`radosgw ended with ${of.exitCode}`);
    if (Date.now() > until) throw new Error("radosgw did not begin to answer");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Without authentication between the daemons, `crc` must be said for every kind of connection, or radosgw hangs. */
function configuration(of: {
  directory: string;
  fsid: string;
  monitorPort: number;
  gatewayPort: number;
}): string {
  const { directory, fsid, monitorPort, gatewayPort } = of;
  return `[global]
fsid = ${fsid}
mon host = v2:127.0.0.1:${monitorPort}/0
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv4 = true
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
auth supported = none
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 2000
mon osd min in ratio = 0
run dir = ${directory}/run
admin socket = ${directory}/run/$name.asok
pid file = ${directory}/run/$name.pid
log file = ${directory}/log/$name.log
log to stderr = false
err to stderr = true
keyring = ${directory}/keyring
debug ms = 0
ms mon client mode = crc
ms mon cluster mode = crc
ms mon service mode = crc
ms cluster mode = crc
ms service mode = crc
ms client mode = crc
ms async op threads = 1
[mon]
mon data = ${directory}/mon
mon cluster log file = ${directory}/log/cluster.log
mon data avail warn = 1
mon data avail crit = 1
paxos propose interval = 0.05
paxos min wait = 0.01
mon election timeout = 1
[osd]
osd data = ${directory}/osd
osd objectstore = memstore
memstore device bytes = 1073741824
osd op num shards = 2
osd op num threads per shard = 1
osd class load list = *
osd class default list = *
osd check max object name len on startup = false
osd numa auto affinity = false
osd mclock max capacity iops hdd = 100000
osd mclock max capacity iops ssd = 100000
osd mclock skip benchmark = true
osd boot delay = 0
[client.rgw.t]
rgw data = ${directory}/rgw
rgw frontends = beast endpoint=127.0.0.1:${gatewayPort}
rgw enable usage log = false
rgw thread pool size = 32
rgw rados pool pg num min = 1
rgw gc max objs = 4
rgw lc max objs = 4
rgw num async rados threads = 4
rgw dynamic resharding = false
rgw override bucket index max shards = 1
rgw verify ssl = false
rgw crypt require ssl = false
rgw data log num shards = 1
rgw md log max shards = 1
rgw run sync thread = false
`;
}
