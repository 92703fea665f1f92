import type { ReactNode } from "react";

/** A page's name, what it counts, and what can be done on it. */
export function PageHead({
  title,
  note,
  children,
}: {
  title: string;
  note?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-2 px-4 pt-3 pb-2">
      <h1 className="text-lg tracking-tight">{title}</h1>
      {note && <span className="text-faint">{note}</span>}
      {children && <div className="ml-auto flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  );
}

/** A part of a page about one thing: its name and what it is for at the left, the thing itself at the right. */
export function Part({ title, note, children }: { title: string; note: string; children: ReactNode }) {
  return (
    <section className="grid grid-cols-[minmax(0,1fr)] gap-x-8 gap-y-3 border-t py-5 md:grid-cols-[13rem_minmax(0,1fr)]">
      <div>
        <h2 className="text-base">{title}</h2>
        <p className="text-xs text-faint">{note}</p>
      </div>
      <div className="min-w-0">{children}</div>
    </section>
  );
}
