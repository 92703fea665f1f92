import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { IconButton } from "./elements.tsx";

/** The browser's own dialog: it holds the focus, closes on Escape, and gives the focus back. */
export function Dialog({
  title,
  isOpen,
  onClose,
  children,
}: {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (isOpen && dialog && !dialog.open) {
      dialog.showModal();
      // It would begin at the button that closes it; what it was opened for is the first thing to fill in.
      dialog.querySelector<HTMLElement>("input, textarea, select")?.focus();
    }
    if (!isOpen && dialog?.open) dialog.close();
  }, [isOpen]);
  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      onClose={onClose}
      className="w-[min(32rem,calc(100vw-2rem))] rounded-lg border bg-raised p-0 shadow-xl"
    >
      {isOpen && (
        <>
          <header className="flex items-center border-b py-2 pr-2 pl-4">
            <h2 id={titleId} className="text-base">
              {title}
            </h2>
            <IconButton label="Close" className="ml-auto" onClick={onClose}>
              <X size={16} />
            </IconButton>
          </header>
          <div className="p-4">{children}</div>
        </>
      )}
    </dialog>
  );
}
