import { CopyButton } from "../ui/elements.tsx";

/** Shown once, where they were made. */
export function RecoveryCodes({ codes }: { codes: readonly string[] }) {
  return (
    <section aria-label="Recovery codes" className="grid gap-2 rounded-md border p-3">
      <p className="text-soft">
        Keep these where you find them without your device. Each lets you in once in place of a second factor,
        and they are not shown again.
      </p>
      <ul className="grid grid-cols-1 gap-x-6 gap-y-1 font-mono text-sm sm:grid-cols-2">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div>
        <CopyButton text={codes.join("\n")} label="Copy the recovery codes" />
      </div>
    </section>
  );
}
