/** An area that takes pictures dropped on it. What it holds must offer another way as well, for those who don't drag. */
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { filesOf, type FoundFile } from './dropped.ts';

interface DropAreaProps {
  readonly class?: string;
  readonly label: string;
  readonly onFiles: (files: readonly FoundFile[]) => void;
  readonly children: ComponentChildren;
}

export function DropArea({ class: name = '', label, onFiles, children }: DropAreaProps) {
  const [over, setOver] = useState(false);
  return (
    <section
      class={`drop ${name}`}
      aria-label={label}
      data-over={over ? true : undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        const inside =
          event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget);
        if (!inside) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        if (event.dataTransfer !== null) void filesOf(event.dataTransfer).then(onFiles);
      }}
    >
      {children}
    </section>
  );
}

interface PickButtonProps {
  /** What is picked for, for those who hear the page: 'Pictures of cats'. */
  readonly label: string;
  readonly text: string;
  readonly multiple?: boolean;
  readonly size?: 'small' | 'normal';
  readonly kind?: 'main' | 'quiet';
  readonly onFiles: (files: readonly FoundFile[]) => void;
}

/** Opens the file picker. */
export function PickButton({
  label,
  text,
  multiple = false,
  size = 'normal',
  kind = 'quiet',
  onFiles,
}: PickButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={label}
        accept="image/*"
        multiple={multiple}
        onChange={({ currentTarget }) => {
          onFiles(Array.from(currentTarget.files ?? []).map((file) => ({ file })));
          // So that the same file can be picked again.
          currentTarget.value = '';
        }}
      />
      <Button
        icon="pictures"
        size={size}
        kind={kind}
        aria-label={`${text}: ${label}`}
        onClick={() => input.current?.click()}
      >
        {text}
      </Button>
    </>
  );
}
