/** Lists that come a page at a time. */

/** All pages, one after the other. @param load gets the page behind `after`; the first where that is absent. */
export async function allPages<P extends { readonly next?: string | undefined }>(
  load: (after: string | undefined) => Promise<P>,
): Promise<P[]> {
  const pages = [await load(undefined)];
  for (let after = pages[0].next; after !== undefined;) {
    const page = await load(after);
    pages.push(page);
    after = page.next;
  }
  return pages;
}
