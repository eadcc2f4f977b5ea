/** Pictures that are pasted anywhere on the page, for as long as a component is mounted. */
import { useEffect, useRef } from 'preact/hooks';
import type { FoundFile } from './dropped.ts';

/** @param onPaste is never called without files. */
export function usePastedPictures(onPaste: (files: readonly FoundFile[]) => void): void {
  const latest = useRef(onPaste);
  latest.current = onPaste;
  useEffect(() => {
    const handle = ({ clipboardData }: ClipboardEvent): void => {
      const files = Array.from(clipboardData?.files ?? []).filter(({ type }) => type.startsWith('image/'));
      if (files.length > 0) latest.current(files.map((file) => ({ file })));
    };
    document.addEventListener('paste', handle);
    return () => document.removeEventListener('paste', handle);
  }, []);
}
