/** A data set as one folder a class: the folder's name is the label, pictures may lie in folders of their own below it. */
import { FileError } from '../cli/failure.ts';
import { HeadwaterError } from '../../src/errors.ts';
import { normaliseLabel } from '../../src/head/limits.ts';
import { byCodeUnit, type DataSet, type LabelledPicture, type Listing, type Skipped } from './dataset.ts';
import { sortOut } from './picture-files.ts';
import { list, walk, type Entry, type Walk } from './walk.ts';

/**
 * @param folder absolute path.
 * @throws FileError when it cannot be listed; training_data_invalid when it holds no class folders.
 */
export async function readClassFolders(folder: string): Promise<DataSet> {
  const top: Walk = { files: [], unreadable: [] };
  const entries = await list(folder, '', top).catch((error: unknown) => {
    throw new FileError(`Could not read the data set ${folder}`, error);
  });
  const classes = entries.filter((entry) => entry.kind === 'folder');
  top.files.push(...entries.filter((entry) => entry.kind === 'file'));
  const loose = await sortOut(top);
  if (classes.length === 0) throw noClasses(folder, loose);
  const parts = await Promise.all(classes.map((entry) => readClass(entry, folder)));
  const pictures = parts.flatMap((part) => part.pictures).sort((a, b) => byCodeUnit(a.name, b.name));
  const stray = loose.pictures.map(({ name }): Skipped => {
    return { name, reason: 'unlabelled', detail: 'It lies outside every class folder.' };
  });
  return {
    source: folder,
    labels: [...new Set(parts.map((part) => part.label))].sort(byCodeUnit),
    pictures,
    skipped: [...loose.skipped, ...stray, ...parts.flatMap((part) => part.skipped)],
    notPictures: [...loose.notPictures, ...parts.flatMap((part) => part.notPictures)],
  };
}

async function readClass(
  entry: Entry,
  root: string,
): Promise<Listing<LabelledPicture> & { readonly label: string }> {
  const label = normaliseLabel(entry.name);
  const found = await walk(entry.path, root, `${entry.name}/`);
  const listing = await sortOut(found);
  return { ...listing, label, pictures: listing.pictures.map((picture) => ({ ...picture, label })) };
}

function noClasses(folder: string, loose: Listing): HeadwaterError {
  const what =
    loose.pictures.length > 0
      ? `The data set ${folder} holds ${loose.pictures.length} pictures but no folders`
      : `The data set ${folder} holds no folders`;
  return new HeadwaterError(
    'training_data_invalid',
    `${what}. Put the pictures of each class into a folder named after it, or give a CSV or JSONL manifest.`,
  );
}
