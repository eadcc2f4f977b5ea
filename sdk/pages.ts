/** Lists that come a page at a time. */

/** All pages, asked for one after the other. @param ask for the page behind `after`; the first where that is absent. */
export async function allPages<P extends { readonly next?: string | undefined }>(
  ask: (after: string | undefined) => Promise<P>,
): Promise<P[]> {
  const pages = [await ask(undefined)];
  for (let after = pages[0].next; after !== undefined;) {
    const page = await ask(after);
    pages.push(page);
    after = page.next;
  }
  return pages;
}
