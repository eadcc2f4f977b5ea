/** A picture that was sent from this tab; a mark in its place for any other. */
import { remembered } from '../state/thumbnails.ts';
import { Icon } from './icon.tsx';

export function Thumbnail({ picture }: { readonly picture: string | undefined }) {
  const url = remembered(picture);
  return (
    <span class="thumbnail" title={url === undefined ? 'Only its code is kept, not the picture' : undefined}>
      {url === undefined ? <Icon name="pictures" /> : <img src={url} alt="" />}
    </span>
  );
}
