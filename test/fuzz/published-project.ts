/** A Custom Vision project with two tags, trained and published as `live`. */
import { z } from 'zod';
import { BATCHES } from '../node/api/tenants.ts';
import { picture, type TestHost } from '../node/protocols/test-host.ts';

const PROJECTS = '/customvision/v3.3/Training/projects';
const Named = z.object({ id: z.string() });

/** @returns the project's id, and that of one of its tags. */
export async function publishedProject(
  host: TestHost,
  key: string,
): Promise<{ project: string; tag: string }> {
  const post = (path: string, body?: BodyInit): Promise<unknown> =>
    host.call(key, `${PROJECTS}${path}`, {
      method: 'POST',
      headers: { 'training-key': key },
      ...(body === undefined ? {} : { body }),
    });
  const { id: project } = Named.parse(await post('?name=fuzzed'));
  const tags = new Map<string, string>();
  for (const [label, name] of BATCHES) {
    if (!tags.has(label)) tags.set(label, Named.parse(await post(`/${project}/tags?name=${label}`)).id);
    await post(`/${project}/images?tagIds=${tags.get(label)}`, picture(name));
  }
  const { id: iteration } = Named.parse(await post(`/${project}/train`));
  await post(`/${project}/iterations/${iteration}/publish?publishName=live`);
  return { project, tag: tags.get(BATCHES[0][0]) ?? '' };
}
