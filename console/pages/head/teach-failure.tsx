/** Why teaching failed; of pictures that are examples already, under another label, also what they are known as. */
import { ApiError } from '../../../sdk/client.ts';
import { pictureHash } from '../../pictures/hash.ts';
import { removePictures, type StagedPicture } from '../../state/staged.ts';
import { Button } from '../../ui/button.tsx';
import { count } from '../../ui/format.ts';
import { Failure, Notice } from '../../ui/notice.tsx';

interface TeachFailureProps {
  readonly head: string;
  readonly error: unknown;
  readonly pictures: readonly StagedPicture[];
  readonly onSettled: () => void;
}

/** Any other failure is shown as it is. */
export function TeachFailure({ head, error, pictures, onSettled }: TeachFailureProps) {
  if (!(error instanceof ApiError) || error.conflicts.length === 0) return <Failure error={error} />;
  const { conflicts } = error;
  const known = [...new Set(conflicts.map((conflict) => conflict.known_label))];
  const leaveOut = async (): Promise<void> => {
    const hashes = new Set(conflicts.map(({ picture }) => picture));
    const found = await Promise.all(
      pictures.map(async ({ blob }) => hashes.has((await pictureHash(blob)) ?? '')),
    );
    removePictures(
      head,
      pictures.filter((_, i) => found[i]),
    );
    onSettled();
  };
  return (
    <Notice tone="warn">
      <p role="alert">
        {count(conflicts.length, 'picture')} {conflicts.length === 1 ? 'is' : 'are'} known already, as{' '}
        {known.join(', ')}.
      </p>
      <div>
        <Button size="small" onClick={() => void leaveOut()}>
          Leave {conflicts.length === 1 ? 'it' : 'them'} out
        </Button>
      </div>
    </Notice>
  );
}
