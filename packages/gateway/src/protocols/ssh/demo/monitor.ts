const names = [
  "api",
  "postgres",
  "nginx",
  "worker",
  "redis",
  "sshd",
  "cron",
  "backup",
  "node_exporter",
  "rsyslogd",
];

/** One picture of the make-believe `top`, from the top left corner to the last row. */
export function monitorFrame(size: { cols: number; rows: number }, tick: number, nowMs: number): string {
  const cols = Math.max(40, Math.min(size.cols, 200));
  const wave = (i: number, speed: number) => 50 + 45 * Math.sin(tick / speed + i * 1.7);
  const rows = [
    `\u001b[1mdemo-01\u001b[0m  ${new Date(nowMs).toISOString().slice(11, 19)}  load ${(wave(0, 6) / 40).toFixed(2)}   q leaves`,
    "",
    ...[0, 1].map((cpu) => bar(`cpu${cpu}`, wave(cpu, 4), cols)),
    bar("mem ", 58 + wave(3, 30) / 10, cols),
    "",
    `\u001b[7m${"  PID  NAME              CPU%    MEM  ".padEnd(cols)}\u001b[0m`,
    ...names
      .map((name, i) => ({ name, pid: 90 + i * 37, cpu: wave(i, 3 + i) / 4, mem: 12 + i * 23 }))
      .sort((a, b) => b.cpu - a.cpu)
      .map(
        ({ name, pid, cpu, mem }) =>
          `${String(pid).padStart(5)}  ${name.padEnd(16)}${cpu.toFixed(1).padStart(6)}  ${String(mem).padStart(4)}M`,
      ),
  ];
  const shown = rows.slice(0, Math.max(1, size.rows - 1));
  return `\u001b[H${shown.map((row) => `${row}\u001b[K`).join("\r\n")}\u001b[J`;
}

function bar(label: string, percent: number, cols: number): string {
  const width = Math.max(10, Math.min(cols - 16, 60));
  const filled = Math.round((percent / 100) * width);
  const colour = percent > 80 ? 31 : percent > 50 ? 33 : 32;
  return `${label} [\u001b[${colour}m${"|".repeat(filled)}\u001b[0m${" ".repeat(width - filled)}] ${percent.toFixed(0).padStart(3)}%`;
}
