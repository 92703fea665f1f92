import type { ReactNode } from "react";

/** One thing that must work, with its light. */
export function Part({
  title,
  fault,
  children,
}: {
  title: string;
  fault: string | null;
  children: ReactNode;
}) {
  return (
    <section className="border-b py-4">
      <h2 className="mb-2 flex items-center gap-2 text-base">
        <span aria-hidden className={`size-2 rounded-full ${fault === null ? "bg-verified" : "bg-danger"}`} />
        {title}
        <span className="sr-only">{fault === null ? "works" : "does not work"}</span>
      </h2>
      {fault !== null && <p className="mb-2 text-danger">{fault}</p>}
      <dl className="grid gap-1">{children}</dl>
    </section>
  );
}

export function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[9rem_1fr] gap-3">
      <dt className="text-soft">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}
