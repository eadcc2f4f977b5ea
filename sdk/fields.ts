/** How labels travel in a form: as the field's own name where that is safe, else in a field of their own. */

/** Names that mean something else in a teach request, and characters that senders of forms write differently. */
const UNSAFE = /^(?:label|image)$|["%\\=\p{Cc}]/u;

/** @returns whether a form's field can be named after the label, by every sender of forms. */
export function canNameField(label: string): boolean {
  return !UNSAFE.test(label);
}
