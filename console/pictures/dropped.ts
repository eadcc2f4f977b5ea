/** What was dropped, pasted or picked, as files; those from a dropped folder know the folder's name, which may be a label. */

export interface FoundFile {
  readonly file: File;
  /** Name of the innermost folder that holds it. */
  readonly folder?: string;
}

/** More than this at once is a mistake, and would hold the page up. */
const MAX_FILES = 2_000;
const PICTURE_ENDING = /\.(jpe?g|png|webp|gif|bmp|avif|heic|heif)$/i;

export async function filesOf(data: DataTransfer): Promise<FoundFile[]> {
  // Entries must be read before the event is over.
  const entries = Array.from(data.items).flatMap((item) => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null;
    return entry === null ? [] : [entry];
  });
  if (entries.length === 0) return Array.from(data.files).map((file) => ({ file }));
  const found: FoundFile[] = [];
  for (const entry of entries) await collect(entry, undefined, found);
  return found;
}

async function collect(
  entry: FileSystemEntry,
  folder: string | undefined,
  found: FoundFile[],
): Promise<void> {
  if (found.length >= MAX_FILES || entry.name.startsWith('.')) return;
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    // In folders lie other things too; a file on its own was meant.
    if (folder === undefined) found.push({ file });
    else if (PICTURE_ENDING.test(file.name)) found.push({ file, folder });
  } else if (isFolder(entry)) {
    const reader = entry.createReader();
    // A reader gives its entries in portions, an empty one at the end.
    for (;;) {
      const portion = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject),
      );
      if (portion.length === 0) return;
      for (const child of portion) await collect(child, entry.name, found);
    }
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
